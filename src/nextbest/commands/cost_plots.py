"""Plots of past runs as SVG, in the page's own colours: light and dark."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Sequence
from html import escape

from nextbest.commands.cost_report import DayLine, RunLine

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 1000, 260, 56, 26, 10
COLOURS = 8  # as many classes as STYLE has; what comes later shares the last one
STYLE = """
:root{--c0:#1f6feb;--c1:#d9730d;--c2:#1a7f5a;--c3:#a23fb5;--c4:#b08800;--c5:#0f8a9d;--c6:#c2255c;
--c7:#7a828e}
@media(prefers-color-scheme:dark){:root{--c0:#6cb0ff;--c1:#ff9f4a;--c2:#4ac28f;--c3:#d48be6;
--c4:#e3bf45;--c5:#4fc9dc;--c6:#ff7fa8;--c7:#9aa4b2}}
svg.plot{display:block;width:100%;height:auto;margin:.4rem 0 0}
svg.plot text{font:12px system-ui,sans-serif;fill:var(--soft)}
svg.plot .grid{stroke:var(--line)}svg.plot path.run{fill:none;stroke-opacity:.45;stroke-width:1.5}
svg.plot .failed{stroke:var(--bad);stroke-width:2.5;fill:none}
.key{font-size:13px}.key b{color:var(--bad);margin-right:.35rem}
.key span{margin-right:1rem;white-space:nowrap}
.key i{display:inline-block;width:.7rem;height:.7rem;border-radius:2px;margin-right:.35rem;
vertical-align:-1px}
"""


def colours(names: Sequence[str]) -> dict[str, str]:
    """A colour of the style for each name, in the order given."""
    return {name: f"var(--c{min(at, COLOURS - 1)})" for at, name in enumerate(names)}


def key(names: Sequence[str], colour: dict[str, str], more: str = "") -> str:
    """Which colour is whose; `more` is HTML."""
    parts = (f'<span><i style="background:{colour[each]}"></i>{escape(each)}</span>'
             for each in names)  # fmt: skip
    return f'<p class="soft key">{"".join(parts)}{more}</p>'


def durations(
    runs: Sequence[RunLine], since: dt.datetime, until: dt.datetime, colour: dict[str, str]
) -> str:
    """Each run with an end as a point over its start, joined by job; a cross where it failed.

    From the first run's day on, where that is later than `since`.
    """
    drawn = [run for run in runs if run.seconds is not None and run.passed is not None]
    if not drawn:
        return ""
    first = min(run.start for run in drawn)
    since = max(since, first.replace(hour=0, minute=0, second=0, microsecond=0))
    highest = max(run.seconds or 0.0 for run in drawn)
    unit, size = next(pair for pair in (("h", 3600), ("min", 60), ("s", 1))
                      if highest >= 2 * pair[1] or pair[1] == 1)  # fmt: skip
    top, grid = _grid(highest / size, unit)
    whole = (until - since).total_seconds()
    by_job = defaultdict(list)
    for run in sorted(drawn, key=lambda run: run.start):
        x = _x((run.start - since).total_seconds() / whole)
        by_job[run.job].append((x, _y((run.seconds or 0.0) / size / top), run))
    marks = ""
    for job, points in by_job.items():
        line = " ".join(f"{'L' if at else 'M'}{x:.1f} {y:.1f}" for at, (x, y, _) in
                        enumerate(points))  # fmt: skip
        marks += f'<path class="run" stroke="{colour[job]}" d="{line}"/>'
        marks += "".join(_mark(x, y, run, colour[job]) for x, y, run in points)
    days = max(1, round(whole / 86_400))
    return _plot("duration of each run", grid + _days(since, days, whole) + marks)


def _mark(x: float, y: float, run: RunLine, colour: str) -> str:
    told = escape(f"{run.job} {run.run_id}: {run.state}, {run.seconds:,.0f} s")
    if run.passed:
        return (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}">'
            f"<title>{told}</title></circle>"
        )
    return (
        f'<path class="failed" d="M{x - 5:.1f} {y - 5:.1f}l10 10m0 -10l-10 10">'
        f"<title>{told}</title></path>"
    )


def daily_costs(
    days: Sequence[DayLine],
    since: dt.datetime,
    until: dt.datetime,
    currency: str,
    colour: dict[str, str],
) -> str:
    """A bar a day (UTC), in parts by job; credits, below zero, are left to the tables."""
    found: dict[dt.date, list[DayLine]] = defaultdict(list)
    for each in days:
        if each.cost > 0:
            found[each.day].append(each)
    if not found:
        return ""
    first, count = since.date(), (until.date() - since.date()).days + 1
    highest = max(sum(each.cost for each in lines) for lines in found.values())
    top, grid = _grid(highest, currency)
    step, bars = (WIDTH - LEFT) / count, ""
    for day, lines in found.items():
        x, below = LEFT + step * (day - first).days, 0.0
        for each in sorted(lines, key=lambda line: list(colour).index(line.job)):
            low, high = _y(below / top), _y((below + each.cost) / top)
            below += each.cost
            told = escape(f"{each.job} {day}: {each.cost:,.4g} {currency}")
            bars += (
                f'<rect x="{x + step * 0.12:.1f}" y="{high:.1f}" width="{step * 0.76:.1f}" '
                f'height="{low - high:.1f}" fill="{colour[each.job]}"><title>{told}</title></rect>'
            )
    midnight = dt.datetime.combine(first, dt.time(), dt.UTC)
    return _plot("cost per day", grid + _days(midnight, count, count * 86_400) + bars)


def _plot(name: str, inner: str) -> str:
    return (
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{name}">'
        f"{inner}</svg>"
    )


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - 8)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)


def _grid(highest: float, unit: str) -> tuple[float, str]:
    """The top of the axis, a round number, and its lines with their labels."""
    rough = max(highest, 1e-9) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough)
    top = step * math.ceil(highest / step - 1e-9)
    lines = "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH}" y1="{_y(at * step / top):.1f}" '
        f'y2="{_y(at * step / top):.1f}"/><text x="{LEFT - 6}" text-anchor="end" '
        f'y="{_y(at * step / top) + 4:.1f}">{at * step:,.4g}{f" {unit}" if at else ""}</text>'
        for at in range(round(top / step) + 1)
    )
    return top, lines


def _days(first: dt.datetime, count: int, whole: float) -> str:
    """Up to ten dates along the axis, each at its own midnight (UTC)."""
    every = max(1, math.ceil(count / 10))
    labels = ""
    for at in range(0, count, every):
        day = first.date() + dt.timedelta(days=at + (first.time() > dt.time()))
        moment = dt.datetime.combine(day, dt.time(), dt.UTC)
        x = _x((moment - first).total_seconds() / whole)
        labels += f'<text x="{x:.1f}" y="{HEIGHT - 8}">{day:%b} {day.day}</text>'
    return labels
