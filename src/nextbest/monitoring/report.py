"""A page for the person on call: what moved, how far, and how it looks now and at training."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from html import escape

import pandas as pd

from nextbest.monitoring.schemas import ALL_MODELS, TABLE
from nextbest.monitoring.verdict import NOT_COMPUTABLE, Drifted, Verdict, measured

STYLE = """
:root{color-scheme:light dark;--ink:#1d2430;--dim:#667085;--paper:#fff;--line:#e2e6ec;
--bad:#c2412d;--good:#1f7a4d;--now:#2563c9;--base:#98a2b3}
@media(prefers-color-scheme:dark){:root{--ink:#e8ebf0;--dim:#9aa4b2;--paper:#14181f;--line:#2b323d;
--bad:#ff8a70;--good:#5fd39b;--now:#7fb0ff;--base:#69748a}}
*{box-sizing:border-box}
body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);
max-width:60rem;margin:0 auto;padding:1.2rem 1rem 3rem}
h1{font-size:1.05rem;color:var(--dim);font-weight:600;margin:0}h2{font-size:1.05rem;margin:2rem 0 0}
.verdict{font-size:1.2rem;font-weight:600;border-left:.3rem solid var(--good);padding:.2rem .8rem;
margin:.8rem 0;overflow-wrap:anywhere}.verdict.drift{border-color:var(--bad)}
.dim{color:var(--dim);font-size:.85rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th{text-align:left;color:var(--dim);font-weight:500;font-size:.8rem}
th,td{padding:.45rem .5rem .45rem 0;border-bottom:1px solid var(--line);vertical-align:middle}
td:first-child{font-weight:600;overflow-wrap:anywhere}
.bad td:first-child,.bad .value{color:var(--bad)}svg{display:block}
.track{fill:var(--line)}.fill{fill:var(--now)}.bad .fill{fill:var(--bad)}.mark{stroke:var(--ink)}
.q-now{stroke:var(--now)}.q-base{stroke:var(--base)}.q-now,.q-base{fill:none;stroke-width:2}
.share-now{fill:var(--now)}.share-base{fill:var(--base)}
.key i{display:inline-block;width:.8rem;height:.25rem;vertical-align:middle;margin:0 .3rem 0 .8rem}
@media(max-width:40rem){thead{display:none}tbody tr{display:grid;grid-template-columns:1fr 1fr;
border-bottom:1px solid var(--line);padding:.5rem 0}td{border:0;padding:.15rem .5rem .15rem 0}
td:first-child{grid-column:1/-1}td[data-head]:before{content:attr(data-head);display:block;
color:var(--dim);font-size:.75rem}}
"""


def page(
    day: dt.date,
    verdict: Verdict,
    drift_rows: pd.DataFrame,
    profile_rows: pd.DataFrame,
    baseline_profile_rows: pd.DataFrame,
    *,
    threshold: float = 0.2,
    model_id: str = "model_version",
    action: str = "action_id",
) -> str:
    """One self-contained HTML page about the window of `day`.

    `drift_rows`: drift_metrics of the window; the two profiles: profile_metrics of the window and
    of the baseline, of which the rows of all models and no slice are shown. `action`: the column
    whose shares are drawn. Columns that the verdict names come first. Everything is escaped.
    """
    now, base = (_by_column(rows, model_id) for rows in (profile_rows, baseline_profile_rows))
    named = {found.column: found for found in verdict.findings}
    columns = [name for name in dict.fromkeys([*named, *now]) if name != TABLE]
    others = [name for name in columns if name not in named]
    shown = [*verdict.findings, *measured(drift_rows, others, threshold)]
    rows = "".join(
        _row(found, found.column in named, now.get(found.column, {}), base.get(found.column, {}))
        for found in shown
    )
    count = now.get(TABLE, {}).get("count")
    seen = "no rows were profiled" if _absent(count) else f"{int(count):,} decisions"
    mood = "drift" if verdict.drifted else "calm"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(f'{day}: {verdict.text}')}</title><style>{STYLE}</style></head><body>"
        f"<h1>Drift on {escape(str(day))}</h1>"
        f'<p class="verdict {mood}">{escape(verdict.text)}</p><p class="dim key">{seen} '
        '<i style="background:var(--now)"></i>now<i style="background:var(--base)"></i>baseline'
        "</p><h2>Columns, most drifted first</h2><table><thead><tr><th>Column<th>Statistic"
        "<th>Drift (mark: threshold)<th>Mean, now / baseline<th>Null, now / baseline"
        f"<th>Distribution</tr></thead><tbody>{rows}</tbody></table>"
        f"{_actions(action, now.get(action, {}), base.get(action, {}))}</body></html>"
    )


def _by_column(rows: pd.DataFrame, model_id: str) -> dict[str, Mapping]:
    if rows.empty:
        return {}
    whole = rows[(rows[model_id] == ALL_MODELS) & rows["slice_key"].isna()]
    return {row["column_name"]: row for row in whole.to_dict("records")}


def _row(found: Drifted, drifted: bool, now: Mapping, base: Mapping) -> str:
    known = found.statistic != NOT_COMPUTABLE
    value = f"{found.value:.3f}" if known else "—"
    name = found.statistic.replace("population_stability_index", "stability index")
    pairs = [
        _pair(now.get(key), base.get(key), unit)
        for key, unit in (("avg", ""), ("percent_null", "%"))
    ]
    return (
        f'<tr{" class=bad" if drifted else ""}><td>{escape(found.column)}</td>'
        f'<td class="dim" data-head="Statistic">{escape(name.replace("_", " "))}</td>'
        f'<td data-head="Drift"><span class="value">{value}</span>{_bar(found)}</td>'
        f'<td data-head="Mean, now / baseline">{pairs[0]}</td>'
        f'<td data-head="Null, now / baseline">{pairs[1]}</td>'
        f'<td data-head="Distribution">{_drawn(now, base)}</td></tr>'
    )


def _pair(now: float | None, base: float | None, unit: str) -> str:
    if _absent(now) and _absent(base):
        return "—"
    return " / ".join(
        "—" if _absent(value) else f"{float(value):,.4g}{unit}" for value in (now, base)
    )


def _bar(found: Drifted) -> str:
    """The statistic on a scale of two thresholds; what is not computable fills it."""
    share = 2.0 if math.isnan(found.value) else min(found.value / found.threshold, 2.0)
    return (
        '<svg width="110" height="12" role="img" aria-label="drift against its threshold">'
        '<rect class="track" y="3" width="110" height="6" rx="3"/>'
        f'<rect class="fill" y="3" width="{55 * share:.1f}" height="6" rx="3"/>'
        '<line class="mark" x1="55" x2="55" y1="0" y2="12"/></svg>'
    )


def _drawn(now: Mapping, base: Mapping) -> str:
    lines = {name: _points(row.get("quantiles")) for name, row in (("base", base), ("now", now))}
    inner = [value for points in lines.values() for value in points[1:-1]]
    if not inner:
        shares = _shares(now), _shares(base)
        return _stacked(*shares) if any(shares) else "—"
    low, high = min(inner), max(inner)  # the extremes would flatten all between them
    width = (high - low) or 1.0
    drawn = ""
    for name, points in lines.items():
        at = [
            f"{110 * step / (len(points) - 1):.1f},{34 - 32 * _clip((value - low) / width):.1f}"
            for step, value in enumerate(points)
        ]
        drawn += f'<polyline class="q-{name}" points="{" ".join(at)}"/>' if at else ""
    return (
        '<svg width="112" height="36" viewBox="-1 0 112 36" role="img" '
        f'aria-label="quantiles now and at baseline">{drawn}</svg>'
    )


def _stacked(now: Mapping[str, float], base: Mapping[str, float]) -> str:
    items = sorted({*now, *base}, key=lambda item: (-base.get(item, 0.0), item))[:6]
    width = 110 / len(items)
    highest = max(*now.values(), *base.values(), 1e-9)
    drawn = ""
    for at, item in enumerate(items):
        for offset, name, side in ((0.1, "base", base), (0.5, "now", now)):
            tall = 34 * side.get(item, 0.0) / highest
            drawn += (
                f'<rect class="share-{name}" x="{width * (at + offset):.1f}" y="{36 - tall:.1f}" '
                f'width="{width * 0.36:.1f}" height="{tall:.1f}"/>'
            )
    return (
        '<svg width="110" height="36" role="img" '
        f'aria-label="shares now and at baseline">{drawn}</svg>'
    )


def _actions(name: str, now: Mapping, base: Mapping) -> str:
    shares, before = _shares(now), _shares(base)
    if not shares:
        return f'<h2>Actions</h2><p class="dim">No shares of {escape(name)} in the profile.</p>'
    rows = "".join(
        f'<tr><td>{escape(item)}</td><td data-head="Now">{100 * shares.get(item, 0.0):.1f}%</td>'
        f'<td data-head="Baseline">{100 * before.get(item, 0.0):.1f}%</td></tr>'
        for item in sorted({*shares, *before}, key=lambda item: (-shares.get(item, 0.0), item))
    )
    return (
        f"<h2>Share of each {escape(name)} (the most frequent ones)</h2><table><thead><tr>"
        f"<th>Action<th>Now<th>Baseline</tr></thead><tbody>{rows}</tbody></table>"
    )


def _shares(row: Mapping) -> dict[str, float]:
    items, count = row.get("frequent_items"), row.get("count")
    if items is None or isinstance(items, float) or not count:
        return {}
    return {str(item["item"]): float(item["count"]) / float(count) for item in items}


def _points(quantiles: Sequence[float] | float | None) -> list[float]:
    if quantiles is None or isinstance(quantiles, float):
        return []
    points = [float(value) for value in quantiles]
    return points[:: max(1, len(points) // 20)] if all(map(math.isfinite, points)) else []


def _clip(share: float) -> float:
    return min(max(share, 0.0), 1.0)


def _absent(value: float | None) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
