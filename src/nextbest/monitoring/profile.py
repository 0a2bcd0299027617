"""Profiles of a table over time: counts, moments, quantiles and frequent items per column."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nextbest.monitoring import folding, labelled, points
from nextbest.monitoring.folding import Group, Part, Parts
from nextbest.monitoring.labels import Labels
from nextbest.monitoring.sketches import CategorySketch, NumberSketch, Sketch, known
from nextbest.monitoring.sketching import sketched

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

TABLE = ":table"
QUANTILES = np.arange(101) / 100
FREQUENT = 10  # items told per categorical column
SHARES = {  # percent of all rows, null or not
    "percent_nan": "num_nan",
    "percent_null": "num_nulls",
    "percent_zeros": "num_zeros",
    "percent_distinct": "distinct_count",
}


def profile(
    frame: DataFrame,
    *,
    timestamp: str | None = None,
    granularity: str | None = "1 day",
    columns: Sequence[str],
    model_id: str | None = None,
    slices: Sequence[str] = (),
    log_type: str = "INPUT",
    labels: Labels | None = None,
) -> DataFrame:
    """Profile `columns` per window, model version ("*": all) and slice, as `profile_schema` says.

    Without `model_id` it is a time series, without `granularity`, too, a snapshot. `count` counts
    values that are not null (rows, for ":table"); NaN counts as a value, but quantiles (101, every
    percent), moments, zeros and distinct values leave it out. With log_type BASELINE the rows are
    one window, from the first to the last timestamp of the group. Quantiles and distinct counts
    are exact up to `rounding.EXACT` and `distinct.KEPT` values; see there for the error beyond.
    With `labels` the ":table" rows of an inference log tell the model's quality, too, as
    `labelled.measured` says.
    Raises DataError for columns that are missing or can't be profiled. Source: Databricks, "Data
    profiling metric tables".
    """
    from nextbest.monitoring.metric_frames import profile_frame

    parts = sketched(
        frame,
        columns=columns,
        timestamp=timestamp,
        granularity=None if log_type == "BASELINE" else granularity,
        model_id=model_id,
        slices=slices,
        labels=labels,
    )
    if model_id:
        parts = folding.with_all_models(parts)
    rows = profile_rows(parts, granularity, log_type)
    return profile_frame(frame.sparkSession, rows, model_id)


def profile_rows(
    parts: Parts, granularity: str | None, log_type: str = "INPUT"
) -> list[dict[str, Any]]:
    """Rows of profile_metrics; windows as `start` and `end` in µs since 1970, `model` apart."""
    rows = []
    for group, part in parts.items():
        start, end = bounds(group, part)
        told = {
            "start": start, "end": end, "log_type": log_type, "monitor_version": 0,
            "granularity": granularity, "slice_key": group.slice_key,
            "slice_value": group.slice_value, "model": group.model,
        }  # fmt: skip
        rows.append({**told, **_table(part)})
        for name, sketch in part.columns.items():
            rows.append({**told, "column_name": name, **measured(sketch)})
    return rows


def bounds(group: Group, part: Part) -> tuple[int | None, int | None]:
    """The group's window; of rows in no window, from the first to right after the last."""
    if group.start is not None or part.first is None or part.last is None:
        return group.start, group.end
    # The last instant is inside; a window's end is not: one microsecond later.
    return part.first, part.last + 1


def filled(part: Part) -> list[str]:
    """Columns with a value that is not null, by name: parts come in any order from workers."""
    return sorted(name for name, sketch in part.columns.items() if sketch.rows > sketch.nulls)


def measured(sketch: Sketch) -> dict[str, Any]:
    """What profile_metrics tells of a column."""
    told = _numbers(sketch) if isinstance(sketch, NumberSketch) else _categories(sketch)
    told |= {
        "data_type": sketch.data_type,
        "count": sketch.rows - sketch.nulls,
        "num_nulls": sketch.nulls,
    }
    for share, counted in SHARES.items():
        if counted in told:
            told[share] = told[counted] * 100.0 / sketch.rows if sketch.rows else None
    return told


def _table(part: Part) -> dict[str, Any]:
    quality = {} if part.quality is None else labelled.measured(part.quality)
    return {"column_name": TABLE, "count": part.rows, "non_null_columns": filled(part), **quality}


def _numbers(sketch: NumberSketch) -> dict[str, Any]:
    rows = known(sketch)
    told: dict[str, Any] = {"num_zeros": sketch.zeros, "num_nan": sketch.nans}
    exact = sketch.points.exact
    told["distinct_count"] = (
        len(sketch.points.values) if exact else min(sketch.distinct.count, rows)
    )
    if not rows:
        return told
    with np.errstate(invalid="ignore"):
        quantiles = points.quantiles(sketch.points, QUANTILES)
    spread = math.sqrt(sketch.squares / (rows - 1)) if rows > 1 else math.nan
    values = {"avg": sketch.mean, "min": sketch.low, "max": sketch.high, "stddev": spread}
    return {
        **told,
        **{name: None if math.isnan(value) else value for name, value in values.items()},
        "quantiles": [*map(float, np.clip(quantiles, sketch.low, sketch.high))],
        "median": float(np.clip(quantiles[50], sketch.low, sketch.high)),
    }


def _categories(sketch: CategorySketch) -> dict[str, Any]:
    items = sketch.items
    rows = sketch.rows - sketch.nulls
    order = np.lexsort((items.names, -items.rows))[:FREQUENT]
    told: dict[str, Any] = {
        "distinct_count": len(items.names) if items.exact else min(sketch.distinct.count, rows),
        "frequent_items": [{"item": items.names[at], "count": int(items.rows[at])} for at in order],
    }
    if rows and sketch.data_type == "string":
        told |= {
            "min_length": float(sketch.shortest),
            "max_length": float(sketch.longest),
            "avg_length": sketch.letters / rows,
        }
    return told
