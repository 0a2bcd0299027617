"""Writes that can be repeated."""

from __future__ import annotations

import uuid

import pytest

from nextbest import tables
from nextbest.errors import DataError

pytestmark = pytest.mark.integration


@pytest.fixture
def name():
    return f"juan_dev.ml_nba_demo_dev.t_{uuid.uuid4().hex}"


def rows(spark, table):
    return sorted(tuple(row) for row in spark.table(table).collect())


def test_merge_replaces_by_key_and_adds_the_rest(spark, name):
    tables.merge(spark.createDataFrame([(1, "a"), (2, "b")], "k int, v string"), name, ["k"])
    tables.merge(spark.createDataFrame([(2, "B"), (3, "C")], "k int, v string"), name, ["k"])
    assert rows(spark, name) == [(1, "a"), (2, "B"), (3, "C")]


def test_merge_again_changes_nothing_and_null_is_a_key(spark, name):
    frame = spark.createDataFrame([(1, None, 1.0), (1, "x", 2.0)], "k int, l string, v double")
    for _ in range(2):
        tables.merge(frame, name, ["k", "l"])
    assert spark.table(name).count() == 2


def test_merge_widens_the_table_by_new_columns(spark, name):
    tables.merge(spark.createDataFrame([(1, "a")], "k int, v string"), name, ["k"])
    tables.merge(spark.createDataFrame([(2, "b", 5)], "k int, v string, n int"), name, ["k"])
    assert rows(spark, name) == [(1, "a", None), (2, "b", 5)]


def test_nan_beside_a_single_value_stays_nan(spark, name):
    nan = float("nan")
    first = spark.createDataFrame([(1, 2.0), (2, nan)], "k int, v double")
    tables.merge(first, name, ["k"])
    assert repr(rows(spark, name)) == "[(1, 2.0), (2, nan)]"
    more = spark.createDataFrame([(3, 5.0, 7.0), (4, nan, nan)], "k int, v double, w double")
    tables.merge(more, name, ["k"])
    assert repr(rows(spark, name)) == (
        "[(1, 2.0, None), (2, nan, None), (3, 5.0, 7.0), (4, nan, nan)]"
    )


def test_a_key_may_be_called_count(spark, name):
    frame = spark.createDataFrame([(1, "a"), (2, "b")], "count int, v string")
    for _ in range(2):
        tables.merge(frame, name, ["count"])
    assert rows(spark, name) == [(1, "a"), (2, "b")]
    with pytest.raises(DataError, match="count=1"):
        tables.merge(frame.unionAll(frame.limit(1)), name, ["count"])


def test_two_rows_for_one_key_are_refused(spark, name):
    twice = spark.createDataFrame([(1, "a"), (1, "b")], "k int, v string")
    with pytest.raises(DataError, match="k=1"):
        tables.merge(twice, name, ["k"])
    assert not tables.exists(spark, name)
    tables.merge(twice.limit(1), name, ["k"])
    with pytest.raises(DataError, match="k=1"):
        tables.merge(twice, name, ["k"])
    assert spark.table(name).count() == 1


def test_a_source_that_is_not_the_same_twice_loses_and_doubles_nothing(spark, name, tmp_path):
    def moving(batches):
        with (tmp_path / "evaluations").open("a+") as log:
            log.seek(0)
            odd = len(log.read()) % 2 == 0
            log.write("x")
        for batch in batches:
            yield batch.assign(v=batch["k"] + float(odd))

    keys = spark.range(100).selectExpr("id AS k")
    keys.selectExpr("k", "double(k) AS v").write.saveAsTable(name)
    for _ in range(4):  # MERGE used to compute its source thrice, and believe each time
        tables.merge(keys.mapInPandas(moving, "k long, v double"), name, ["k"], unique=True)
        assert [k for k, _ in rows(spark, name)] == list(range(100))


def test_rows_of_many_columns_that_are_never_null(spark, name):
    wide = [f"double(id) AS x{number}" for number in range(40)]
    nested = "array(named_struct('a', string(id), 'b', array('x', null))) AS s"
    frame = spark.range(3).selectExpr("id AS k", nested, *wide)
    for _ in range(2):
        tables.merge(frame, name, ["k"])
    # Each column that is NOT NULL doubles the time of the embedded engine's MERGE.
    assert all(field.nullable for field in spark.table(name).schema)
    tables.merge(frame.withColumn("x39", frame["x39"] + 1), name, ["k"])
    assert [row["x39"] for row in spark.table(name).orderBy("k").collect()] == [1.0, 2.0, 3.0]


def test_a_missing_table_and_a_missing_key_are_named(spark, name):
    with pytest.raises(DataError, match=name):
        tables.read(spark, name)
    with pytest.raises(DataError, match="no key column z"):
        tables.merge(spark.range(1), name, ["z"])


@pytest.mark.parametrize(
    ("name", "quoted"), [("a.b.c", "`a`.`b`.`c`"), ("a", "`a`"), ("we`ird", "`we``ird`")]
)
def test_identifiers_are_quoted(name, quoted):
    assert tables.quote(name) == quoted
