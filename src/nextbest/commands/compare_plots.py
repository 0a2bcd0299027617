"""Plots of a comparison as SVG, in the page's own colours: light and dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import numpy as np
import pandas as pd

WIDTH, LEFT, RIGHT, ROW, TOP, BOTTOM = 1000, 310, 290, 28, 8, 34
LETTERS = 44  # of a label; the whole of it is in its tooltip
SIDE = 320  # of a calibration plot
STYLE = """
:root{--first:#7a828e;--second:#1f6feb}
@media(prefers-color-scheme:dark){:root{--first:#9aa4b2;--second:#6cb0ff}}
svg.plot{display:block;width:100%;height:auto;margin:.4rem 0 0}
svg.plot text{font:12px system-ui,sans-serif;fill:var(--ink)}
svg.plot .soft{fill:var(--soft)}svg.plot .grid{stroke:var(--line)}
svg.plot .zero{stroke:var(--soft);stroke-dasharray:3 3}
svg.plot .none{stroke:var(--soft);fill:var(--soft)}
svg.plot .better{stroke:var(--good);fill:var(--good)}
svg.plot .worse{stroke:var(--bad);fill:var(--bad)}
svg.plot .first{stroke:var(--first);fill:var(--first)}
svg.plot .second{stroke:var(--second);fill:var(--second)}
svg.plot line.none,svg.plot line.better,svg.plot line.worse{stroke-width:2.5}
svg.plot polyline{fill:none;stroke-width:1.5}
.curves{display:flex;flex-wrap:wrap;gap:1rem}.curves figure{margin:0;flex:1 1 280px;max-width:340px}
figcaption{font-size:13px;color:var(--soft)}
.key{font-size:13px}.key span{margin-right:1rem;white-space:nowrap}
.key i{display:inline-block;width:.7rem;height:.7rem;border-radius:50%;margin-right:.35rem;
vertical-align:-1px}
"""


class Bar(NamedTuple):
    """A difference with its interval: kind is none, better or worse; flip: lower is better."""

    label: str
    value: float
    low: float
    high: float
    kind: str
    flip: bool
    told: str


def forest(name: str, bars: Sequence[Bar], *, shared: bool, unit: str = "") -> str:
    """A row for each difference, the second version's side to the right of the dashed 0.

    shared: one axis for all; else each row fills its own, since metrics have no common unit.
    """
    if not bars:
        return ""
    spans = [_reach([bar]) for bar in bars]
    whole = _reach(bars)
    height = TOP + ROW * len(bars) + BOTTOM
    middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
    inner = (
        f'<line class="zero" x1="{middle}" x2="{middle}" y1="{TOP}" y2="{height - BOTTOM + 4}"/>'
    )
    for at, (bar, own) in enumerate(zip(bars, spans, strict=True)):
        y, reach = TOP + ROW * (at + 0.5), whole if shared else own
        low, value, high = (_side(each, bar.flip, reach)
                            for each in (bar.low, bar.value, bar.high))  # fmt: skip
        told = escape(f"{bar.label}: {bar.told}")
        inner += (
            f'<g class="{bar.kind}"><title>{told}</title>'
            f'<line class="{bar.kind}" x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}"/>'
            f'<circle cx="{value:.1f}" cy="{y}" r="4.5"/></g>'
            f'<text x="{LEFT - 10}" y="{y + 4}" text-anchor="end">{_label(bar.label)}</text>'
            f'<text class="soft" x="{WIDTH - RIGHT + 12}" y="{y + 4}">{escape(bar.told)}</text>'
        )
    inner += _ends(height, whole if shared else None, unit)
    return _svg(name, WIDTH, height, inner)


def calibration(head: str, first: pd.DataFrame, second: pd.DataFrame) -> str:
    """What was seen over what was said, of both versions; on the dashed line they agree."""
    top = float(np.quantile(np.concatenate([first["high"], second["high"]]), 0.9))
    top = max(top, float(first["said"].max()), float(second["said"].max())) * 1.05 or 1.0
    room = SIDE - 54

    def x(share: float) -> float:
        return 44 + room * min(share / top, 1.0)

    def y(share: float) -> float:
        return SIDE - 36 - room * min(share / top, 1.0)

    inner = f'<line class="zero" x1="{x(0)}" y1="{y(0)}" x2="{x(top)}" y2="{y(top)}"/>'
    for at in _ticks(top):
        inner += (
            f'<line class="grid" x1="{x(0)}" x2="{x(top)}" y1="{y(at):.1f}" y2="{y(at):.1f}"/>'
            f'<text class="soft" x="38" y="{y(at) + 4:.1f}" text-anchor="end">{at:.3g}</text>'
            f'<text class="soft" x="{x(at):.1f}" y="{SIDE - 18}" text-anchor="middle">{at:.3g}'
            "</text>"
        )
    for kind, curve in (("first", first), ("second", second)):
        points = " ".join(f"{x(row.said):.1f},{y(row.seen):.1f}" for row in curve.itertuples())
        inner += f'<polyline class="{kind}" style="fill:none" points="{points}"/>'
        for row in curve.itertuples():
            told = f"{kind}: said {row.said:.4g}, seen {row.seen:.4g} of {row.decisions:,}"
            inner += (
                f'<g class="{kind}"><title>{told}</title><line x1="{x(row.said):.1f}" '
                f'x2="{x(row.said):.1f}" y1="{y(row.low):.1f}" y2="{y(row.high):.1f}"/>'
                f'<circle cx="{x(row.said):.1f}" cy="{y(row.seen):.1f}" r="3.5"/></g>'
            )
    inner += f'<text class="soft" x="{SIDE / 2}" y="{SIDE - 2}" text-anchor="middle">said</text>'
    svg = _svg(f"calibration of {head}", SIDE, SIDE, inner)
    return f"<figure>{svg}<figcaption>{escape(head)}: seen over said</figcaption></figure>"


def shares(name: str, rows: Sequence[tuple[str, float, str]]) -> str:
    """A bar for each share, from 0 to the largest: (label, share, what is told beside it)."""
    if not rows:
        return ""
    top = max(share for _, share, _ in rows) or 1.0
    inner, room = "", WIDTH - LEFT - RIGHT
    for at, (label, share, told) in enumerate(rows):
        y = TOP + ROW * at + 6
        inner += (
            f'<rect class="second" x="{LEFT}" y="{y}" width="{max(room * share / top, 1):.1f}" '
            f'height="{ROW - 12}"><title>{escape(f"{label}: {told}")}</title></rect>'
            f'<text x="{LEFT - 10}" y="{y + 14}" text-anchor="end">{_label(label)}</text>'
            f'<text class="soft" x="{LEFT + room + 12}" y="{y + 14}">{escape(told)}</text>'
        )
    return _svg(name, WIDTH, TOP + ROW * len(rows) + 4, inner)


def power_curve(points: Sequence[tuple[float, float]], marks: Sequence[tuple[float, str]]) -> str:
    """The chance to see a true lift, over the lift: (lift, chance), and lifts to be marked."""
    top = points[-1][0] or 1.0
    left, height, room = 60, 230, WIDTH - 60 - 30

    def x(lift: float) -> float:
        return left + room * min(max(lift / top, 0.0), 1.0)

    def y(chance: float) -> float:
        return height - 30 - (height - 50) * chance

    inner = ""
    for chance in (0.0, 0.25, 0.5, 0.75, 1.0):
        inner += (
            f'<line class="grid" x1="{left}" x2="{x(top)}" y1="{y(chance)}" y2="{y(chance)}"/>'
            f'<text class="soft" x="{left - 8}" y="{y(chance) + 4}" text-anchor="end">{chance:.0%}'
            "</text>"
        )
    for lift in _ticks(top):
        inner += (
            f'<text class="soft" x="{x(lift):.1f}" y="{height - 10}" text-anchor="middle">'
            f"{lift:.3g}</text>"
        )
    line = " ".join(f"{x(lift):.1f},{y(chance):.1f}" for lift, chance in points)
    inner += f'<polyline class="second" style="fill:none" points="{line}"/>'
    for at, (lift, told) in enumerate(marks):
        end = "end" if x(lift) > left + room / 2 else "start"
        shift = -6 if end == "end" else 6
        inner += (
            f'<line class="zero" x1="{x(lift):.1f}" x2="{x(lift):.1f}" y1="{y(1)}" y2="{y(0)}"/>'
            f'<text x="{x(lift) + shift:.1f}" y="{y(1) + 14 + 18 * at}" text-anchor="{end}">'
            f"{escape(told)}</text>"
        )
    return _svg("chance to see a true lift", WIDTH, height, inner)


def _label(text: str) -> str:
    """A label as long as there is room for, with the whole of it as its tooltip."""
    short = text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…"
    return f"{escape(short)}<title>{escape(text)}</title>"


def _svg(name: str, width: float, height: float, inner: str) -> str:
    return (
        f'<svg class="plot" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(name)}">'
        f"{inner}</svg>"
    )


def _reach(bars: Sequence[Bar]) -> float:
    """The largest finite end of the intervals: half the width of the axis."""
    ends = [abs(end) for bar in bars for end in (bar.low, bar.value, bar.high)]
    return max((end for end in ends if math.isfinite(end)), default=0.0) or 1.0


def _side(value: float, flip: bool, reach: float) -> float:
    share = max(-1.0, min(1.0, (-value if flip else value) / reach))
    room = (WIDTH - LEFT - RIGHT) / 2
    return LEFT + room + 0.96 * room * share


def _ends(height: float, reach: float | None, unit: str) -> str:
    y = height - 10
    middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
    told = [(LEFT, "start", "← first is better"), (middle, "middle", "0"),
            (WIDTH - RIGHT, "end", "second is better →")]  # fmt: skip
    if reach is not None:
        told[1] = (middle, "middle", f"0 (± {reach:.3g}{unit})")
    return "".join(
        f'<text class="soft" x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>'
        for x, anchor, text in told
    )


def _ticks(top: float) -> list[float]:
    rough = top / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough)
    return [step * at for at in range(int(top / step + 1e-9) + 1)]
