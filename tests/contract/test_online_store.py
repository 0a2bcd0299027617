"""The online store, by the port: the local adapter for real."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing

import pytest
from online_rows import COLUMNS, ROWS, at, row

from nextbest import tables
from nextbest.errors import DataError
from nextbest.platforms import Published
from nextbest.platforms.local import online_database, online_store
from nextbest.platforms.local.online_reader import OnlineTable

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("online_store")]


def test_the_latest_row_of_each_key_is_read_whole(table, write, publish, read):
    write(ROWS)
    assert publish() == Published(table, 2, 0)
    found = read("a", "nobody", "b", None)
    assert found[0] == row("a", 3, 3.0, None)  # a stored null stays
    assert found[1] is found[3] is None
    assert str(found[2]["spend"]) == "nan"  # and no NaN becomes null


def test_a_publish_touches_only_changed_keys(spark_home, table, write, publish, read):
    write([*ROWS, ("c", at(1), 4.0, 4), ("d", at(5), 5.0, 5)])
    publish()
    # What nobody else would write marks the rows: who is touched loses the mark.
    with sqlite3.connect(online_database.path(spark_home, table)) as database:
        database.execute("UPDATE features SET c2 = -1.0")
    write([("a", at(9), 9.0, 9), ("d", at(4), 4.5, 4), ("e", at(1), 6.0, 6)])
    assert publish() == Published(table, 2, 0)  # d's new row is older than the one online
    assert [found["spend"] for found in read("a", "b", "c", "d", "e")] == [9.0, -1, -1, -1, 6.0]
    assert publish() == Published(table, 0, 0)


def test_a_corrected_row_and_a_deleted_key_are_followed(spark, table, write, publish, read):
    write(ROWS)
    publish()
    spark.sql(f"UPDATE {table} SET spend = 7.5 WHERE customer_id = 'b'").collect()
    spark.sql(f"DELETE FROM {table} WHERE as_of = TIMESTAMP '2026-01-03'").collect()
    assert publish() == Published(table, 2, 0)
    assert read("a", "b") == [row("a", 1, 1.0, 1), row("b", 2, 7.5, 2)]
    spark.sql(f"DELETE FROM {table} WHERE customer_id = 'b'").collect()
    assert publish() == Published(table, 0, 1)
    assert read("b") == [None]


def test_a_new_column_publishes_all_anew_under_an_open_reader(write, publish, read):
    write(ROWS)
    publish()
    assert read("b")[0].keys() == {"customer_id", "as_of", "spend", "visits"}
    write([("b", at(8), 8.0, 8, "gold")], COLUMNS + ", tier string")
    assert publish().written == 2
    assert read("b") == [row("b", 8, 8.0, 8) | {"tier": "gold"}]
    assert read("a") == [row("a", 3, 3.0, None) | {"tier": None}]


def test_an_overwritten_table_is_followed(table, write, publish, read):
    write(ROWS)
    publish()
    write([("z", at(1), 1.0, 1), ("y", at(1), 2.0, 1), ROWS[2]], mode="overwrite")
    assert publish() == Published(table, 2, 1)
    assert read("a", "z") == [None, row("z", 1, 1.0, 1)]


def test_a_table_made_anew_is_published_anew(spark, spark_home, table, write, publish, read):
    write(ROWS)
    publish()
    spark.sql(f"DROP TABLE {table}").collect()
    shutil.rmtree(spark_home.joinpath(*table.split(".")), ignore_errors=True)
    write([("z", at(1), 1.0, 1), ROWS[2]])  # version 0 again, of another table
    assert publish().written == 2
    assert read("a", "z") == [None, row("z", 1, 1.0, 1)]


def test_a_table_restored_from_a_copy_is_published_anew(
    spark, spark_home, table, write, publish, read
):
    write([("a", at(1), 1.0, 1), ("b", at(1), 1.0, 1)])
    folder, copy = spark_home.joinpath(*table.split(".")), spark_home / "copy"
    shutil.copytree(folder, copy)
    write([("a", at(2), 666.0, 1)])
    publish()
    shutil.rmtree(folder)
    copy.rename(folder)
    spark.sql(f"DROP TABLE {table}").collect()
    spark.sql(f"CREATE TABLE {table} USING delta LOCATION '{folder}'").collect()
    write([("b", at(2), 2.0, 2)])  # version 1 again, by another commit
    assert publish() == Published(table, 2, 0)
    assert read("a", "b") == [row("a", 1, 1.0, 1), row("b", 2, 2.0, 2)]


def test_a_database_of_an_older_version_is_read_and_published_anew(
    spark_home, table, write, publish, read
):
    write(ROWS)
    publish()
    with closing(sqlite3.connect(online_database.path(spark_home, table))) as database, database:
        (told,) = database.execute("SELECT told FROM layout").fetchone()
        old = {**json.loads(told), "seconds_to_live": None}
        del old["commit"]
        database.execute("UPDATE layout SET told = ?", [json.dumps(old)])
    assert read("a") == [row("a", 3, 3.0, None)]
    assert publish().written == 2


def test_a_key_that_is_nan_is_found(spark, spark_home, table):
    nan = float("nan")
    tables.merge(spark.createDataFrame([(nan, 1), (1.0, 2)], "k double, x int"), table, ["k"])
    online_store.publish(spark, spark_home, table, ["k"], None)
    online = OnlineTable(spark_home, table)
    found = online.read([{"k": nan}, {"k": 1.0}, {"k": 2.0}])
    online.close()
    assert [row and row["x"] for row in found] == [1, 2, None]


def test_a_vacuumed_version_is_no_hindrance(spark_home, table, write, publish, read):
    from deltalake import DeltaTable

    write(ROWS)
    publish()
    write([("b", at(7), 7.0, 7)])
    folder = spark_home.joinpath(*table.split("."))
    DeltaTable(str(folder)).optimize.compact()
    DeltaTable(str(folder)).vacuum(
        retention_hours=0, dry_run=False, enforce_retention_duration=False
    )
    assert publish().written == 2
    assert read("b") == [row("b", 7, 7.0, 7)]


def test_a_checkpoint_is_no_hindrance(spark_home, table, write, publish, read):
    write([("c0", at(1), 1.0, 0)])
    told = []
    for number in range(1, 25):  # the log has a checkpoint at every tenth version
        write([(f"c{number}", at(1), 1.0, number, "gold")], COLUMNS + ", tier string")
        if number in (4, 10, 14, 24):
            told.append(publish().written)
    assert told == [5, 6, 4, 10]
    log = spark_home.joinpath(*table.split("."), "_delta_log")
    assert len(list(log.glob("*.checkpoint.parquet"))) == 2
    assert [(found["visits"], found["tier"]) for found in read("c0", "c24")] == [
        (0, None),
        (24, "gold"),
    ]


def test_a_table_that_was_empty_is_followed(spark, table, write, publish, read):
    write(ROWS)
    spark.sql(f"DELETE FROM {table}").collect()
    assert publish() == Published(table, 0, 0)
    write(ROWS)
    assert publish() == Published(table, 2, 0)
    assert read("a") == [row("a", 3, 3.0, None)]


def test_a_table_without_a_timestamp_goes_online_as_it_is(spark, spark_home, table, write):
    write([("a", 1, 2.0), ("a", 2, 3.0)], "customer_id string, place int, spend double")
    keys = ["customer_id", "place"]
    assert online_store.publish(spark, spark_home, table, keys, None).written == 2
    online = OnlineTable(spark_home, table)
    assert online.keys == ("customer_id", "place")
    assert online.read([{"place": 2, "customer_id": "a"}])[0]["spend"] == 3.0
    with pytest.raises(DataError, match="read by customer_id, place, not by customer_id"):
        online.read([{"customer_id": "a"}])
    with pytest.raises(DataError, match="place is int, not str"):
        online.read([{"customer_id": "a", "place": "2"}])
    online.close()


def test_what_can_not_be_published_is_told_at_once(spark, spark_home, table, write):
    write([(None, 1, {"a": 1})], "customer_id string, place int, counts map<string,int>")
    with pytest.raises(DataError) as told:
        online_store.publish(spark, spark_home, table, ["customer_id"], None)
    for part in ("counts is map<string,int>", "1 rows have no customer_id"):
        assert part in str(told.value)
    with pytest.raises(DataError, match="publish it first"):
        OnlineTable(spark_home, table)
