"""Numbers as weighted points: exact while they are few, rounded where they are dense, mergeable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

KEPT = 1500  # about so many points are left by a cut, fewer rows each towards both ends …
MOST = 4000  # … of which a stored or merged value has no more than so many


@dataclass(frozen=True, eq=False)
class Points:
    """Ascending values and how many rows stand at each; `spread`: around it, not at it.

    The share of rows at or below any x is known to `error` rows, and rows were moved by no more
    than `moved` in sum: both are bounds, kept up by every rounding, merge and cut; both are 0 for
    exact points.
    """

    values: np.ndarray
    rows: np.ndarray
    spread: np.ndarray
    error: int = 0
    moved: float = 0.0

    @property
    def total(self) -> int:
        """Rows with a value."""
        return int(self.rows.sum())

    @property
    def exact(self) -> bool:
        """Whether these are the very numbers."""
        return not self.spread.any()


NO_POINTS = Points(np.empty(0), np.empty(0, np.int64), np.empty(0, bool))


def merged(parts: Sequence[Points], most: int | None = MOST) -> Points:
    """The points of all parts together; with more than `most` of them, cut."""
    parts = [part for part in parts if len(part.values)]
    if not parts:
        return NO_POINTS
    error, moved = sum(part.error for part in parts), float(sum(part.moved for part in parts))
    values, rows, spread = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("values", "rows", "spread")
    )
    order = np.argsort(values, kind="stable")
    values, rows, spread = values[order], rows[order], spread[order]
    first = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    found = Points(
        values[first],
        np.add.reduceat(rows, first),
        np.logical_or.reduceat(spread, first),
        error,
        moved,
    )
    kept = found.rows > 0
    if not kept.all():
        found = Points(found.values[kept], found.rows[kept], found.spread[kept], error, moved)
    return cut(found) if most is not None and len(found.values) > most else found


def cut(points: Points) -> Points:
    """About KEPT points: neighbours become their mean, and fewer of them towards both ends.

    Source: Dunning and Ertl (2019), "Computing extremely accurate quantiles using t-digests",
    scale function k1.
    """
    share = (np.cumsum(points.rows) - points.rows / 2) / points.total
    group = np.floor(KEPT * np.arcsin(2 * share - 1) / np.pi).astype(np.int64)
    group[np.isinf(points.values)] = np.iinfo(np.int64).max  # alone: they have no mean
    group[points.values == -np.inf] = np.iinfo(np.int64).min
    first = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    size = np.diff(np.append(first, len(group)))
    rows = np.add.reduceat(points.rows, first)
    # Around its first value: a sum of large numbers would lose what tells them apart.
    start = np.repeat(points.values[first], size)
    apart = np.zeros(len(start))
    together = np.repeat(size, size) > 1
    apart[together] = points.values[together] - start[together]
    mean = points.values[first] + np.add.reduceat(apart * points.rows, first) / rows
    several = size > 1
    means = np.repeat(mean, size)
    moved = np.abs(points.values[together] - means[together]) * points.rows[together]
    return Points(
        mean,
        rows,
        np.logical_or.reduceat(points.spread, first) | several,
        points.error + int(rows[several].max(initial=0)),
        points.moved + float(moved.sum()),
    )


def quantiles(points: Points, shares: np.ndarray) -> np.ndarray:
    """Linear interpolation between ranks, as numpy.quantile; NaN without rows."""
    if not points.total:
        return np.full(len(shares), np.nan)
    last = np.cumsum(points.rows) - 1
    rank = np.asarray(shares, dtype=float) * (points.total - 1)
    low, high = (
        points.values[np.searchsorted(last, whole)] for whole in (np.floor(rank), np.ceil(rank))
    )
    between = np.zeros(len(low))
    np.subtract(high, low, out=between, where=high != low)
    part = rank - np.floor(rank)
    return low + np.where(part > 0, between * part, 0.0)
