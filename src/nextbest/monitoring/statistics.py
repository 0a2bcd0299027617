"""Distances between two distributions, from values that can be added up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from nextbest.monitoring.points import Points

BIN_SHARE = 0.1  # a bin of the stability index holds this share of the pooled rows …
BIN_ROWS = 50  # … and this many rows of the smaller side, so that noise stays noise
PRIOR = 0.5  # rows added to each bin of the stability index: an empty bin is no infinity
STEPS = 2000  # beyond so many, the steps of two distributions are joined before they become bins
MANY = 5000  # rows from which on the law of the largest gap is near its limit
_HUGE = 8e307  # stands for infinity: distances of such numbers are still numbers


@dataclass(frozen=True, eq=False)
class Numbers:
    """The numbers of one side, and how many rows have none (null or NaN)."""

    points: Points
    missing: int = 0

    @property
    def rows(self) -> int:
        """Rows with a value."""
        return self.points.total


@dataclass(frozen=True)
class Counts:
    """Rows per category; a missing value is the category None."""

    items: Mapping[str | None, int]

    def __add__(self, other: Counts) -> Counts:
        """The counts of both parts together."""
        both = dict(self.items)
        for item, rows in other.items.items():
            both[item] = both.get(item, 0) + rows
        return Counts(both)

    @property
    def rows(self) -> int:
        """Rows, those without a value among them."""
        return sum(self.items.values())


def kolmogorov_smirnov(now: Numbers, base: Numbers) -> tuple[float, float]:
    """Largest gap between the distribution functions, and its asymptotic two-sided p-value.

    It errs by at most each side's `error` as a share of its rows, in sum; usually by far less,
    since rows around a point are taken to lie evenly between its neighbours. NaN when a side has
    no values. Source: scipy.stats.ks_2samp(method="asymp").
    """
    if not now.rows or not base.rows:
        return math.nan, math.nan
    curves = _curves(now.points, base.points)
    gap = float(max(np.max(np.abs(curves.before)), np.max(np.abs(curves.after))))
    return gap, _chance(gap, max(round(float(now.rows) * base.rows / (now.rows + base.rows)), 1))


def wasserstein(now: Numbers, base: Numbers) -> float:
    """Earth mover's distance: the area between the distribution functions; NaN without values.

    It errs by at most each side's `moved` per row, in sum, plus what lies between neighbouring
    points. NaN for infinite values. Source: scipy.stats.wasserstein_distance.
    """
    if not now.rows or not base.rows:
        return math.nan
    if not all(np.isfinite(side.points.values[[0, -1]]).all() for side in (now, base)):
        return math.nan
    curves = _curves(now.points, base.points)
    left, right = curves.after[:-1], curves.before[1:]
    both = np.abs(left) + np.abs(right)
    crossing = (left * right < 0) & (both > 0)
    mean = both / 2
    mean[crossing] = (left[crossing] ** 2 + right[crossing] ** 2) / (2 * both[crossing])
    return float(np.sum(mean * np.diff(curves.at)))


def above(high: Points, low: Points) -> float:
    """P(a row of `high` is larger than one of `low`), ties counted half: the AUC; both have rows.

    Source: Mann and Whitney (1947).
    """
    at = _grid(high, low)
    before, after = _distribution(low, at)
    rows = np.diff(np.concatenate([[0.0], np.column_stack(_distribution(high, at)).ravel()]))
    # A step of `high` meets the middle of the step that `low` makes there; a stretch between
    # two values the middle of what `low` gains on it.
    reached = np.concatenate([[0.0], np.column_stack([before, after]).ravel()])
    return float(np.sum(rows * (reached[1:] + reached[:-1]) / 2))


def stability(now: Numbers, base: Numbers) -> float:
    """Population stability index Σ (p−q) ln(p/q), missing values being a bin of their own.

    Bins are joined until each holds BIN_SHARE of the pooled rows and BIN_ROWS of the smaller
    side; a value as frequent as that stands alone. Each share is (rows + PRIOR)/(all + PRIOR ×
    bins). Of two samples of one distribution about (bins − 1)(1/n + 1/m) is to be expected. NaN
    when a side is empty; 0 when neither has a value. Source: Siddiqi (2006), Credit Risk
    Scorecards.
    """
    n, m = now.rows + now.missing, base.rows + base.missing
    if not n or not m:
        return math.nan
    share = min(max(BIN_SHARE, BIN_ROWS / min(n, m)), 0.5)
    p, q = _steps(now, base)
    joined = _joined(p, q, share, n, m)
    if now.missing or base.missing:
        joined.append((now.missing, base.missing))
    rows = np.array(joined, dtype=float) + PRIOR
    p, q = rows[:, 0] / rows[:, 0].sum(), rows[:, 1] / rows[:, 1].sum()
    return float(np.sum((p - q) * np.log(p / q)))


def jensen_shannon(now: Counts, base: Counts) -> float:
    """Jensen–Shannon distance in base 2, so within 0–1; NaN when a side is empty.

    Source: scipy.spatial.distance.jensenshannon(base=2).
    """
    if not now.rows or not base.rows:
        return math.nan
    p, q = _shares(now, base)
    middle = (p + q) / 2
    divergence = sum(float(np.sum(_relative(side, middle))) for side in (p, q)) / 2
    return math.sqrt(max(divergence, 0.0) / math.log(2))


def total_variation(now: Counts, base: Counts) -> float:
    """Half the summed differences of the shares; NaN when a side is empty."""
    if not now.rows or not base.rows:
        return math.nan
    p, q = _shares(now, base)
    return float(np.sum(np.abs(p - q)) / 2)


def l_infinity(now: Counts, base: Counts) -> float:
    """Largest difference of a share; NaN when a side is empty."""
    if not now.rows or not base.rows:
        return math.nan
    p, q = _shares(now, base)
    return float(np.max(np.abs(p - q)))


def chi_squared(now: Counts, base: Counts) -> tuple[float, float]:
    """Pearson's test that both sides have one distribution; NaN when a side is empty.

    Source: scipy.stats.chi2_contingency(correction=False).
    """
    if not now.rows or not base.rows:
        return math.nan, math.nan
    result = stats.chi2_contingency(_table(now, base), correction=False)
    return float(result.statistic), float(result.pvalue)


@dataclass(frozen=True, eq=False)
class _Curves:
    """The distribution functions' difference right before and at each value of either side."""

    at: np.ndarray
    before: np.ndarray
    after: np.ndarray


