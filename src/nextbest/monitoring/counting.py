"""One aggregation per kind of column: how many rows fall into which bin or category."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from nextbest.monitoring.statistics import Counts, Histogram
from nextbest.monitoring.windows import GROUP, Kinds, quoted, stacked

FEW = 100  # up to so many distinct values each is its own bin, and the statistics exact
CATEGORIES = 1000  # beyond so many, categories are counted by a hash of their name
BUCKETS = 256
STEP = 10  # about the root of the number of edges

Key = tuple[object, ...]  # start and end in µs, model, slice key, slice value, column


def count(
    rows: DataFrame, kinds: Kinds, edges: Mapping[str, Sequence[float] | None], many: set[str]
) -> dict[Key, Histogram | Counts]:
    """Histograms and Counts of the columns of `grouped` rows, by window, model, slice, column.

    `edges`: inner bin edges of a numeric column, ascending; None: each value is its own bin.
    `many`: categorical columns counted by hash.
    """
    found: dict[Key, Histogram | Counts] = {}
    exact = {name: kind for name, kind in kinds.numeric.items() if edges[name] is None}
    cut = {name: kind for name, kind in kinds.numeric.items() if name not in exact}
    for counted in (_valued(rows, exact), _binned(rows, cut, edges)):
        for key, bins in _collect(counted):
            values = {row["bin"]: (row["rows"], row["total"]) for row in bins}
            missing, _ = values.pop(None, (0, None))
            found[key] = Histogram(values, missing)
    for key, items in _collect(_items(rows, kinds.categorical, many)):
        found[key] = Counts({row["bin"]: row["rows"] for row in items})
    return found


def _collect(counted: DataFrame | None) -> Iterator[tuple[Key, list[Row]]]:
    if counted is None:
        return
    micros = [F.unix_micros(name).alias(name) for name in GROUP[:2]]
    found: dict[Key, list[Row]] = {}
    for row in counted.select(*micros, *counted.columns[2:]).collect():
        key = (*(row[name] for name in GROUP), row["column_name"])
        found.setdefault(key, []).append(row)
    yield from found.items()


def _numbers(rows: DataFrame, columns: dict[str, str]) -> DataFrame:
    cells = stacked(rows, columns, [quoted(name) for name in columns], "DOUBLE")
    value = F.col("value")
    # NaN is a missing value and -0.0 is 0.0, on every engine.
    return cells.withColumn("value", F.when(value == 0, F.lit(0.0)).when(~F.isnan(value), value))


def _valued(rows: DataFrame, columns: dict[str, str]) -> DataFrame | None:
    if not columns:
        return None
    return _counted(_numbers(rows, columns).withColumn("bin", F.col("value")))


def _binned(
    rows: DataFrame, columns: dict[str, str], edges: Mapping[str, Sequence[float] | None]
) -> DataFrame | None:
    """Two steps of about ten comparisons: nested CASE takes the embedded engine a minute."""
    if not columns:
        return None
    table = []
    for name in columns:
        upper = [*(edges[name] or ()), math.inf]
        fine = [upper[at : at + STEP] for at in range(0, len(upper), STEP)]
        table.append((name, [part[-1] for part in fine[:-1]], fine))
    names = "column_name string, coarse array<double>, fine array<array<double>>"
    search = rows.sparkSession.createDataFrame(table, names)
    value = F.col("value")

    def below(column: str) -> Column:
        return F.size(F.filter(column, lambda edge: edge < value))

    part = F.element_at("fine", below("coarse") + 1)
    found = (
        _numbers(rows, columns)
        .join(F.broadcast(search), "column_name")
        .withColumn("part", part)
        .withColumn("bin", F.element_at("part", below("part") + 1))
        .withColumn("bin", F.when(value.isNotNull(), F.col("bin")))
    )
    return _counted(found)


def _counted(cells: DataFrame) -> DataFrame:
    return cells.groupBy(*GROUP, "column_name", "bin").agg(
        F.count(F.lit(1)).alias("rows"), F.sum("value").alias("total")
    )


def _items(rows: DataFrame, columns: dict[str, str], many: set[str]) -> DataFrame | None:
    if not columns:
        return None
    cells = [
        (
            f"CONCAT('hash ', CAST(crc32({quoted(name)}) % {BUCKETS} AS STRING))"
            if name in many
            else quoted(name)
        )
        for name in columns
    ]
    return (
        stacked(rows, columns, cells, "STRING")
        .groupBy(*GROUP, "column_name", F.col("value").alias("bin"))
        .agg(F.count(F.lit(1)).alias("rows"))
    )
