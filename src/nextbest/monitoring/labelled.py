"""Predictions beside the labels that came, as sums: what an inference log's quality is made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nextbest.errors import DataError
from nextbest.monitoring.quality import class_quality

PAIRS = 10_000  # of label and prediction that are counted: 100 classes, each taken for each
_ZERO = float(np.finfo(np.float64).eps)  # stands for a label of 0 where errors are relative


@dataclass(frozen=True)
class Errors:
    """A regression's rows with both numbers, and sums over them; `mean`, `spread`: the labels'.

    spread: summed squared distances from the mean.
    """

    rows: int
    squares: float
    absolute: float
    relative: float
    mean: float
    spread: float


@dataclass(frozen=True)
class Classes:
    """Rows per (label, prediction)."""

    rows: Mapping[tuple[str, str], int]


Quality = Errors | Classes


def quality_of(predicted: pa.ChunkedArray, came: pa.ChunkedArray) -> Quality:
    """Of doubles the errors, of texts the classes; rows that lack either are left out.

    DataError for more than PAIRS pairs of classes.
    """
    if not pa.types.is_floating(came.type):
        both = pa.table({"label": came, "prediction": predicted}).drop_null()
        counted = both.group_by(["label", "prediction"]).aggregate([([], "count_all")])
        told = counted.to_pydict()
        pairs = zip(told["label"], told["prediction"], strict=True)
        return _counted(dict(zip(pairs, told["count_all"], strict=True)))
    known = pc.and_(pc.is_valid(predicted), pc.is_valid(came))
    p, y = (column.filter(known).to_numpy() for column in (predicted, came))
    some = ~(np.isnan(p) | np.isnan(y))
    p, y = p[some], y[some]
    if not len(y):
        return Errors(0, 0.0, 0.0, 0.0, 0.0, 0.0)
    with np.errstate(invalid="ignore", over="ignore"):
        away, mean = np.abs(p - y), float(y.mean())
        return Errors(
            len(y), float(np.sum(away * away)), float(np.sum(away)),
            float(np.sum(away / np.maximum(np.abs(y), _ZERO))), mean,
            float(np.sum(np.square(y - mean))),
        )  # fmt: skip


def merged(parts: Sequence[Quality]) -> Quality | None:
    """Of all rows of the parts together; None without parts."""
    if len(parts) < 2:
        return parts[0] if parts else None
    if any(isinstance(part, Classes) for part in parts):
        rows: dict[tuple[str, str], int] = {}
        for part in parts:
            if not isinstance(part, Classes):
                raise DataError("a window has classes and numbers for labels: profile it again")
            for pair, count in part.rows.items():
                rows[pair] = rows.get(pair, 0) + count
        return _counted(rows)
    filled = [part for part in parts if isinstance(part, Errors) and part.rows]
    if not filled:
        return parts[0]
    counts = np.array([part.rows for part in filled], dtype=float)
    means = np.array([part.mean for part in filled])
    # Around the first mean: no cancellation. Chan, Golub and LeVeque (1979).
    with np.errstate(invalid="ignore", over="ignore"):
        mean = float(means[0] + np.dot(counts, means - means[0]) / counts.sum())
        between = float(np.dot(counts, np.square(means - mean)))
    sums = (
        math.fsum(getattr(part, name) for part in filled)
        for name in ("squares", "absolute", "relative")
    )
    spread = math.fsum(part.spread for part in filled) + between
    return Errors(sum(part.rows for part in filled), *sums, mean, spread)


def measured(found: Quality) -> dict[str, Any]:
    """What profile_metrics tells of an inference log with labels; null without a labelled row.

    Classes: confusion_matrix and what `quality.class_quality` tells. Numbers: the errors; r2_score
    is null where labels don't vary. Source: scikit-learn; `mean_average_error` is Databricks' name
    of the mean absolute error.
    """
    if isinstance(found, Classes):
        matrix = [
            {"prediction": prediction, "label": label, "count": count}
            for (label, prediction), count in sorted(found.rows.items())
        ]
        return {"confusion_matrix": matrix or None, **class_quality(found.rows)}
    if not found.rows:
        return {}
    square = found.squares / found.rows
    told = {
        "mean_squared_error": square,
        "root_mean_squared_error": math.sqrt(square),
        "mean_average_error": found.absolute / found.rows,
        "mean_absolute_percentage_error": found.relative / found.rows,
        "r2_score": 1 - found.squares / found.spread if found.spread else math.nan,
    }
    return {name: value if math.isfinite(value) else None for name, value in told.items()}


def to_json(found: Quality) -> dict[str, Any]:
    """What `from_json` reads."""
    if isinstance(found, Classes):
        return {"classes": [[*pair, count] for pair, count in found.rows.items()]}
    return {field.name: getattr(found, field.name) for field in fields(found)}


def from_json(told: Mapping[str, Any]) -> Quality:
    """The sums again."""
    if "classes" in told:
        return Classes({(label, said): count for label, said, count in told["classes"]})
    return Errors(**told)


def _counted(rows: Mapping[tuple[str, str], int]) -> Classes:
    if len(rows) > PAIRS:
        raise DataError(
            f"labels and predictions make {len(rows):,} different pairs, {PAIRS:,} are counted: "
            'what has so many classes is a number, so watch it with problem="regression"'
        )
    return Classes(rows)
