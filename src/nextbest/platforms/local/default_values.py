"""Defaults of features: their text in a feature spec, read as the column's type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nextbest import tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

NUMBERS = {
    "smallint": np.int16, "int": np.int32, "bigint": np.int64, "float": np.float32,
    "double": np.float64,
}  # fmt: skip


def converted(values: Mapping[str, tuple[Any, str]]) -> tuple[dict[str, Any], list[str]]:
    """Column -> (value, SQL type) as column -> what fills it, and the problems.

    A feature spec keeps defaults as text, so 7 and "7" are alike, 7.5 is no BIGINT, and a boolean
    is true only for true. None and "" are no default. Source: databricks.md §2.
    """
    filled, problems = {}, []
    for name, (value, kind) in values.items():
        text = "" if value is None else str(value)
        if not text:
            continue
        try:
            filled[name] = _read(text, kind)
        except (ValueError, OverflowError):
            problems.append(f"default {value!r} of '{name}' can't be read as {kind}")
    return filled, problems


def _read(text: str, kind: str) -> Any:
    if kind in NUMBERS:
        return NUMBERS[kind](text).item()
    if kind == "boolean":
        return text.lower() == "true"
    if kind == "string":
        return text
    raise ValueError(f"a feature of type {kind} can have no default")


def fill(frame: DataFrame, defaults: Mapping[str, Any]) -> DataFrame:
    """Put defaults in the place of nulls and, as Spark's fillna does, of NaN."""
    from pyspark.sql import functions as F

    kinds, columns = dict(frame.dtypes), []
    for name in frame.columns:
        column = tables.column(name)
        if name in defaults:
            gone = column.isNull()
            if kinds[name] in ("float", "double"):
                gone = gone | F.isnan(column)
            value = F.lit(defaults[name]).cast(kinds[name])
            column = F.when(gone, value).otherwise(column).alias(name)
        columns.append(column)
    return frame.select(*columns)