def _curves(now: Points, base: Points) -> _Curves:
    at = _grid(now, base)
    (a, b), (c, d) = _distribution(now, at), _distribution(base, at)
    return _Curves(at, a - c, b - d)


def _grid(now: Points, base: Points) -> np.ndarray:
    return np.unique(np.concatenate([_clipped(now), _clipped(base)]))


def _clipped(points: Points) -> np.ndarray:
    return np.clip(points.values, -_HUGE, _HUGE)


def _distribution(points: Points, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares of rows below each value of `at`, and at or below it.

    A step at an exact point; half of what is spread around a point lies on either side of it, and
    between points the function is a straight line.
    """
    reached = np.cumsum(points.rows)
    before, after = reached - points.rows, reached.astype(float)
    half = (before + after) / 2
    low = np.where(points.spread, half, before) / reached[-1]
    high = np.where(points.spread, half, after) / reached[-1]
    knots = np.repeat(_clipped(points), 2)
    shares = np.column_stack([low, high]).ravel()
    return tuple(
        np.interp(place, knots, shares, left=0.0, right=1.0)
        for place in (np.nextafter(at, -np.inf), at)
    )


def _chance(gap: float, rows: int) -> float:
    """P(a gap as large); of many rows the limit, corrected (Vrbik 2018): right to 1e-5.

    The law itself takes scipy up to a second there.
    """
    if rows <= MANY:
        return float(np.clip(stats.kstwo.sf(gap, rows), 0, 1))
    root = math.sqrt(rows)
    scaled = root * gap + 1 / (6 * root) + (root * gap - 1) / (4 * rows)
    return float(special.kolmogorov(max(scaled, 0.0)))


def _steps(now: Numbers, base: Numbers) -> tuple[np.ndarray, np.ndarray]:
    """Rows of both sides at each value and between neighbours, ascending; none where none are."""
    sides = [side for side in (now, base) if side.rows]
    if not sides:
        return np.empty(0), np.empty(0)
    at = _grid(now.points, base.points)
    rows = []
    for side in (now, base):
        if not side.rows:
            rows.append(np.zeros(2 * len(at) + 1))
            continue
        before, after = _distribution(side.points, at)
        reached = np.concatenate([np.column_stack([before, after]).ravel(), [1.0]])
        rows.append(np.diff(reached, prepend=0.0) * side.rows)
    some = (rows[0] > 0) | (rows[1] > 0)
    p, q = rows[0][some], rows[1][some]
    if len(p) <= STEPS:
        return p, q
    pooled = np.cumsum(p) / max(now.rows, 1) + np.cumsum(q) / max(base.rows, 1)
    group = np.floor(pooled * STEPS / 4)
    first = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    return np.add.reduceat(p, first), np.add.reduceat(q, first)


def _joined(
    p: np.ndarray, q: np.ndarray, share: float, n: int, m: int
) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    open_p = open_q = 0.0
    for rows_p, rows_q in zip(p, q, strict=True):
        alone = (rows_p / n + rows_q / m) / 2 >= share
        if alone and (open_p or open_q):
            joined.append((open_p, open_q))
            open_p = open_q = 0.0
        open_p, open_q = open_p + rows_p, open_q + rows_q
        if (open_p / n + open_q / m) / 2 >= share:
            joined.append((open_p, open_q))
            open_p = open_q = 0.0
    if open_p or open_q:
        joined.append((open_p, open_q))
    return joined


def _relative(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    some = p > 0
    return p[some] * np.log(p[some] / q[some])


def _table(now: Counts, base: Counts) -> np.ndarray:
    items = sorted({*now.items, *base.items}, key=lambda item: (item is None, item or ""))
    table = np.array([[side.items.get(item, 0) for item in items] for side in (now, base)], float)
    return table[:, table.sum(axis=0) > 0]


def _shares(now: Counts, base: Counts) -> tuple[np.ndarray, np.ndarray]:
    p, q = _table(now, base)
    return p / p.sum(), q / q.sum()
