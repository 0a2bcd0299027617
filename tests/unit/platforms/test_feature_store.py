"""The local point-in-time join: the semantics of Databricks' feature engineering client."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from nextbest.errors import DataError
from nextbest.platforms import FeatureFunction, Lookup, TrainingSpec

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
    joined = store.training_set(TrainingSpec(spark.createDataFrame(spine, schema), [lookup]))
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
        (LOOKUP, "customer_id string, decided_at string", "'decided_at' is string"),
        (
            Lookup(TABLE, ("customer_id", "day"), "decided_at"),
            "customer_id string, day string, decided_at timestamp",
            "keys are",
        ),
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
        store.training_set(TrainingSpec(spark.createDataFrame([], schema), [lookup]))


def test_a_table_not_written_by_the_store_is_refused(spark, store):
    spark.range(1).write.format("delta").mode("overwrite").saveAsTable(TABLE + "_plain")
    with pytest.raises(DataError, match="without declared keys; drop it, or choose another name"):
        store.write(TABLE + "_plain", spark.range(1), ["id"], None)
    with pytest.raises(DataError, match="no feature table"):
        store.training_set(TrainingSpec(spark.range(1), [Lookup(TABLE + "_plain", ("id",), "at")]))


def test_a_write_that_was_killed_before_its_table_was_made_can_be_repeated(
    spark, spark_home, store
):
    name = TABLE + "_killed"
    rows = spark.createDataFrame([("a", at(1), 1.0)], "id string, as_of timestamp, x double")
    spark_home.joinpath(*name.split(".")).mkdir(parents=True)
    store._declaration(name).write_text('{"keys": ["other"], "timestamp": null}')
    for _ in range(2):
        store.write(name, rows, ["id"], "as_of")
    assert [tuple(row) for row in store.read(name).collect()] == [("a", at(1), 1.0)]


def test_two_that_declare_at_once_write_one_after_the_other(store, monkeypatch):
    from nextbest.platforms.local import feature_store

    file, replace = store._declaration(TABLE + "_twice"), Path.replace

    def interrupted(draft, target):
        monkeypatch.setattr(Path, "replace", replace)
        feature_store._put(file, {"keys": ["other"]})
        return replace(draft, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    feature_store._put(file, {"keys": ["id"]})
    assert file.read_text() == '{"keys": ["id"]}'
    assert list(file.parent.iterdir()) == [file]


def test_a_table_is_declared_once(spark, store):
    before = store._declaration(TABLE).stat()
    store.write(TABLE, store.read(TABLE), ["customer_id"], "as_of")
    after = store._declaration(TABLE).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_table_that_is_gone_is_named(store):
    with pytest.raises(DataError, match=r"table c.s.gone does not exist .*write it anew"):
        store._table_id("c.s.gone")


def test_of_several_rows_of_one_time_the_greatest_is_taken_whole(spark, store):
    name = TABLE + "_ties"
    schema = "id string, as_of timestamp, x double, y string"
    store.write(name, spark.createDataFrame([("a", at(1), 1.0, "b")], schema), ["id"], "as_of")
    more = [("a", at(1), 2.0, None), ("a", at(1), 2.0, "a"), ("a", at(1), None, "z")]
    spark.createDataFrame(more, schema).write.format("delta").mode("append").saveAsTable(name)
    rows = looked_up(
        spark, store, [("a", at(1)), ("a", at(2))], Lookup(name, ("id",), "at"),
        "id string, at timestamp",
    )  # fmt: skip
    assert rows == [("a", at(1), 2.0, "a"), ("a", at(2), 2.0, "a")]


def test_rows_without_a_time_are_left_out_where_time_counts(spark, store):
    spine = [("a", None), ("a", at(1))]
    assert looked_up(spark, store, spine) == [("a", at(1), 1.0, "x")]
    exact = Lookup(TABLE, ("customer_id",), "decided_at", lookback=dt.timedelta(0))
    frame = spark.createDataFrame(spine, "customer_id string, decided_at timestamp")
    rows = sorted(map(tuple, store.training_set(TrainingSpec(frame, [exact])).collect()), key=repr)
    assert rows == [("a", None, None, None), ("a", at(1), 1.0, "x")]


def test_columns_may_have_any_name(spark, store):
    name = TABLE + "_names"
    schema = "`a b` string, as_of timestamp, `__from` double, `x``y` int"
    store.write(name, spark.createDataFrame([("k", at(1), 1.0, 2)], schema), ["a b"], "as_of")
    lookup = Lookup(name, ("__key0",), "__s", renames={"x`y": "__f"}, defaults={"__f": 3})
    rows = looked_up(
        spark, store, [("k", at(2)), ("l", at(2))], lookup, "`__key0` string, `__s` timestamp"
    )
    assert rows == [("k", at(2), 1.0, 2), ("l", at(2), None, 3)]


def test_a_dot_in_a_name_is_refused(spark, store):
    frame = spark.createDataFrame([("k", 1)], "id string, `a.b` int")
    with pytest.raises(DataError, match="'a.b' has a dot"):
        store.write(TABLE + "_dot", frame, ["id"], None)


def test_a_function_that_is_not_registered_is_named(spark, store):
    frame = spark.createDataFrame([(1,)], "a int")
    with pytest.raises(DataError, match="function c.s.absent does not exist"):
        store.training_set(TrainingSpec(frame, [], [FeatureFunction("c.s.Absent", {}, "b")]))
