"""Distances between two distributions, from counts that can be added up."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

BIN_SHARE = 0.1  # a bin of the stability index holds this share of the pooled rows …
BIN_ROWS = 50  # … and this many rows of the smaller side, so that noise stays noise
PRIOR = 0.5  # rows added to each bin of the stability index: an empty bin is no infinity


@dataclass(frozen=True)
class Histogram:
    """Numbers counted in right-closed bins: upper edge → (rows, their sum), and missing ones.

    With every value its own edge it is the data itself and each statistic exact.
    """

    bins: Mapping[float, tuple[int, float]]
    missing: int = 0  # null or NaN

    def __add__(self, other: Histogram) -> Histogram:
        """The histogram of both parts together; the bins of both must be cut alike."""
        bins = dict(self.bins)
        for edge, (rows, total) in other.bins.items():
            before = bins.get(edge, (0, 0.0))
            bins[edge] = (before[0] + rows, before[1] + total)
        return Histogram(bins, self.missing + other.missing)

    @property
    def rows(self) -> int:
        """Rows with a value."""
        return sum(rows for rows, _ in self.bins.values())


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


def histogram(values: Iterable[float | None], edges: Sequence[float] | None = None) -> Histogram:
    """Count values into (…, edge] bins of ascending `edges` (a last one at infinity is added).

    Without `edges` each value is its own bin.
    """
    array = np.array([math.nan if value is None else value for value in values], dtype=float)
    known = array[~np.isnan(array)] + 0.0  # -0.0 is 0.0
    if edges is None:
        at = known
    else:
        at = np.append(np.asarray(edges, dtype=float), np.inf)[np.searchsorted(edges, known)]
    bins = {
        float(edge): (int((at == edge).sum()), math.fsum(known[at == edge]))
        for edge in np.unique(at)
    }
    return Histogram(bins, len(array) - len(known))


def kolmogorov_smirnov(now: Histogram, base: Histogram) -> tuple[float, float]:
    """Largest gap between the distribution functions, and its asymptotic two-sided p-value.

    Within bins it is too small by at most the largest share that one bin holds on either side.
    NaN when a side has no values. Source: scipy.stats.ks_2samp(method="asymp").
    """
    if not now.rows or not base.rows:
        return math.nan, math.nan
    p, q = _aligned(now, base)
    gap = float(np.max(np.abs(np.cumsum(p) / p.sum() - np.cumsum(q) / q.sum())))
    size = float(now.rows) * base.rows / (now.rows + base.rows)
    return gap, float(np.clip(stats.kstwo.sf(gap, max(np.round(size), 1)), 0, 1))


def wasserstein(now: Histogram, base: Histogram) -> float:
    """Earth mover's distance, each bin standing at the mean of its rows; NaN without values.

    It errs by at most the mean distance of a row from its bin's mean, on both sides together
    (half a bin's width where bins are even). Source: scipy.stats.wasserstein_distance.
    """
    if not now.rows or not base.rows:
        return math.nan
    (x, n), (y, m) = (_means(side) for side in (now, base))
    return float(stats.wasserstein_distance(x, y, n, m))


def stability(now: Histogram, base: Histogram) -> float:
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
    p, q = _aligned(now, base)
    share = min(max(BIN_SHARE, BIN_ROWS / min(n, m)), 0.5)
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


def _aligned(now: Histogram, base: Histogram) -> tuple[np.ndarray, np.ndarray]:
    edges = sorted({*now.bins, *base.bins})
    rows = [[side.bins.get(edge, (0, 0.0))[0] for edge in edges] for side in (now, base)]
    return np.array(rows[0], dtype=float), np.array(rows[1], dtype=float)


def _means(side: Histogram) -> tuple[list[float], list[int]]:
    filled = [(total / rows, rows) for rows, total in side.bins.values() if rows]
    return [mean for mean, _ in filled], [rows for _, rows in filled]


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
