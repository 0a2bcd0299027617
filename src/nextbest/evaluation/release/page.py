"""A verdict as one page that needs nothing but itself: what was measured, and how it looks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from html import escape

from nextbest.errors import NextBestError
from nextbest.evaluation.gates import Finding, verdict_table
from nextbest.evaluation.release.comparing import Line
from nextbest.evaluation.release.page_plots import STYLE as PLOTS
from nextbest.evaluation.release.page_plots import Row, calibration, forest
from nextbest.evaluation.release.trial import Trial

STYLE = """
:root{color-scheme:light dark;--ink:#1c2330;--soft:#5b6675;--paper:#fff;--card:#f6f7f9;
--line:#dfe3e8;--accent:#1f6feb;--good:#1a7f37;--bad:#cf222e;--warn:#b08800}
@media(prefers-color-scheme:dark){:root{--ink:#e3e8ef;--soft:#97a3b3;--paper:#0f141b;
--card:#171e27;--line:#2a3441;--accent:#6cb0ff;--good:#4ac26b;--bad:#ff7b72;--warn:#e3bf45}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1000px;padding:1.6rem 1.1rem 4rem;background:var(--paper);
color:var(--ink);font:15px/1.5 system-ui,-apple-system,Segoe UI,sans-serif}
h1{font-size:1.4rem;margin:0 0 .3rem;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:2rem 0 .2rem}
.soft{color:var(--soft);margin:.1rem 0}
.verdict{border-left:5px solid var(--good);background:var(--card);padding:.7rem 1rem;margin:1rem 0}
.verdict.refused{border-color:var(--bad)}.verdict b{color:var(--good)}
.refused b{color:var(--bad)}.verdict ul{margin:.3rem 0;padding-left:1.2rem}
.verdict li{overflow-wrap:anywhere}
.side{display:flex;flex-wrap:wrap;gap:1rem}.side svg{flex:1 1 320px}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}
th,td{padding:.35rem .6rem .35rem 0;border-bottom:1px solid var(--line);text-align:left;
vertical-align:top}
th{color:var(--soft);font-weight:500}td.yes{color:var(--good)}td.no{color:var(--bad)}
td.no,td.yes{font-weight:600;white-space:nowrap}td.number{text-align:right;white-space:nowrap}
"""


def verdict_page(trial: Trial, model: str, version: str, as_of: dt.date) -> str:
    """One self-contained HTML page about a trial, for light and dark screens."""
    against = f"version {trial.against}" if trial.against else "the policy that wrote the log"
    parts = [
        f"<h1>{escape(model)} version {escape(version)} against {escape(against)}</h1>",
        f'<p class="soft">as of {as_of} · {trial.decisions:,} held-out decisions · holdout '
        f"{escape(trial.holdout or 'none')} · {trial.confidence:.0%} intervals</p>",
        _verdict(trial),
        _values(trial),
        _section("Guardrails", "growth per decision over the baseline; the mark is the limit",
                 [plot for line in trial.lines["guardrails"]
                  if (plot := forest([_row(line, trial)], line.label, zero=True))]
                 if trial.lines["guardrails"] else []),
        _section("Slices", "paired lift of each, corrected for their number; refused where all of "
                 "the interval lies below the mark",
                 [forest(_rows(trial.lines["slices"], trial), "lift per decision", zero=True)]),
        _section("Fairness", "lowest group over highest",
                 [forest(_rows(trial.lines["fairness"], trial), "ratio")]),
        _section("Calibration", "on the line, probabilities mean what they say; .95 limits",
                 ['<div class="side">'
                  + "".join(calibration(name, bins) for name, bins in trial.curves.items())
                  + "</div>"] if trial.curves else []),
        _gates(trial),
        _unasked(trial),
    ]  # fmt: skip
    title = f"{'Passed' if trial.verdict.passed else 'Refused'}: {model} version {version}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}{PLOTS}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _verdict(trial: Trial) -> str:
    findings = trial.verdict.findings
    refused = [each for each in findings if not each.passed]
    moved = f"<p>{escape(trial.moved)}</p>" if trial.moved else ""
    if trial.verdict.passed:
        return f'<div class="verdict"><b>Passed</b> all {len(findings)} gates.{moved}</div>'
    told = "".join(f"<li>{escape(each.reason)}</li>" for each in refused)
    return (
        f'<div class="verdict refused"><b>Refused</b>: {len(refused)} of {len(findings)} gates not '
        f"passed.<ul>{told}</ul>{moved}</div>"
    )


def _values(trial: Trial) -> str:
    rows = [Row(name, each.value, each.low, each.high) for name, each in trial.values.items()]
    plots = [forest(rows, "value per decision")]
    over = trial.over
    if not isinstance(over, NextBestError):
        finding = next(f for f in trial.verdict.findings if f.gate.metric == "lift_low")
        row = Row(f"lift over {trial.baseline}", over.value, over.low, over.high, _mood(finding))
        plots.append(forest([row], "paired lift per decision", zero=True))
    return _section("Value", "doubly robust for versions, the mean for who wrote the log", plots)


def _section(heading: str, told: str, plots: Sequence[str]) -> str:
    drawn = [plot for plot in plots if plot]
    if not drawn:
        return ""
    plot = f'<div class="wide">{"".join(drawn)}</div>'
    return f'<h2>{heading}</h2><p class="soft">{escape(told)}</p>{plot}'


def _rows(lines: Sequence[Line], trial: Trial) -> list[Row]:
    return [_row(line, trial) for line in lines if line.estimate is not None]


def _row(line: Line, trial: Trial) -> Row:
    finding = next(each for each in trial.verdict.findings if each.gate == line.gate)
    if line.estimate is None:
        return Row(line.label, float("nan"), float("nan"), float("nan"))
    name = line.label if line.n is None else f"{line.label} ({line.n:,})"
    each = line.estimate
    return Row(name, each.value, each.low, each.high, _mood(finding), line.limit)


def _mood(finding: Finding) -> str:
    return "good" if finding.passed else "bad"


def _gates(trial: Trial) -> str:
    rows = "".join(
        f'<tr><td class="{"yes" if row["passed"] else "no"}">'
        f"{'passed' if row['passed'] else 'refused'}</td><td>{escape(str(row['gate']))}</td>"
        f'<td class="number">{_number(row["value"])}</td>'
        f"<td>{escape(str(row['condition']))}</td>"
        f"<td>{escape(str(row['why'] if row['passed'] else row['reason']))}</td></tr>"
        for row in sorted(verdict_table(trial.verdict), key=lambda row: bool(row["passed"]))
    )
    return (
        '<h2>Gates</h2><div class="wide"><table><thead><tr><th>Verdict<th>Gate<th>Measured'
        f"<th>Condition<th>Why</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _number(value: object) -> str:
    return f"{value:,.6g}" if isinstance(value, float) else "—"


def _unasked(trial: Trial) -> str:
    if not trial.unasked:
        return ""
    rows = "".join(f"<li>{escape(name)}: {escape(why)}</li>" for name, why in trial.unasked.items())
    return f"<h2>Not asked</h2><ul>{rows}</ul>"
