"""Plots of the monitoring pages as small SVGs, in the colours of the page: light and dark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from nextbest.monitoring.page_style import number

WIDTH, HEIGHT = 300, 110  # of a plot that is looked at
SPARK = (130, 28)
BINS = 24
CATEGORIES = 8
DOTTED = 20  # points of a series that are marked one by one
CAP = 2.0  # thresholds: drift beyond is drawn at the upper edge


def sparkline(severities: Sequence[float], label: str) -> str:
    """Drift over days in thresholds (1: at it); days without a value leave a gap."""
    wide, tall = SPARK
    last = _last(severities)
    over = last >= 1
    line = _line([min(value, CAP) / CAP for value in severities], wide - 6, tall - 8, 4)
    middle, dot = tall // 2, ""
    if not math.isnan(last):
        at = round(4 + (tall - 8) * (1 - min(last, CAP) / CAP))
        dot = f'<circle class="dot{" over" * over}" cx="{wide - 4}" cy="{at}" r="3"/>'
    return (
        f'<svg width="{wide}" height="{tall}" role="img" aria-label="{escape(label)}">'
        f'<path class="limit" d="M0 {middle}H{wide}"/><path class="spark" d="{line}"/>{dot}</svg>'
    )


def history_plot(severities: Sequence[float], days: Sequence[str], label: str) -> str:
    """Drift over days in thresholds, large, with the first and the last day."""
    known = [value for value in severities if not math.isnan(value)]
    top = max(CAP, *known, 0.0) if known else CAP
    top = min(top, 10.0)
    inner = HEIGHT - 22
    line = _line([min(value, top) / top for value in severities], WIDTH - 30, inner, 2, 28)
    limit = 2 + inner * (1 - 1 / top)
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(label)}"><path class="limit" d="M28 {limit:.0f}H{WIDTH}"/>'
        f'<path class="grid" d="M28 {inner + 2}H{WIDTH}"/><path class="spark" d="{line}"/>'
        f'<text x="0" y="{limit + 4:.0f}">×1</text><text x="0" y="12">×{top:.3g}</text>'
        f'<text x="28" y="{HEIGHT - 4}">{escape(days[0] if days else "")}</text>'
        f'<text x="{WIDTH}" y="{HEIGHT - 4}" text-anchor="end">'
        f"{escape(days[-1] if days else '')}</text></svg>"
    )


def distribution(sides: Mapping[str, Mapping], label: str) -> str:
    """Shares now, before and at baseline: `sides` has profile rows by "now", "prev", "base".

    Numbers as a histogram from their quantiles, words as bars of the frequent ones; a dash where
    no side has either.
    """
    quantiles = {name: found for name, row in sides.items() if (found := _quantiles(row))}
    if quantiles:
        return _histograms(quantiles, label)
    shares = {name: found for name, row in sides.items() if (found := item_shares(row))}
    return _bars(shares, label) if shares else "–"


def item_shares(row: Mapping) -> dict[str, float]:
    """Share of each frequent item of a profile row; empty where there are none."""
    items, count = row.get("frequent_items"), row.get("count")
    if items is None or isinstance(items, float) or not count or count != count:
        return {}
    return {str(item["item"]): float(item["count"]) / float(count) for item in items}


def series_plot(
    values: Sequence[float],
    days: Sequence[str],
    label: str,
    low: Sequence[float] = (),
    high: Sequence[float] = (),
) -> str:
    """A metric over days, with its interval as a band where there is one."""
    known = [v for v in (*values, *low, *high) if math.isfinite(v)]
    if not known:
        return "–"
    least, most = min(known), max(known)
    room = (most - least) * 0.08 or abs(most) * 0.1 or 1.0
    least, most = least - room, most + room
    inner, wide = HEIGHT - 22, WIDTH - 50

    def share(series: Sequence[float]) -> list[float]:
        return [(value - least) / (most - least) for value in series]

    band = ""
    if low and high:
        both = [
            (at, a, b)
            for at, (a, b) in enumerate(zip(share(low), share(high), strict=True))
            if math.isfinite(a) and math.isfinite(b)
        ]
        step = wide / max(len(values) - 1, 1)
        points = [(48 + at * step, a) for at, a, _ in both]
        points += [(48 + at * step, b) for at, _, b in reversed(both)]
        told = " ".join(f"{x:.0f},{2 + inner * (1 - y):.0f}" for x, y in points)
        band = f'<polygon class="band" points="{told}"/>'
    line = _line(share(values), wide, inner, 2, 48)
    dots = ""
    if len(values) <= DOTTED:
        step = wide / max(len(values) - 1, 1)
        dots = "".join(
            f'<circle class="dot" cx="{48 + (at * step if len(values) > 1 else wide):.0f}" '
            f'cy="{2 + inner * (1 - each):.0f}" r="3"/>'
            for at, each in enumerate(share(values))
            if math.isfinite(each)
        )
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(label)}"><path class="grid" d="M48 {inner + 2}H{WIDTH}"/>{band}'
        f'<path class="spark" d="{line}"/>{dots}'
        f'<text x="0" y="12">{number(most - room)}</text>'
        f'<text x="0" y="{inner}">{number(least + room)}</text>'
        f'<text x="48" y="{HEIGHT - 4}">{escape(days[0] if days else "")}</text>'
        f'<text x="{WIDTH}" y="{HEIGHT - 4}" text-anchor="end">'
        f"{escape(days[-1] if days else '')}</text></svg>"
    )


def _last(values: Sequence[float]) -> float:
    return float(values[-1]) if len(values) else math.nan


def _line(shares: Sequence[float], wide: float, tall: float, top: float, left: float = 2) -> str:
    """A path through shares of the height, the last at the right; a lone one is a dash."""
    step = wide / max(len(shares) - 1, 1)
    path, pen = "", False
    for at, share in enumerate(shares):
        if not math.isfinite(share):
            pen = False
            continue
        x = round(left + (at * step if len(shares) > 1 else wide - 2))
        y = round(top + tall * (1 - share))
        alone = not pen and not (at + 1 < len(shares) and math.isfinite(shares[at + 1]))
        path += f"{'L' if pen else 'M'}{x} {y}{'h2' if alone else ''}"
        pen = True
    return path


def _quantiles(row: Mapping) -> list[float]:
    found = row.get("quantiles")
    if found is None or isinstance(found, float) or len(found) < 3:
        return []
    points = [float(value) for value in found]
    return points if all(map(math.isfinite, points)) else []


def _histograms(quantiles: Mapping[str, Sequence[float]], label: str) -> str:
    """Step lines; what lies beyond the outer percents is counted into the outer bins."""
    # The extremes would flatten all between them.
    inner = [points[max(1, len(points) // 100) : -max(1, len(points) // 100)] for points in
             quantiles.values()]  # fmt: skip
    low, high = min(min(points) for points in inner), max(max(points) for points in inner)
    high = high if high > low else low + 1.0
    edges = np.linspace(low, high, BINS + 1)
    drawn, highest, heights = "", 0.0, {}
    for name, points in quantiles.items():
        below = np.searchsorted(points, edges, side="right") / len(points)
        below[0], below[-1] = 0.0, 1.0
        heights[name] = np.diff(below)
        highest = max(highest, float(heights[name].max()))
    tall, step = HEIGHT - 20, WIDTH / BINS
    for name in ("base", "prev", "now"):
        if name in heights:
            tops = [round(tall - (tall - 4) * h / highest) for h in heights[name]]
            line = f"M0 {tops[0]}" + "".join(
                f"H{(at + 1) * step:.0f}V{tops[at + 1] if at + 1 < BINS else tall}"
                for at in range(BINS)
            )
            drawn += f'<path class="{name}" d="{line}"/>'
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(label)}"><path class="grid" d="M0 {tall}H{WIDTH}"/>{drawn}'
        f'<text x="0" y="{HEIGHT - 4}">{low:.4g}</text>'
        f'<text x="{WIDTH}" y="{HEIGHT - 4}" text-anchor="end">{high:.4g}</text></svg>'
    )


def _bars(shares: Mapping[str, Mapping[str, float]], label: str) -> str:
    """Up to CATEGORIES items, the most frequent at baseline first; a row of bars each."""
    first = shares.get("base") or next(iter(shares.values()))
    names = {item for side in shares.values() for item in side}
    peak = {item: max(side.get(item, 0.0) for side in shares.values()) for item in names}
    items = sorted(names, key=lambda item: (-first.get(item, 0.0), -peak[item], item))[:CATEGORIES]
    highest = max((peak[item] for item in items), default=1.0) or 1.0
    row = 8 * len(shares) + 8
    drawn = ""
    for at, item in enumerate(items):
        top = at * row
        shown = item if len(item) <= 18 else f"{item[:17]}…"
        drawn += f'<text x="0" y="{top + row / 2 + 2:.0f}">{escape(shown)}</text>'
        for line, (name, side) in enumerate(shares.items()):
            wide = 170 * side.get(item, 0.0) / highest
            told = f"{item}, {name}: {side.get(item, 0.0):.1%}"
            drawn += (
                f'<rect class="f-{name}" x="118" y="{top + 3 + 8 * line}" width="{wide:.0f}" '
                f'height="6"><title>{escape(told)}</title></rect>'
            )
    tall = row * len(items)
    return (
        f'<svg width="{WIDTH}" height="{tall}" viewBox="0 0 {WIDTH} {tall}" role="img" '
        f'aria-label="{escape(label)}">{drawn}</svg>'
    )
