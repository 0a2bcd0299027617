"""Plots of a verdict as SVG, in the page's own colours: light and dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from nextbest.evaluation.release.calibrating import Bin

WIDTH, LEFT, RIGHT, ROW = 820, 290, 90, 30
SQUARE, MARGIN = 380, 48
FEW_LABELS = 5
STYLE = """
svg.plot{display:block;width:100%;max-width:820px;height:auto;margin:.4rem 0}
svg.plot{min-width:600px}svg.square{min-width:0;max-width:400px}
svg.plot text{font:12px system-ui,sans-serif;fill:var(--soft)}
svg.plot text.name{fill:var(--ink)}svg.plot .grid{stroke:var(--line)}
svg.plot .zero{stroke:var(--soft);stroke-dasharray:3 3}
svg.plot .limit{stroke:var(--warn);stroke-width:2.5}
svg.plot .good{stroke:var(--good);fill:var(--good)}svg.plot .bad{stroke:var(--bad);fill:var(--bad)}
svg.plot .plain{stroke:var(--accent);fill:var(--accent)}
svg.plot .bar{stroke-width:3;stroke-linecap:round}svg.plot .even{stroke:var(--soft)}
"""


@dataclass(frozen=True)
class Row:
    """One interval of a forest plot; `limit` is marked, `mood` is good, bad or plain."""

    name: str
    value: float
    low: float
    high: float
    mood: str = "plain"
    limit: float | None = None


def forest(rows: Sequence[Row], unit: str, *, zero: bool = False) -> str:
    """Intervals one below the other on one axis; `zero` belongs to the axis. "" without a row."""
    rows = [row for row in rows if all(map(math.isfinite, (row.value, row.low, row.high)))]
    if not rows:
        return ""
    ends = [end for row in rows for end in (row.low, row.high, row.limit) if end is not None]
    ends += [0.0] if zero else []
    low, high = min(ends), max(ends)
    pad = (high - low or abs(high) or 1.0) * 0.06
    low, high = low - pad, high + pad

    def x(value: float) -> float:
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def shown(value: float) -> str:
        return f"{value:+.4g}" if zero else f"{value:.4g}"

    bottom = ROW * len(rows) + 6
    drawn = "".join(
        f'<line class="grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="0" y2="{bottom}"/>'
        f'<text x="{x(tick):.1f}" y="{bottom + 16}" text-anchor="middle">{tick:g}</text>'
        for tick in ticks(low, high)
    )
    if zero:
        drawn += f'<line class="zero" x1="{x(0):.1f}" x2="{x(0):.1f}" y1="0" y2="{bottom}"/>'
    for place, row in enumerate(rows):
        y = ROW * place + ROW / 2 + 2
        drawn += (
            f'<text class="name" x="{LEFT - 10}" y="{y + 4}" text-anchor="end">'
            f"{escape(_short(row.name))}</text>"
            f'<line class="bar {row.mood}" x1="{x(row.low):.1f}" x2="{x(row.high):.1f}" '
            f'y1="{y}" y2="{y}"/><circle class="{row.mood}" cx="{x(row.value):.1f}" cy="{y}" '
            f'r="4.5"/><text x="{WIDTH - RIGHT + 10}" y="{y + 4}">{shown(row.value)}</text>'
        )
        if row.limit is not None:
            at = x(row.limit)
            drawn += (
                f'<line class="limit" x1="{at:.1f}" x2="{at:.1f}" y1="{y - 10}" y2="{y + 10}"/>'
            )
    middle = (LEFT + WIDTH - RIGHT) / 2
    drawn += f'<text x="{middle}" y="{bottom + 34}" text-anchor="middle">{escape(unit)}</text>'
    return _svg(drawn, WIDTH, bottom + 40, unit, "plot")


def calibration(head: str, bins: Sequence[Bin]) -> str:
    """Share that happened over mean probability, on axes of square roots: events are rare."""
    top = max(max(each.high, each.predicted) for each in bins) or 1.0
    inner = SQUARE - 2 * MARGIN

    def at(value: float) -> float:
        return inner * math.sqrt(min(max(value, 0.0), top) / top)

    drawn = ""
    for tick in ticks(0.0, top, FEW_LABELS):
        x, y = MARGIN + at(tick), SQUARE - MARGIN - at(tick)
        drawn += (
            f'<line class="grid" x1="{MARGIN}" x2="{SQUARE - MARGIN}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{MARGIN}" y2="{SQUARE - MARGIN}"/>'
            f'<text x="{MARGIN - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>'
            f'<text x="{x:.1f}" y="{SQUARE - MARGIN + 16}" text-anchor="middle">{tick:g}</text>'
        )
    drawn += (
        f'<line class="even" x1="{MARGIN}" y1="{SQUARE - MARGIN}" x2="{SQUARE - MARGIN}" '
        f'y2="{MARGIN}"/>'
    )
    for each in bins:
        x = MARGIN + at(each.predicted)
        low, high, y = (SQUARE - MARGIN - at(v) for v in (each.low, each.high, each.happened))
        drawn += (
            f'<line class="bar plain" x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"/>'
            f'<circle class="plain" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
        )
    drawn += (
        f'<text class="name" x="{MARGIN}" y="{MARGIN - 18}">{escape(head)}: share that happened'
        f'</text><text x="{SQUARE - MARGIN}" y="{SQUARE - 12}" text-anchor="end">mean probability '
        "in tenths of the decisions</text>"
    )
    return _svg(drawn, SQUARE, SQUARE, f"calibration of {head}", "plot square")


def ticks(low: float, high: float, about: int = 6) -> list[float]:
    """Round numbers within [low, high], about so many."""
    rough = (high - low) / about
    size = 10 ** math.floor(math.log10(rough))
    step = next(size * k for k in (1, 2, 5, 10) if size * k >= rough)
    first = math.ceil(low / step)
    return [round(k * step, 12) for k in range(first, math.floor(high / step) + 1)]


def _short(name: str) -> str:
    return name if len(name) <= 44 else f"{name[:43]}…"


def _svg(drawn: str, width: float, height: float, label: str, kind: str) -> str:
    return (
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(label, quote=True)}">{drawn}</svg>'
    )
