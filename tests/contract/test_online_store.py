"""The online store, by the port: the local adapter for real, Databricks' by its calls."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from unittest import mock

import pytest

from nextbest import tables
from nextbest.errors import DataError, PlatformError
from nextbest.platforms import Published
from nextbest.platforms.local import online_database, online_store
from nextbest.platforms.local.online_reader import OnlineTable

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("online_store")]

SCHEMA = "juan_dev.ml_nba_demo_dev"
COLUMNS = "customer_id string, as_of timestamp, spend double, visits int"
UTC = dt.UTC


def at(day):
    return dt.datetime(2026, 1, day)


@pytest.fixture
def table(request):
    return f"{SCHEMA}.{request.node.name.split('[')[0]}"


@pytest.fixture
def write(spark, table):
    """Append rows to the test's table, or overwrite it."""

    def go(rows, columns=COLUMNS, mode="append"):
        frame = spark.createDataFrame(rows, columns)
        options = {"mergeSchema": "true"} if mode == "append" else {"overwriteSchema": "true"}
        frame.write.format("delta").mode(mode).options(**options).saveAsTable(table)

    return go


@pytest.fixture
def publish(spark, spark_home, table):
    def go():
        return online_store.publish(spark, spark_home, table, ["customer_id"], "as_of")

    return go


@pytest.fixture
def read(spark_home, table):
    opened = []

    def go(*names):
        if not opened:
            opened.append(OnlineTable(spark_home, table))
        return opened[0].read([{"customer_id": name} for name in names])

    yield go
    for each in opened:
        each.close()


ROWS = [("a", at(1), 1.0, 1), ("a", at(3), 3.0, None), ("b", at(2), float("nan"), 2)]


def row(name, day, spend, visits):
    return {
        "customer_id": name, "as_of": at(day).replace(tzinfo=UTC), "spend": spend, "visits": visits,
    }  # fmt: skip


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


def test_of_two_publishers_the_later_brings_the_newer_state(table, write, publish, read):
    """The second publishes between the first's start and its turn to write."""
    write([("a", at(1), 1.0, 1)])
    publish()
    write([("a", at(2), 2.0, 2)])
    connect, others = sqlite3.connect, []

    def connected(*given, **named):
        if not others:
            others.append(None)
            write([("a", at(3), 3.0, 3), ("b", at(3), 9.0, 9)])
            others.append(publish())
        return connect(*given, **named)

    with mock.patch.object(online_store.sqlite3, "connect", connected):
        assert publish() == Published(table, 0, 0)
    assert others[1] == Published(table, 2, 0)
    assert read("a", "b") == [row("a", 3, 3.0, 3), row("b", 3, 9.0, 9)]


