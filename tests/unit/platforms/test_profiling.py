"""Our own profiling over days: late rows, kinds of tables, windows of all lengths, a kill."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pandas as pd
import pytest
from monitored_tables import DAY, SCHEMA, make, read, rows, whole

from nextbest import tables
from nextbest.errors import DataError
from nextbest.monitoring.schemas import drift_schema, profile_schema

pytestmark = pytest.mark.integration


def append(spark, monitor, frame):
    spark.createDataFrame(frame).write.format("delta").mode("append").saveAsTable(monitor.table)


@pytest.mark.slow
def test_rows_that_came_late_change_their_window_and_what_is_compared_with_it(spark):
    first, late = rows(500, [3, 4, 5], 1), rows(90, [3], 2, shift=5.0)
    monitors, monitor = make(spark, "late", first, rows(900, [1], 3))
    names = monitors.tables(monitor)
    for day in (3, 4, 5):
        monitors.refresh(monitor, dt.date(2026, 3, day))
    before = read(spark, names.profile)
    append(spark, monitor, late)
    monitors.refresh(monitor, DAY)
    after = read(spark, names.profile)
    # The same as if all rows had been there on the first day.
    both = pd.concat([first, late], ignore_index=True)
    others, other = make(spark, "prompt", both, rows(900, [1], 3))
    for day in (3, 4, 5):
        others.refresh(other, dt.date(2026, 3, day))
    assert len(after) == len(before)
    assert after != before
    assert same(after, read(spark, others.tables(other).profile))
    order = ("window", "column_name", "drift_type", "version")
    assert same(
        read(spark, names.drift, order=order),
        read(spark, others.tables(other).drift, order=order),
    )


def same(ours, theirs):
    return [flat(row) for row in ours] == [pytest.approx(flat(row), nan_ok=True) for row in theirs]


def flat(row, prefix=""):
    """One level of names to values, so that pytest.approx can compare them."""
    found = {}
    for key, value in row.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            found |= flat(dict(enumerate(value)), f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = str(value) if isinstance(value, dt.datetime) else value
    return found


def test_a_day_that_did_not_change_is_not_read_again(spark, monkeypatch):
    monitors, monitor = make(spark, "once", rows(400, [3, 4, 5, 6], 1), rows(300, [1], 2))
    monitors.refresh(monitor, dt.date(2026, 3, 4))
    # Were a stored day read again, it would be seen to hold other values.
    altered = rows(400, [3, 4, 5, 6], 1).assign(score=7.0)
    spark.createDataFrame(altered).write.format("delta").mode("overwrite").saveAsTable(
        monitor.table
    )
    monitors.refresh(monitor, DAY)
    names = monitors.tables(monitor)
    (row,) = read(spark, names.drift, whole("score") + "drift_type = 'CONSECUTIVE' AND "
                  "window.start = timestamp '2026-03-05 00:00:00'")  # fmt: skip
    assert row["ks_test"]["statistic"] == 1.0


def test_a_day_that_another_version_decides_again_is_counted_once(spark):
    base = pd.concat([rows(300, [1], 3).assign(version=each) for each in "34"])
    day3, day4 = rows(100, [3], 1), rows(100, [4], 2)
    monitors, monitor = make(spark, "again", day3, base)
    monitors.refresh(monitor, dt.date(2026, 3, 3))
    make(spark, "again", pd.concat([day3.assign(version="4"), day4]))
    monitors.refresh(monitor, dt.date(2026, 3, 4))
    names = monitors.tables(monitor)
    (row,) = read(spark, names.drift, whole(":table") + "drift_type = 'CONSECUTIVE'")
    assert row["count_delta"] == 0


@pytest.mark.slow
def test_a_day_that_was_made_up_for_is_compared_with_by_the_next(spark):
    days = [rows(100, [day], day) for day in (3, 4, 5)]
    monitors, monitor = make(spark, "missed", pd.concat([days[0], days[2]]), rows(300, [1], 3))
    monitors.refresh(monitor, dt.date(2026, 3, 3))
    monitors.refresh(monitor, DAY)
    append(spark, monitor, days[1])
    monitors.refresh(monitor, dt.date(2026, 3, 4))
    found = read(spark, monitors.tables(monitor).drift,
                 whole("score") + "drift_type = 'CONSECUTIVE'")  # fmt: skip
    assert [row["window"]["start"].day for row in found] == [4, 5]


@pytest.mark.slow
def test_a_torn_day_is_folded_anew_with_what_came_late(spark):
    monitors, monitor = make(spark, "torn", rows(100, [3], 1), rows(300, [1], 3))
    names = monitors.tables(monitor)
    monitors.refresh(monitor, dt.date(2026, 3, 3))
    for day in (4, 5, 6):
        append(spark, monitor, rows(100, [day], day))
        monitors.refresh(monitor, dt.date(2026, 3, day))
    of_day = spark.table(names.sketches).where("batch = '2026-03-03'").toPandas()
    left = spark.createDataFrame(of_day.assign(version="old", model="2"),
                                 spark.table(names.sketches).schema)  # fmt: skip
    left.write.format("delta").mode("append").saveAsTable(names.sketches)  # a writer was killed
    append(spark, monitor, rows(50, [3], 7))
    monitors.refresh(monitor, dt.date(2026, 3, 6))
    (row,) = read(spark, names.profile, whole(":table") + "log_type = 'INPUT' AND "
                  "window.start = timestamp '2026-03-03 00:00:00'")  # fmt: skip
    assert row["count"] == 150


def test_a_time_series_and_a_snapshot_have_the_documented_columns(spark):
    for name, changes in (
        ("series", {"model_id": None, "prediction": None}),
        ("still", {"model_id": None, "prediction": None, "timestamp": None, "granularity": None}),
    ):
        monitors, monitor = make(spark, name, rows(300, [4, 5], 1), rows(300, [1], 2), **changes)
        for day in (dt.date(2026, 3, 4), DAY):
            monitors.refresh(monitor, day)
        names = monitors.tables(monitor)
        for table, schema in ((names.profile, profile_schema()), (names.drift, drift_schema())):
            found = spark.table(table).schema
            assert [(f.name, f.dataType) for f in found] == [(f.name, f.dataType) for f in schema]
        kinds = {row["drift_type"] for row in read(spark, names.drift)}
        assert kinds == {"BASELINE", "CONSECUTIVE"}


@pytest.mark.parametrize(
    ("granularity", "windows"), [("5 minutes", 24), ("1 hour", 24), ("1 week", 1), ("1 month", 1)]
)
def test_windows_of_any_length(spark, granularity, windows):
    name = f"wide_{granularity.replace(' ', '_')}"
    frame = rows(900, [2, 3, 4, 5], 1)
    monitors, monitor = make(spark, name, frame, rows(300, [1], 2), granularity=granularity)
    monitors.refresh(monitor, DAY)
    found = read(spark, monitors.tables(monitor).profile, whole(":table") + "log_type = 'INPUT'")
    assert len(found) == windows
    first = 1 if granularity == "1 month" else 5  # weeks begin on Thursdays, as 1970 did
    assert sum(row["count"] for row in found) == (frame["at"].dt.day >= first).sum()


def test_another_set_of_columns_makes_the_days_anew(spark):
    monitors, monitor = make(spark, "wider", rows(300, [4, 5], 1), columns=("score",))
    monitors.refresh(monitor, DAY)
    monitors.refresh(dataclasses.replace(monitor, columns=("score", "channel")), DAY)
    drift = read(spark, monitors.tables(monitor).drift, whole("channel") + "true")
    assert [row["drift_type"] for row in drift] == ["CONSECUTIVE"]
    assert drift[0]["js_distance"] is not None


def test_a_kill_before_the_sketches_are_written_loses_nothing(spark, monkeypatch):
    from nextbest.platforms.sketch_table import SketchTable

    frame = rows(400, [4, 5], 1)
    monitors, monitor = make(spark, "killed", frame)
    for day in (4, 5):
        monitors.refresh(monitor, dt.date(2026, 3, day))
    append(spark, monitor, rows(50, [4], 9))
    with monkeypatch.context() as patched:
        patched.setattr(SketchTable, "replace", lambda *told: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            monitors.refresh(monitor, DAY)
    monitors.refresh(monitor, DAY)
    where = whole(":table") + "log_type = 'INPUT'"
    counts = [row["count"] for row in read(spark, monitors.tables(monitor).profile, where)]
    assert counts == [(frame["at"].dt.day == 4).sum() + 50, (frame["at"].dt.day == 5).sum()]


def test_rows_without_a_time_or_from_the_future_stay_out_of_the_day(spark):
    frame = rows(200, [4, 5], 1)
    future = rows(30, [5], 2).assign(at=pd.Timestamp("2031-01-01"))
    monitors, monitor = make(spark, "skewed", pd.concat([frame, future], ignore_index=True))
    monitors.refresh(monitor, DAY)
    where = whole(":table") + "log_type = 'INPUT'"
    (day,) = read(spark, monitors.tables(monitor).profile, where)
    assert day["count"] == (frame["at"].dt.day == 5).sum()


def test_a_type_that_changed_since_yesterday_is_measured_or_named(spark):
    monitors, monitor = make(spark, "typed", rows(200, [4, 5], 1), rows(200, [1], 2))
    monitors.refresh(monitor, DAY)
    texts = tables.read(spark, monitor.table).selectExpr(
        "CAST(score AS STRING) AS score", "channel", "at", "version"
    )
    texts.write.format("delta").mode("overwrite").option("overwriteSchema", "true").saveAsTable(
        f"{SCHEMA}.typed_now"
    )
    now = dataclasses.replace(monitor, table=f"{SCHEMA}.typed_now")
    with pytest.raises(DataError, match="differ in type: score is string, double"):
        monitors.refresh(now, DAY)
