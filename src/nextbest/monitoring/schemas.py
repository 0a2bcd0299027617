"""The columns of the metric tables, name by name as Databricks data profiling writes them."""

from __future__ import annotations

from pyspark.sql import types as T

from nextbest.monitoring.folding import ALL_MODELS as ALL_MODELS

WINDOW = T.StructType(
    [T.StructField("start", T.TimestampType()), T.StructField("end", T.TimestampType())]
)
TEST = T.StructType(
    [T.StructField("statistic", T.DoubleType()), T.StructField("pvalue", T.DoubleType())]
)
ITEM = T.StructType([T.StructField("item", T.StringType()), T.StructField("count", T.LongType())])
AVERAGES = T.StructType(
    [
        T.StructField("one_vs_all", T.MapType(T.StringType(), T.DoubleType())),
        T.StructField("macro", T.DoubleType()),
        T.StructField("weighted", T.DoubleType()),
    ]
)
PAIR = T.StructType(
    [
        T.StructField("prediction", T.StringType()),
        T.StructField("label", T.StringType()),
        T.StructField("count", T.LongType()),
    ]
)
NAMES = T.ArrayType(T.StringType())
CHANGED = T.StructType([T.StructField("added", NAMES), T.StructField("missing", NAMES)])
TABLE = ":table"

# What identifies a row of the metric tables, next to the model-id column.
PROFILE_KEY = ("window", "log_type", "granularity", "slice_key", "slice_value", "column_name")
DRIFT_KEY = (
    "window", "granularity", "slice_key", "slice_value", "column_name", "window_cmp", "drift_type"
)  # fmt: skip


def profile_schema(model_id: str | None = None) -> T.StructType:
    """profile_metrics; of an inference log, whose model versions stand in `model_id`, with those.

    Snapshots and time series have no such column, nor those of the model's quality, which are
    filled on ":table" rows of monitors with a label column. The bundle's own monitor has none: the
    outcomes of decisions come days later, and decision_metrics has what they tell. Percentages
    are 0–100. Source: Databricks, "Data profiling metric tables".
    """
    return _schema(
        ("window", WINDOW),
        ("log_type", T.StringType()),
        ("logging_table_commit_version", T.IntegerType()),
        ("monitor_version", T.LongType()),
        ("granularity", T.StringType()),
        ("slice_key", T.StringType()),
        ("slice_value", T.StringType()),
        ("column_name", T.StringType()),
        ("count", T.LongType()),
        ("data_type", T.StringType()),
        ("num_nulls", T.LongType()),
        ("avg", T.DoubleType()),
        ("quantiles", T.ArrayType(T.DoubleType())),
        ("min", T.DoubleType()),
        ("max", T.DoubleType()),
        ("stddev", T.DoubleType()),
        ("num_zeros", T.LongType()),
        ("num_nan", T.LongType()),
        ("min_length", T.DoubleType()),
        ("max_length", T.DoubleType()),
        ("avg_length", T.DoubleType()),
        ("non_null_columns", NAMES),
        ("frequent_items", T.ArrayType(ITEM)),
        ("median", T.DoubleType()),
        ("distinct_count", T.LongType()),
        ("percent_nan", T.DoubleType()),
        ("percent_null", T.DoubleType()),
        ("percent_zeros", T.DoubleType()),
        ("percent_distinct", T.DoubleType()),
        *_models(model_id),
        *(_QUALITY if model_id else ()),
    )


def drift_schema(model_id: str | None = None) -> T.StructType:
    """drift_metrics, with `model_id` as in `profile_schema`.

    Source: Databricks, "Data profiling metric tables".
    """
    return _schema(
        ("window", WINDOW),
        ("granularity", T.StringType()),
        ("monitor_version", T.LongType()),
        ("slice_key", T.StringType()),
        ("slice_value", T.StringType()),
        ("column_name", T.StringType()),
        ("data_type", T.StringType()),
        ("window_cmp", WINDOW),
        ("drift_type", T.StringType()),
        ("count_delta", T.LongType()),
        ("avg_delta", T.DoubleType()),
        ("percent_null_delta", T.DoubleType()),
        ("percent_zeros_delta", T.DoubleType()),
        ("percent_distinct_delta", T.DoubleType()),
        ("non_null_columns_delta", CHANGED),
        ("js_distance", T.DoubleType()),
        ("ks_test", TEST),
        ("wasserstein_distance", T.DoubleType()),
        ("population_stability_index", T.DoubleType()),
        ("chi_squared_test", TEST),
        ("tv_distance", T.DoubleType()),
        ("l_infinity_distance", T.DoubleType()),
        *_models(model_id),
    )


def _models(model_id: str | None) -> list[tuple[str, T.DataType]]:
    return [(model_id, T.StringType())] if model_id else []


def _schema(*fields: tuple[str, T.DataType]) -> T.StructType:
    return T.StructType([T.StructField(name, kind) for name, kind in fields])


# Last, as they are where they are added to a table of an earlier version.
_QUALITY: tuple[tuple[str, T.DataType], ...] = (
    ("accuracy_score", T.DoubleType()),
    ("confusion_matrix", T.ArrayType(PAIR)),
    ("precision", AVERAGES),
    ("recall", AVERAGES),
    ("f1_score", AVERAGES),
    ("mean_squared_error", T.DoubleType()),
    ("root_mean_squared_error", T.DoubleType()),
    ("mean_average_error", T.DoubleType()),
    ("mean_absolute_percentage_error", T.DoubleType()),
    ("r2_score", T.DoubleType()),
)
