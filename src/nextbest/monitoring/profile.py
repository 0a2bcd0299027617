"""Profiles of a table over time: counts, moments, quantiles and frequent items per column."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from nextbest.monitoring.schemas import ALL_MODELS, TABLE, profile_schema
from nextbest.monitoring.windows import GROUP, grouped, kinds, quoted, stacked

QUANTILES = tuple(step / 100 for step in range(101))
FREQUENT = 10  # items kept per categorical column
SHARES = {  # percent of all rows, null or not
    "percent_nan": "num_nan",
    "percent_null": "num_nulls",
    "percent_zeros": "num_zeros",
    "percent_distinct": "distinct_count",
}


def profile(
    frame: DataFrame,
    *,
    timestamp: str,
    granularity: str = "1 day",
    columns: Sequence[str],
    model_id: str,
    slices: Sequence[str] = (),
    log_type: str = "INPUT",
) -> DataFrame:
    """Profile `columns` per window, model version ("*": all) and slice, as `profile_schema` says.

    `count` counts values that are not null (rows, for ":table"); NaN counts as a value, but
    quantiles (101, every percent), moments, zeros and distinct values leave it out. With log_type
    BASELINE the rows are one window, from the first to the last timestamp of the group. Raises
    DataError for columns that are missing or can't be profiled. Source: Databricks, "Data
    profiling metric tables".
    """
    columns = list(columns)
    found = kinds(frame, columns)
    whole = log_type == "BASELINE"
    rows = grouped(
        frame,
        timestamp=timestamp,
        granularity=None if whole else granularity,
        columns=columns,
        model_id=model_id,
        slices=slices,
        all_models=ALL_MODELS,
    )
    parts = [_table(rows, columns)]
    if found.numeric:
        cells = [quoted(name) for name in found.numeric]
        parts.append(_numeric(stacked(rows, found.numeric, cells, "DOUBLE")))
    if found.categorical:
        cells = [quoted(name) for name in found.categorical]
        parts.append(_categorical(stacked(rows, found.categorical, cells, "STRING")))
    schema = profile_schema(model_id)
    constants = {
        "window": F.struct(
            F.coalesce("__start", "__first").alias("start"),
            F.coalesce("__end", "__last").alias("end"),
        ),
        "log_type": F.lit(log_type),
        "monitor_version": F.lit(0),
        "granularity": F.lit(granularity),
        model_id: F.col("__model"),
    }
    shaped = [
        part.select(
            *[
                _value(part, field.name, constants).cast(field.dataType).alias(field.name)
                for field in schema.fields
            ]
        )
        for part in parts
    ]
    return reduce(DataFrame.unionAll, shaped)


def _value(part: DataFrame, name: str, constants: dict[str, Column]) -> Column:
    if name in constants:
        return constants[name]
    counted = SHARES.get(name)
    if counted in part.columns:
        return F.col(counted) * F.lit(100.0) / F.col("__rows")
    return F.col(name) if name in part.columns else F.lit(None)


def _span() -> list[Column]:
    # The last instant is inside; a window's end is not: one microsecond later.
    return [
        F.min("__at").alias("__first"),
        F.timestamp_micros(F.unix_micros(F.max("__at")) + 1).alias("__last"),
        F.count(F.lit(1)).alias("__rows"),
    ]


def _table(rows: DataFrame, columns: Sequence[str]) -> DataFrame:
    filled = F.array(*[F.when(F.count(name) > 0, F.lit(name)) for name in columns])
    return rows.groupBy(*GROUP).agg(
        *_span(),
        F.lit(TABLE).alias("column_name"),
        F.count(F.lit(1)).alias("count"),
        F.array_compact(filled).alias("non_null_columns"),
    )


def _numeric(cells: DataFrame) -> DataFrame:
    value = F.col("value")
    # -0.0 is 0.0 and NaN no number: engines differ in how they count both.
    number = F.when(value == 0, F.lit(0.0)).when(~F.isnan(value), value)
    exact = cells.withColumn("number", number)
    measured = exact.groupBy(*GROUP, "column_name", "data_type").agg(
        *_span(),
        F.count("value").alias("count"),
        F.count_if(value.isNull()).alias("num_nulls"),
        F.avg("number").alias("avg"),
        F.percentile("number", F.array(*map(F.lit, QUANTILES))).alias("quantiles"),
        F.min("number").alias("min"),
        F.max("number").alias("max"),
        F.stddev("number").alias("stddev"),
        F.count_if(F.col("number") == 0).alias("num_zeros"),
        F.count_if(F.isnan(value)).alias("num_nan"),
        F.count_distinct("number").alias("distinct_count"),
    )
    return measured.withColumn("median", F.element_at("quantiles", 51))


def _categorical(cells: DataFrame) -> DataFrame:
    by_item = cells.groupBy(*GROUP, "column_name", "data_type", "value").agg(
        *_span(), F.length("value").cast("double").alias("length")
    )
    seen = F.col("value").isNotNull()
    # Most frequent first, then by name, so that every engine keeps the same items.
    pair = F.struct((-F.col("__rows")).alias("order"), F.col("value").alias("item"))
    text = seen & (F.col("data_type") == "string")
    length = F.when(text, F.col("length"))
    number = F.when(text, F.col("__rows"))
    items = by_item.groupBy(*GROUP, "column_name", "data_type").agg(
        F.min("__first").alias("__first"),
        F.max("__last").alias("__last"),
        F.coalesce(F.sum(F.when(seen, F.col("__rows"))), F.lit(0)).alias("count"),
        F.coalesce(F.sum(F.when(~seen, F.col("__rows"))), F.lit(0)).alias("num_nulls"),
        F.count("value").alias("distinct_count"),
        F.min(length).alias("min_length"),
        F.max(length).alias("max_length"),
        (F.sum(length * number) / F.sum(number)).alias("avg_length"),
        F.slice(F.sort_array(F.collect_list(F.when(seen, pair))), 1, FREQUENT).alias("__top"),
        F.sum("__rows").alias("__rows"),
    )
    top = F.transform(
        "__top",
        lambda pair: F.struct(
            pair["item"].alias("item"),
            (-pair["order"]).alias("count"),
        ),
    )
    return items.withColumn("frequent_items", top)