def test_first_publishers_at_once_wait_for_each_other(spark_home, table, write, publish):
    """The other has the new database before it is in the mode in which readers go on."""
    write(ROWS)
    place = online_database.path(spark_home, table)
    place.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(place, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ends = mock.Mock(side_effect=lambda seconds: other.execute("COMMIT"))
        with mock.patch.object(online_store.time, "sleep", ends):
            assert publish().written == 2
    ends.assert_called_once()


def test_a_full_disk_is_told_and_what_was_online_stays(table, write, publish, read, monkeypatch):
    write(ROWS)
    publish()
    note = online_database.note

    def full(database, layout):
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        database.execute(f"PRAGMA max_page_count = {pages}")  # as on a disk that is full
        database.execute("CREATE TABLE more (a)")
        note(database, layout)

    monkeypatch.setattr(online_database, "note", full)
    write([("a", at(9), 9.0, 9)])
    with pytest.raises(PlatformError, match=rf"{table} was not published .*full.*What was online"):
        publish()
    assert read("a") == [row("a", 3, 3.0, None)]
    monkeypatch.undo()
    assert publish().written == 1
    assert read("a") == [row("a", 9, 9.0, 9)]


def test_a_publisher_that_waits_too_long_is_told(spark_home, table, write, publish, monkeypatch):
    write(ROWS)
    publish()
    monkeypatch.setattr(online_store, "PATIENCE_SECONDS", 0)
    with closing(sqlite3.connect(online_database.path(spark_home, table))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(PlatformError, match=r"locked.*wait for the other publisher"):
            publish()


def test_a_database_that_can_not_be_read_is_told(spark_home, table):
    place = online_database.path(spark_home, table)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("no database " * 500)
    with pytest.raises(PlatformError, match=f"{table} can't be read online .*publish"):
        OnlineTable(spark_home, table)


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


PUBLISHER = """
import sys
from pathlib import Path
from nextbest.platforms.local import online_store
from nextbest.platforms.local.session import open_session

home, table = Path(sys.argv[1]), sys.argv[2]
spark = open_session(home, ["juan_dev.ml_nba_demo_dev"])
print("ready", flush=True)
online_store.publish(spark, home, table, ["customer_id"], "as_of")
"""


def killed_publish(spark_home, table, log, wait):
    """Publish in another process and kill it when `wait(database)` is over."""
    with log.open("w") as stderr:
        child = subprocess.Popen(
            [sys.executable, "-c", PUBLISHER, str(spark_home), table],
            env={**os.environ, "TZ": "UTC"},
            stdout=subprocess.PIPE,
            stderr=stderr,
        )
        assert child.stdout.readline() == b"ready\n", log.read_text()[-3000:]
        wait(online_database.path(spark_home, table), child)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()


def versions(spark, spark_home, table, keys):
    """For each key the set of values its columns have: one value, or it was torn."""
    online = OnlineTable(spark_home, table)
    rows = online.read([{"customer_id": f"c{number}"} for number in range(keys)])
    online.close()
    return [{row[f"f{column}"] for column in range(20)} for row in rows]


def fill(spark, table, keys, value):
    columns = ", ".join(f"{value}.0D AS f{column}" for column in range(20))
    frame = spark.sql(
        f"SELECT concat('c', id) AS customer_id, TIMESTAMP '2026-01-0{value}' AS as_of, {columns} "
        f"FROM range({keys})"
    )
    frame.write.format("delta").mode("append").saveAsTable(table)


def half_written(database, child):
    """Until pages of the transaction reach the disk: then it is under way, and not committed."""
    log = database.with_name(f"{database.name}-wal")
    limit = time.monotonic() + 60
    while child.poll() is None and time.monotonic() < limit:
        if log.exists() and log.stat().st_size > 1_000_000:
            return
        time.sleep(0.001)
    raise AssertionError("the publish ended, or never began")


@pytest.mark.slow
def test_a_publisher_killed_while_it_writes_leaves_the_old_values(
    spark, spark_home, table, publish, tmp_path
):
    keys = 40_000
    fill(spark, table, keys, 1)
    publish()
    fill(spark, table, keys, 2)
    killed_publish(spark_home, table, tmp_path / "log.txt", half_written)
    assert versions(spark, spark_home, table, keys) == [{1.0}] * keys
    assert publish() == Published(table, keys, 0)
    assert versions(spark, spark_home, table, keys) == [{2.0}] * keys


@pytest.mark.slow
def test_a_publisher_killed_at_any_time_leaves_old_or_new(
    spark, spark_home, table, publish, tmp_path
):
    import random

    keys = 40_000
    fill(spark, table, keys, 1)
    publish()
    begun = time.monotonic()
    fill(spark, table, keys, 2)
    publish()
    usual = time.monotonic() - begun
    draw = random.Random(5)
    for value in range(3, 9):
        fill(spark, table, keys, value)
        wait = draw.uniform(0, 2 * usual)
        killed_publish(
            spark_home, table, tmp_path / "log.txt", lambda *_, wait=wait: time.sleep(wait)
        )
        found = versions(spark, spark_home, table, keys)
        assert found in ([{value - 1.0}] * keys, [{float(value)}] * keys)
        publish()
        assert versions(spark, spark_home, table, keys) == [{float(value)}] * keys


@pytest.mark.slow
def test_a_first_publish_that_was_killed_is_told_and_done_again(
    spark, spark_home, table, publish, tmp_path
):
    fill(spark, table, 40_000, 1)
    killed_publish(spark_home, table, tmp_path / "log.txt", half_written)
    with pytest.raises(DataError, match="publish it first"):
        OnlineTable(spark_home, table)
    assert publish().written == 40_000


def test_a_reader_sees_one_publish_whatever_is_written_between_its_keys(
    spark_home, table, write, publish
):
    write([("a", at(1), 1.0, 1), ("b", at(1), 1.0, 1)])
    publish()
    write([("a", at(2), 2.0, 2), ("b", at(2), 2.0, 2)])
    online, asked = OnlineTable(spark_home, table), []

    def between(statement):
        if "FROM features" in statement:
            asked.append(statement)
            if len(asked) == 2:
                assert publish().written == 2

    online._database.set_trace_callback(between)
    both = [{"customer_id": "a"}, {"customer_id": "b"}]
    assert [row["spend"] for row in online.read(both)] == [1.0, 1.0]
    assert [row["spend"] for row in online.read(both)] == [2.0, 2.0]
    online.close()


# --- the Databricks adapter: calls by name, type and order -----------------------------------


@pytest.fixture
def client(monkeypatch):
    import databricks.feature_engineering as package

    made = mock.create_autospec(package.FeatureEngineeringClient, instance=True)
    monkeypatch.setattr(package, "FeatureEngineeringClient", lambda: made)
    return made


@pytest.fixture
def pipelines():
    """Databricks' pipelines, whose newest update ends at the second look."""
    from databricks.sdk.service import pipelines as sdk

    def updates(*states):
        return [
            sdk.GetPipelineResponse(
                latest_updates=[
                    sdk.UpdateStateInfo(state=sdk.UpdateStateInfoState(state), update_id="1")
                ]
            )
            for state in states
        ]

    made = mock.create_autospec(sdk.PipelinesAPI, instance=True)
    made.updates = updates
    made.get.side_effect = updates("RUNNING", "COMPLETED")
    return made


@pytest.fixture
def on_databricks(client, pipelines):
    from databricks.ml_features.entities.published_table import PublishedTable

    from nextbest.platforms.databricks import online_store
    from nextbest.platforms.databricks.feature_store import DatabricksFeatureStore

    client.publish_table.return_value = PublishedTable("prod.nba.features_online", "p-1")
    with mock.patch.object(online_store, "POLL_SECONDS", 0):
        yield DatabricksFeatureStore(mock.Mock(), mock.Mock(pipelines=pipelines))


def online(state):
    from databricks.feature_engineering import DatabricksOnlineStore

    return DatabricksOnlineStore("prod-nba", "CU_1", state=DatabricksOnlineStore.State(state))


def test_databricks_publishes_what_changed_into_a_store_that_is_there(on_databricks, client):
    client.get_online_store.return_value = online("AVAILABLE")
    assert on_databricks.publish("prod.nba.features") == Published("prod.nba.features_online")
    (statement,) = on_databricks._spark.sql.call_args.args
    assert "`prod`.`nba`.`features` SET TBLPROPERTIES (delta.enableChangeDataFeed = true)" in (
        statement
    )
    assert client.method_calls == [
        mock.call.get_online_store(name="prod-nba"),
        mock.call.publish_table(
            online_store=online("AVAILABLE"), source_table_name="prod.nba.features",
            online_table_name="prod.nba.features_online", publish_mode="TRIGGERED",
        ),
    ]  # fmt: skip


def test_databricks_creates_the_store_and_waits_for_it(on_databricks, client):
    client.get_online_store.side_effect = [None, online("STARTING"), online("AVAILABLE")]
    client.create_online_store.return_value = online("STARTING")
    on_databricks.publish("prod.nba.features")
    assert [call[0] for call in client.method_calls] == [
        "get_online_store", "create_online_store", "get_online_store", "get_online_store",
        "publish_table",
    ]  # fmt: skip
    client.create_online_store.assert_called_once_with(name="prod-nba", capacity="CU_1")


def test_databricks_tells_a_store_that_does_not_come_up(on_databricks, client, monkeypatch):
    from nextbest.platforms.databricks import online_store

    monkeypatch.setattr(online_store, "PATIENCE_SECONDS", 0)
    client.get_online_store.return_value = online("STARTING")
    with pytest.raises(PlatformError, match="prod-nba is STARTING"):
        on_databricks.publish("prod.nba.features")
    client.publish_table.assert_not_called()


@pytest.mark.parametrize("state", ["STOPPED", "DELETING"])
def test_databricks_waits_for_no_store_that_can_not_come_up(on_databricks, client, state):
    client.get_online_store.side_effect = [online(state)]
    with pytest.raises(PlatformError, match=f"prod-nba is {state}.*start it"):
        on_databricks.publish("prod.nba.features")


def test_databricks_waits_until_the_rows_have_arrived(on_databricks, client, pipelines):
    client.get_online_store.return_value = online("AVAILABLE")
    on_databricks.publish("prod.nba.features")
    assert pipelines.get.mock_calls == [mock.call("p-1")] * 2
    pipelines.get.side_effect = pipelines.updates("RUNNING", "FAILED")
    with pytest.raises(PlatformError, match="features was not published: pipeline p-1 is FAILED"):
        on_databricks.publish("prod.nba.features")


def test_the_name_of_a_store_ends_in_a_letter_or_digit():
    from nextbest.platforms.databricks.online_store import store_name

    assert store_name("_Prod.nba_1.features") == "prod-nba-1"
    assert store_name(f"{'c' * 62}.nba.features") == "c" * 62
