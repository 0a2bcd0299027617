"""Rows of the metric tables as frames of the engine, typed column by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from nextbest.monitoring.schemas import WINDOW, drift_schema, profile_schema

_BOUNDS = {"window": ("start", "end"), "window_cmp": ("start_cmp", "end_cmp")}


def profile_frame(
    spark: SparkSession, rows: Sequence[Mapping[str, Any]], model_id: str | None
) -> DataFrame:
    """Rows of `profile.profile_rows` as profile_metrics."""
    return _frame(spark, rows, profile_schema(model_id), model_id)


def drift_frame(
    spark: SparkSession, rows: Sequence[Mapping[str, Any]], model_id: str | None
) -> DataFrame:
    """Rows of `drift.drift_rows` as drift_metrics."""
    return _frame(spark, rows, drift_schema(model_id), model_id)


def _frame(
    spark: SparkSession,
    rows: Sequence[Mapping[str, Any]],
    schema: T.StructType,
    model_id: str | None,
) -> DataFrame:
    """Windows travel as µs: no local time on the way."""
    flat: list[tuple[str, T.DataType]] = []
    for field in schema.fields:
        if field.name in _BOUNDS:
            flat += [(name, T.LongType()) for name in _BOUNDS[field.name]]
        else:
            flat.append(("model" if field.name == model_id else field.name, field.dataType))
    landed = spark.createDataFrame(
        [tuple(row.get(name) for name, _ in flat) for row in rows],
        T.StructType([T.StructField(f"__{name}", kind) for name, kind in flat]),
    )
    columns = []
    for field in schema.fields:
        if field.dataType == WINDOW:
            start, end = (F.timestamp_micros(f"__{name}") for name in _BOUNDS[field.name])
            window = F.struct(start.alias("start"), end.alias("end"))
            known = F.col(f"__{_BOUNDS[field.name][0]}").isNotNull()
            columns.append(F.when(known, window).alias(field.name))
        else:
            name = "model" if field.name == model_id else field.name
            columns.append(F.col(f"__{name}").alias(field.name))
    return landed.select(*columns)
