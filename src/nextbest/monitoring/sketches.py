"""What is kept of one column of one window: a value that can be added up and stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nextbest.errors import DataError
from nextbest.monitoring import distinct, items, points
from nextbest.monitoring.distinct import Distinct
from nextbest.monitoring.items import Items
from nextbest.monitoring.points import Points
from nextbest.monitoring.rounding import points_of


@dataclass(frozen=True, eq=False)
class NumberSketch:
    """A numeric column; NaN counts as a value, but only nulls, NaN and rows know of it.

    `mean` and `squares` (summed squared distances from it) follow IEEE: of infinities there is
    no spread (NaN).
    """

    data_type: str
    rows: int  # null or not
    nulls: int
    nans: int
    zeros: int
    mean: float
    squares: float
    low: float
    high: float
    points: Points
    distinct: Distinct


@dataclass(frozen=True, eq=False)
class CategorySketch:
    """A column of texts or booleans; lengths in characters, of texts only.

    sampled: the rows of each name whose hash `distinct` keeps; None as long as items are exact.
    """

    data_type: str
    rows: int  # null or not
    nulls: int
    shortest: int
    longest: int
    letters: int
    items: Items
    distinct: Distinct
    sampled: np.ndarray | None = None


Sketch = NumberSketch | CategorySketch


def number_sketch(column: pa.Array | pa.ChunkedArray, data_type: str) -> NumberSketch:
    """Of doubles; -0.0 is 0.0, on every engine."""
    nulls = column.null_count
    found = (column.drop_null() if nulls else column).to_numpy()
    known = found
    nan = np.isnan(found)
    nans = int(nan.sum())
    if nans:
        known = found[~nan]
    zeros = len(known) - int(np.count_nonzero(known))
    if zeros:
        known = known + 0.0
    counted = points_of(known)
    mean = squares = low = high = float("nan")
    if len(known):
        with np.errstate(invalid="ignore", over="ignore"):
            mean, low, high = float(known.mean()), float(known.min()), float(known.max())
            squares = _squares(known, mean)
    seen = distinct.distinct_numbers(counted.values if counted.exact else known)
    return NumberSketch(
        data_type, len(column), nulls, nans, zeros, mean, squares, low, high, counted, seen
    )


def category_sketch(column: pa.Array | pa.ChunkedArray, data_type: str) -> CategorySketch:
    """Of texts, as they are or as a dictionary's."""
    nulls = column.null_count
    counted = pc.value_counts(column.drop_null() if nulls else column)
    names, rows = counted.field("values"), counted.field("counts").to_numpy()
    if pa.types.is_dictionary(names.type):
        names = names.dictionary_decode()
    shortest = longest = letters = 0
    if len(names) and data_type == "string":
        lengths = pc.utf8_length(names).to_numpy()
        shortest, longest = int(lengths.min()), int(lengths.max())
        letters = int(np.dot(lengths.astype(np.int64), rows))
    told = names.to_numpy(zero_copy_only=False).astype(object)
    hashes, kept = items.name_hashes(told), items.items_of(told, rows)
    seen = distinct.distinct_of(hashes)
    return CategorySketch(
        data_type, len(column), nulls, shortest, longest, letters, kept, seen,
        None if kept.exact else _rows_of(seen, hashes, rows),
    )  # fmt: skip


def merged(parts: Sequence[Sketch], name: str, most: int | None = points.MOST) -> Sketch:
    """The sketch of all rows of the parts together; `name` is the column's, for messages.

    DataError when the column was numeric in one part and text in another. Where numeric types
    differ, the last part's is told.
    """
    if len({type(part) for part in parts}) > 1:
        kinds = " and ".join(dict.fromkeys(part.data_type for part in parts))
        raise DataError(
            f"column {name} is {kinds} within one window: give it one type, then profile the "
            "window's days again"
        )
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], CategorySketch):
        return _merged_categories(parts)
    return _merged_numbers(parts, most)


def closed(sketch: Sketch) -> Sketch:
    """The sketch with no more points than it is worth keeping."""
    if isinstance(sketch, CategorySketch) or len(sketch.points.values) <= points.MOST:
        return sketch
    return replace(sketch, points=points.cut(sketch.points))


def known(sketch: NumberSketch) -> int:
    """Rows that are a number: neither null nor NaN."""
    return sketch.rows - sketch.nulls - sketch.nans


def _squares(numbers: np.ndarray, mean: float) -> float:
    """Summed squared distances from the mean, block by block: no array beside the numbers."""
    total = left = 0.0
    for start in range(0, len(numbers), distinct.BLOCK):
        away = numbers[start : start + distinct.BLOCK] - mean
        left += float(away.sum())  # what rounding the mean left over
        total += float(np.square(away, out=away).sum())
    return total - left * left / len(numbers)


def _merged_numbers(parts: Sequence[NumberSketch], most: int | None) -> NumberSketch:
    filled = [part for part in parts if known(part)]
    mean = squares = low = high = float("nan")
    if filled:
        rows = np.array([known(part) for part in filled], dtype=float)
        means = np.array([part.mean for part in filled])
        with np.errstate(invalid="ignore", over="ignore"):
            # Around the first mean: no cancellation. Chan, Golub and LeVeque (1979).
            mean = float(means[0] + np.dot(rows, means - means[0]) / rows.sum())
            if not np.isfinite(means).all():
                mean = float(np.dot(rows, means) / rows.sum())
            apart = means - mean
            squares = float(sum(part.squares for part in filled) + np.dot(rows, apart * apart))
        low, high = min(part.low for part in filled), max(part.high for part in filled)
    counts = ("rows", "nulls", "nans", "zeros")
    return NumberSketch(
        parts[-1].data_type,
        *(sum(getattr(part, name) for part in parts) for name in counts),
        mean, squares, low, high,
        points.merged([part.points for part in parts], most),
        distinct.merged([part.distinct for part in parts]),
    )  # fmt: skip


def _merged_categories(parts: Sequence[CategorySketch]) -> CategorySketch:
    filled = [part for part in parts if part.rows > part.nulls]
    kept = items.merged([part.items for part in parts])
    seen = distinct.merged([part.distinct for part in parts])
    return CategorySketch(
        parts[-1].data_type,
        sum(part.rows for part in parts),
        sum(part.nulls for part in parts),
        min((part.shortest for part in filled), default=0),
        max((part.longest for part in filled), default=0),
        sum(part.letters for part in parts),
        kept,
        seen,
        None if kept.exact else _merged_samples(parts, seen),
    )


def _merged_samples(parts: Sequence[CategorySketch], seen: Distinct) -> np.ndarray | None:
    """A hash among the smallest of all is among the smallest of each part: no row is missing."""
    total = np.zeros(len(seen.hashes), np.int64)
    for part in parts:
        if part.items.exact:
            total += _rows_of(seen, items.name_hashes(part.items.names), part.items.rows)
        elif part.sampled is None:  # stored by an earlier version
            return None
        else:
            total += _rows_of(seen, part.distinct.hashes, part.sampled)
    return total


def _rows_of(seen: Distinct, hashes: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rows at each of the hashes that are kept."""
    place = np.minimum(np.searchsorted(seen.hashes, hashes), max(len(seen.hashes) - 1, 0))
    there = seen.hashes[place] == hashes if len(hashes) else np.empty(0, bool)
    found = np.bincount(place[there], rows[there], len(seen.hashes))
    return found.astype(np.int64)
