"""The join of a spine with the row of a feature table that was valid at each row's time.

Semantics: databricks.md §2, read from databricks-feature-engineering 0.18.2, whose own join is
the oracle of tests/contract/test_oracle.py.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from nextbest import tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from nextbest.platforms.local.feature_steps import Join

# Rows of one time are not ordered by these: engines order maps not at all, and the rest slowly.
_UNORDERED = ("map", "array", "struct", "variant")
# What takes the same room in each row: a list of many such rows stays within its bounds.
_FIXED = {
    "boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal", "date",
    "timestamp", "timestamp_ntz",
}  # fmt: skip


def join(spine: DataFrame, table: DataFrame, step: Join) -> DataFrame:
    """The spine with the step's features; its rows stay, matched or not, and so do duplicates.

    Looked up in time it is the latest row at or before the spine's time, taken whole (stored nulls
    stay), no older than the lookback; rows of the spine whose time is null are left out. Of several
    rows of one key and time, which no feature table should have, the greatest is taken: feature by
    feature as looked up, null the least. Without a timestamp, and with a lookback of zero, keys are
    just equal.
    """
    lookup, own = step.lookup, step.table.timestamp
    mark = _mark([*step.table.kinds, *step.features.values()])
    start, end = f"{mark}from", f"{mark}until"
    columns = {key: f"{mark}key{at}" for at, key in enumerate(step.table.keys)}
    pairs = zip(lookup.keys, columns.values(), strict=True)
    match = [f"__s.{tables.sql_name(column)} = __f.{key}" for column, key in pairs]
    in_time = own is not None and lookup.timestamp is not None
    latest = in_time and lookup.lookback != dt.timedelta(0)
    if in_time:
        columns[own] = start
        at = f"__s.{tables.sql_name(lookup.timestamp)}"
        match.append(f"__f.{start} <= {at}" if latest else f"{at} = __f.{start}")
    if latest:
        spine, table = _in_time(spine, lookup.timestamp), _in_time(table, own)
        match.append(f"(__f.{end} IS NULL OR {at} < __f.{end})")
        if lookup.lookback is not None:
            # In doubles, as the client compares: at the edge, the last digit decides.
            age = f"CAST({at} AS DOUBLE) - CAST(__f.{start} AS DOUBLE)"
            match.append(f"{age} <= {lookup.lookback.total_seconds()!r}D")
    versions = table.select(
        *[tables.column(old).alias(new) for old, new in columns.items()],
        *[tables.column(old).alias(new) for old, new in step.features.items()],
    )
    if latest:
        fixed = {kind.split("(")[0] for kind in step.outputs().values()} <= _FIXED
        until = _until_by_lists if fixed else _until_by_window
        keys = [columns[key] for key in step.table.keys]
        versions = until(versions, keys, start, step.outputs(), end)
    return (
        spine.alias("__s")
        .join(versions.alias("__f"), F.expr(" AND ".join(match)), "left")
        .select("__s.*", *[F.col(f"__f.{tables.sql_name(new)}") for new in step.features.values()])
    )


def _mark(names: Sequence[str]) -> str:
    """What none of the names begins with."""
    mark = "__"
    while any(name.startswith(mark) for name in names):
        mark += "_"
    return mark


def _in_time(frame: DataFrame, column: str) -> DataFrame:
    """The rows that have a time; days become their midnight."""
    if dict(frame.dtypes)[column] == "date":
        frame = frame.withColumn(column, tables.column(column).cast("timestamp"))
    return frame.where(f"{tables.sql_name(column)} IS NOT NULL")


def _until_by_window(
    frame: DataFrame, keys: Sequence[str], start: str, features: Mapping[str, str], end: str
) -> DataFrame:
    """The frame with the time of the key's next row, under `end`: a row is valid until then.

    A join on these intervals needs the spine neither sorted nor made distinct, and joins features
    once: several times as fast as a window over spine and table together (docs/decisions/0011).
    """
    from pyspark.sql import Window

    ordered = [name for name, kind in features.items() if not kind.startswith(_UNORDERED)]
    rows = Window.partitionBy(*keys).orderBy(start, *map(tables.sql_name, ordered))
    return frame.withColumn(end, F.lead(start).over(rows))


def _until_by_lists(
    frame: DataFrame, keys: Sequence[str], start: str, features: Mapping[str, str], end: str
) -> DataFrame:
    """The same from a sorted list of each key's rows, twice as fast: no sort of the whole table.

    For rows of a few bytes each; the engine (0.7.2) keeps the lists of all keys in memory.
    """
    rows = F.struct(start, *map(tables.column, features))
    lists = frame.groupBy(*keys).agg(F.sort_array(F.collect_list(rows)).alias("rows"))
    pairs = F.arrays_zip("rows", F.expr(f"slice(rows.{start}, 2, size(rows))"))
    paired = lists.select(*keys, F.inline(pairs)).toDF(*keys, "row", end)
    return paired.select(*keys, "row.*", end)
