"""The local point-in-time join: the semantics of Databricks' feature engineering client."""

from __future__ import annotations

import datetime as dt

import pytest

from nextbest.errors import DataError
from nextbest.platforms import Lookup

pytestmark = pytest.mark.integration

TABLE = "juan_dev.ml_nba_demo_dev.point_in_time"
LOOKUP = Lookup(table=TABLE, keys=("customer_id",), timestamp="decided_at")


def at(day, hour=0):
    return dt.datetime(2026, 1, day, hour)


@pytest.fixture(scope="module")
def store(spark, spark_home):
    from nextbest.platforms.local.feature_store import LocalFeatureStore

    store = LocalFeatureStore(spark, spark_home)
    rows = [("a", at(1), 1.0, "x"), ("a", at(3), None, "y"), ("b", at(2), 5.0, None)]
    frame = spark.createDataFrame(
        rows, "customer_id string, as_of timestamp, spend double, kind string"
    )
    store.write(TABLE, frame, ["customer_id"], "as_of")
    store.write(TABLE, frame, ["customer_id"], "as_of")  # again: the same table
    return store


def looked_up(
    spark, store, spine, lookup=LOOKUP, schema="customer_id string, decided_at timestamp"
):
    joined = store.training_set(spark.createDataFrame(spine, schema), [lookup])
    return sorted(tuple(row) for row in joined.collect())


def test_the_latest_row_at_or_before_is_taken_whole(spark, store):
    spine = [("a", at(1)), ("a", at(2, 8)), ("a", at(3)), ("a", at(9))]
    assert looked_up(spark, store, spine) == [
        ("a", at(1), 1.0, "x"),
        ("a", at(2, 8), 1.0, "x"),
        ("a", at(3), None, "y"),  # a stored NULL stays, though an older row had a value
        ("a", at(9), None, "y"),
    ]


def test_rows_without_a_match_stay_and_duplicates_are_kept(spark, store):
    spine = [("b", at(1)), ("b", at(3)), ("b", at(3)), ("nobody", at(3)), ("b", at(2))]
    assert len(looked_up(spark, store, spine)) == 5
    assert looked_up(spark, store, [("b", at(1))]) == [("b", at(1), None, None)]
    assert looked_up(spark, store, [("nobody", at(3))]) == [("nobody", at(3), None, None)]


def test_a_feature_in_the_spine_overrides_the_lookup(spark, store):
    schema = "customer_id string, decided_at timestamp, spend double"
    rows = looked_up(spark, store, [("a", at(2), 99.0)], schema=schema)
    assert rows == [("a", at(2), 99.0, "x")]


def test_named_features_only(spark, store):
    lookup = Lookup(TABLE, ("customer_id",), "decided_at", ("kind",))
    assert looked_up(spark, store, [("a", at(2))], lookup) == [("a", at(2), "x")]


@pytest.mark.parametrize(
    ("lookup", "schema", "named"),
    [
        (LOOKUP, "customer_id int, decided_at timestamp", "'customer_id' is int"),
        (LOOKUP, "customer_id string, decided_at string", "no timestamp"),
        (Lookup(TABLE, ("id",), "decided_at"), "id string, decided_at timestamp", "keys are"),
        (
            Lookup(TABLE, ("customer_id",), "decided_at", ("spent",)),
            "customer_id string, decided_at timestamp",
            "no feature 'spent'",
        ),
    ],
    ids=["key type", "timestamp type", "keys", "feature"],
)
def test_what_does_not_fit_is_refused_by_name(spark, store, lookup, schema, named):
    with pytest.raises(DataError, match=named):
        store.training_set(spark.createDataFrame([], schema), [lookup])


def test_a_table_not_written_by_the_store_is_refused(spark, store):
    spark.range(1).write.format("delta").mode("overwrite").saveAsTable(TABLE + "_plain")
    with pytest.raises(DataError, match="no feature table"):
        store.training_set(spark.range(1), [Lookup(TABLE + "_plain", ("id",), "at")])
