"""Publishers at once, a full disk, a broken database: readers go on, and it is told."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from unittest import mock

import pytest
from online_rows import ROWS, at, row

from nextbest.errors import PlatformError
from nextbest.platforms import Published
from nextbest.platforms.local import online_database, online_store
from nextbest.platforms.local.online_reader import OnlineTable

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("online_store")]


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
