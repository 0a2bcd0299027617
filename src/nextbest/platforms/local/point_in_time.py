"""The join of a spine with the row of a feature table that was valid at each row's time.

Semantics: databricks.md §2, read from databricks-feature-engineering 0.18.2, whose own join is
the oracle of tests/contract/test_oracle.py.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from nextbest import tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from nextbest.platforms.local.feature_steps import FeatureTable, Join

# Rows of one time are not ordered by these: engines order maps not at all, and the rest slowly.
_UNORDERED = ("map", "array", "struct", "variant")


def join(spine: DataFrame, table: DataFrame, step: Join) -> DataFrame:
    """The spine with the step's features; its rows stay, matched or not, and so do duplicates.

    Looked up in time it is the latest row at or before the spine's time, taken whole (stored nulls
    stay), no older than the lookback; rows of the spine whose time is null are left out. Of several
    rows of one key and time, which no feature table should have, the greatest is taken: column by
    column in the table's order, null the least. Without a timestamp, and with a lookback of zero,
    keys are just equal.
    """
    lookup, own = step.lookup, step.table.timestamp
    mark = _mark([*step.table.kinds, *step.features.values()])
    start, end = f"{mark}from", f"{mark}until"
    columns = {key: f"{mark}key{at}" for at, key in enumerate(step.table.keys)}
    pairs = zip(lookup.keys, columns.values(), strict=True)
    match = [f"__s.{tables.sql_name(column)} = __f.{key}" for column, key in pairs]
    if own is not None and lookup.timestamp is not None:
        at = f"__s.{tables.sql_name(lookup.timestamp)}"
        columns[own] = start
        if lookup.lookback == dt.timedelta(0):
            match.append(f"{at} = __f.{start}")
        else:
            spine = _in_time(spine, lookup.timestamp)
            table = _until(_in_time(table, own), step.table, end)
            columns[end] = end
            match += [f"__f.{start} <= {at}", f"(__f.{end} IS NULL OR {at} < __f.{end})"]
            if lookup.lookback is not None:
                # In doubles, as the client compares: at the edge, the last digit decides.
                age = f"CAST({at} AS DOUBLE) - CAST(__f.{start} AS DOUBLE)"
                match.append(f"{age} <= {lookup.lookback.total_seconds()!r}D")
    versions = table.select(
        *[tables.column(old).alias(new) for old, new in columns.items()],
        *[tables.column(old).alias(new) for old, new in step.features.items()],
    )
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


def _until(frame: DataFrame, table: FeatureTable, name: str) -> DataFrame:
    """The frame with the time of the key's next row, under `name`: a row is valid until then.

    A join on these intervals needs the spine neither sorted nor made distinct, and joins features
    once: several times as fast as a window over spine and table together (docs/decisions/0011).
    """
    from pyspark.sql import Window

    own = tables.sql_name(str(table.timestamp))
    ordered = [
        tables.sql_name(column)
        for column, kind in table.kinds.items()
        if column not in (*table.keys, table.timestamp) and not kind.startswith(_UNORDERED)
    ]
    latest = Window.partitionBy(*map(tables.sql_name, table.keys)).orderBy(own, *ordered)
    return frame.withColumn(name, F.lead(own).over(latest))
