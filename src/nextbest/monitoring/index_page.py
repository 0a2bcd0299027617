"""The page over all days: verdicts, worst columns and trends, with a link to each day's page."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from html import escape
from types import MappingProxyType
from urllib.parse import quote

import numpy as np
import pandas as pd

from nextbest.monitoring.history import by_day
from nextbest.monitoring.metric_series import plots_of, series
from nextbest.monitoring.page_style import document, key, link, number, table
from nextbest.monitoring.report_plots import series_plot
from nextbest.monitoring.schemas import ALL_MODELS

WORST, SHOWN = 3, 40  # columns named in a day's row; rows of the heat map before "all"
STEPS = (0.25, 0.5, 1.0, 2.0)  # severities at which the colour changes
NOTHING: Mapping = MappingProxyType({})
UNKNOWN = "x"  # a column without a value on a day on which others have one
ROW = 16  # height of a row of the heat map
# Which column and day the pointer is on, and a click opens that day's page.
SCRIPT = """
for(const map of document.querySelectorAll(".heat")){const told=map.querySelector("output"),
art=map.querySelector("svg"),names=JSON.parse(map.dataset.names),days=JSON.parse(map.dataset.days),
pages=JSON.parse(map.dataset.pages);const at=event=>{const box=
art.getBoundingClientRect();return[names[Math.floor((event.clientY-box.top)/box.height*
names.length)],days[Math.floor((event.clientX-box.left)/box.width*days.length)]]};
art.addEventListener("pointermove",event=>{const[name,day]=at(event);
if(name&&day)told.textContent=name+", "+day});
art.addEventListener("click",event=>{const[name,day]=at(event);
if(pages[day])location=pages[day]+"#c-"+encodeURIComponent(name)})}
"""


def index_page(
    drift: pd.DataFrame,
    profile: pd.DataFrame,
    columns: Sequence[str],
    *,
    threshold: float,
    pages: Mapping[str, str],
    responses: Mapping[str, Sequence[str]] = NOTHING,
    drifted: Mapping[str, bool] = NOTHING,
    risk: Mapping[str, float] = NOTHING,
    came: pd.DataFrame | None = None,
    links: Mapping[str, str | None] = NOTHING,
    title: str = "Monitoring",
    model_id: str = "model_version",
) -> str:
    """One self-contained HTML page from the metric tables alone: the same days, the same page.

    drift: drift_metrics, profile: the ":table" rows of profile_metrics, both of all models and
    with `day` (text, the window's start). columns: those of the verdict, each of which must have a
    value on each day. pages, responses, drifted (the verdicts; of a day without one: whether any
    column is past its threshold), risk (0 to 100): by day; came: what came of the decisions, shaped
    as `profile`; links: more of them, by their words.
    """
    days = sorted({*drift.get("day", ()), *profile.get("day", ())})
    everyone = drift[drift[model_id] == ALL_MODELS] if len(drift) else drift
    past = by_day(everyone, days, threshold)
    past = past.reindex(index=dict.fromkeys([*past.index, *columns]))
    found = series(profile, days, model_id)
    counts = found.pop("count", [math.nan] * len(days))
    if came is not None:  # but for each action's share, which the day's page has
        told = series(came, days, model_id)
        found |= {name: values for name, values in told.items() if "." not in name}
    rows = [
        _row(day, past[day].reindex(columns), count, pages, responses, drifted)
        for day, count in zip(days, counts, strict=True)
    ]
    heads = ("day", "verdict", "worst columns", "what was done", "past threshold", "decisions")
    first = f"{days[0]} to {days[-1]}" if days else "no day has been monitored yet"
    nav = "".join(link(words, address) for words, address in links.items())
    trends = _trends(days, past, columns, counts, risk, found)
    body = (
        f'<nav aria-label="Pages">{nav}</nav><h1>{escape(title)}</h1><p class="dim">{first}, '
        f"{len(days)} days, {len(columns)} columns</p>{trends}"
        f"{_heat_maps(past, days, pages)}"
        f"<h2>Days, newest first</h2>{table(heads, rows[::-1], texts=4)}"
    )
    return document(title, body, SCRIPT)


def _row(
    day: str, its: pd.Series, count: float, pages: Mapping[str, str],
    responses: Mapping[str, Sequence[str]], drifted: Mapping[str, bool],
) -> list[str]:  # fmt: skip
    over = its[~(its < 1)]
    unknown = int(its.isna().sum())
    bad = drifted.get(day, not over.empty)
    verdict = f'<span class="{"bad" if bad else "good"}">{"drift" if bad else "no drift"}</span>'
    worst = its.dropna().sort_values(ascending=False).head(WORST)
    named = ", ".join(
        link(f"{name} ×{share:.2f}", f"{pages[day]}#c-{quote(name)}" if day in pages else None)
        for name, share in worst.items()
    )
    told = f"{len(over)}" + (f" ({unknown} not computable)" if unknown else "")
    done = "; ".join(map(escape, responses.get(day, ()))) or "–"
    return [link(day, pages.get(day)), verdict, named, done, told, number(count)]


def _trends(
    days: Sequence[str], past: pd.DataFrame, columns: Sequence[str], counts: Sequence[float],
    risk: Mapping[str, float], found: Mapping[str, Sequence[float]],
) -> str:  # fmt: skip
    watched = past.reindex(index=list(columns))
    over = [float((~(watched[day] < 1)).sum()) for day in days]
    plots = [
        ("columns past their threshold", over),
        ("worst column, in thresholds", [float(watched[day].max()) for day in days]),
        ("decisions", list(counts)),
        ("risk, of 100", [risk.get(day, math.nan) for day in days] if risk else []),
    ]
    drawn = "".join(
        f"<figure>{series_plot(values, days, f'{words} over {len(days)} days')}"
        f"<figcaption>{words}: {number(values[-1])}</figcaption></figure>"
        for words, values in plots
        if values
    )
    drawn += "".join(plot for _, plot in plots_of(found, days))
    return f'<h2>Trends</h2><div class="body" style="padding-left:0">{drawn}</div>'


def _heat_maps(past: pd.DataFrame, days: Sequence[str], pages: Mapping[str, str]) -> str:
    """Columns × days, worst first; those beyond SHOWN behind a click."""
    if past.empty or not days:
        return ""
    worst = past.fillna(0.0).clip(upper=STEPS[-1]).mean(axis=1)
    latest = past[days[-1]].fillna(0.0)
    order = pd.DataFrame({"worst": worst, "latest": latest}).sort_values(
        ["worst", "latest"], ascending=False, kind="stable"
    )
    ordered = past.loc[order.index]
    colours = zip(("h1", "h2", "h3", "h4", "h5", "hx"), _words(), strict=True)
    more = ordered.iloc[SHOWN:]
    rest = (
        f"<details><summary>{len(more)} more columns</summary>"
        f"{_heat_map(more, days, pages)}</details>"
        if len(more)
        else ""
    )
    return (
        '<h2>Drift by column and day</h2><p class="dim key">in thresholds:'
        f"{key(colours, '.7rem')}</p>"
        f"{_heat_map(ordered.iloc[:SHOWN], days, pages)}{rest}"
    )


def _words() -> list[str]:
    below = ["0", *(f"{step:g}" for step in STEPS)]
    return [*(f"from {low}" for low in below), "not computable"]


def _heat_map(past: pd.DataFrame, days: Sequence[str], pages: Mapping[str, str]) -> str:
    """One path per colour, each run of days of one colour one stroke: small, however many cells."""
    names = list(past.index)
    paths = dict.fromkeys(("1", "2", "3", "4", "5", UNKNOWN), "")
    values = past.to_numpy(dtype=float)
    for row, its in enumerate(values):
        classes = np.where(np.isnan(its), 0, np.searchsorted(STEPS, its, side="right") + 1)
        edges = [0, *(np.flatnonzero(np.diff(classes)) + 1), len(classes)]
        for start, end in zip(edges[:-1], edges[1:], strict=True):
            colour = str(classes[start]) if classes[start] else UNKNOWN
            paths[colour] += f"M{start} {row}.5h{end - start}"
    drawn = "".join(
        f'<path d="{path}" stroke="var(--h{colour})"/>' for colour, path in paths.items() if path
    )
    labels = "".join(f"<div>{escape(name)}</div>" for name in names)
    tall = ROW * len(names)
    shown = {day: pages[day] for day in days if day in pages}
    return (
        f'<div class="heat" data-names="{escape(json.dumps(names))}" '
        f'data-days="{escape(json.dumps(list(days)))}" data-pages="{escape(json.dumps(shown))}" '
        'style="display:grid;grid-template-columns:minmax(6rem,14rem) 1fr;gap:0 .6rem">'
        f'<div style="font-size:11px;line-height:{ROW}px;overflow:hidden;white-space:nowrap">'
        f'{labels}</div><svg style="width:100%;height:{tall}px" preserveAspectRatio="none" '
        f'viewBox="0 0 {len(days)} {len(names)}" role="img" aria-label="drift of {len(names)} '
        f'columns on {len(days)} days, in thresholds"><g stroke-width=".86">{drawn}</g></svg>'
        f'<span></span><span class="dim" style="display:flex;justify-content:space-between">'
        f"<span>{escape(days[0])}</span><output></output><span>{escape(days[-1])}</span></span></div>"
    )
