"""Local monitors on real Delta tables: what is written, again and again, and what is refused."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pytest

from nextbest.errors import DataError
from nextbest.monitoring.schemas import drift_schema, profile_schema
from nextbest.platforms import Monitor
from nextbest.platforms.own_monitors import OwnMonitors

pytestmark = pytest.mark.integration
SCHEMA = "juan_dev.ml_nba_demo_dev"
DAY = dt.date(2026, 3, 5)


def _rows(rows, days, seed, model="3"):
    random = np.random.default_rng(seed)
    at = pd.to_datetime([f"2026-03-{day:02d} 09:00" for day in random.choice(days, rows)])
    return pd.DataFrame(
        {
            "score": random.normal(size=rows),
            "segment": random.choice(list("abc"), rows),
            "consent": random.random(rows) < 0.5,
            "decided_at": at,
            "model_version": model,
        }
    )


@pytest.fixture(scope="module")
def watched(spark):
    def write(rows, name):
        frame = spark.createDataFrame(rows)
        frame.write.format("delta").mode("overwrite").saveAsTable(f"{SCHEMA}.{name}")

    write(_rows(600, [3, 4, 5], 1), "watch_recommendations")
    write(pd.concat([_rows(900, [1, 2], 2), _rows(50, [1], 3, "1")]), "watch_baseline")
    return Monitor(
        f"{SCHEMA}.watch_recommendations", f"{SCHEMA}.watch_baseline", "decided_at", "1 day",
        "model_version", "score", ("score", "segment", "consent"),
    )  # fmt: skip


def test_a_slice_that_no_column_tells_is_named(spark, watched):
    wrong = dataclasses.replace(watched, slices=("segmnt",))
    with pytest.raises(DataError, match="slices segmnt can't be told of columns .*segment"):
        OwnMonitors(spark).refresh(wrong, DAY)


def test_a_rerun_changes_no_row_and_a_further_day_adds_its_own(spark, watched):
    monitors = OwnMonitors(spark)
    names = monitors.tables(watched)
    assert names.profile == f"{SCHEMA}.watch_profile_metrics"
    assert names.drift == f"{SCHEMA}.watch_drift_metrics"
    monitors.refresh(watched, DAY)
    # 3 columns and the table, for one model and all: INPUT and BASELINE, or both drift types.
    assert (spark.table(names.profile).count(), spark.table(names.drift).count()) == (16, 16)
    monitors.refresh(watched, DAY)
    assert (spark.table(names.profile).count(), spark.table(names.drift).count()) == (16, 16)
    for table, schema in (
        (names.profile, profile_schema("model_version")),
        (names.drift, drift_schema("model_version")),
    ):
        assert spark.table(table).columns == schema.names
    input_rows = spark.table(names.profile).where("log_type = 'INPUT' AND column_name = ':table'")
    today = spark.table(watched.table).where("date(decided_at) = '2026-03-05'").count()
    assert {row["count"] for row in input_rows.collect()} == {today}
    baseline = spark.table(names.profile).where("log_type = 'BASELINE' AND column_name = ':table'")
    assert {row["count"] for row in baseline.collect()} == {900}  # version 1 is not in use

    monitors.refresh(watched, dt.date(2026, 3, 4))
    assert (spark.table(names.profile).count(), spark.table(names.drift).count()) == (24, 32)


def test_an_empty_window_and_a_missing_baseline_are_refused_by_name(spark, watched):
    with pytest.raises(DataError, match="watch_recommendations.*2026-04-01"):
        OwnMonitors(spark).refresh(watched, dt.date(2026, 4, 1))
    spark.createDataFrame(_rows(20, [5], 4, "9")).write.format("delta").mode(
        "overwrite"
    ).saveAsTable(f"{SCHEMA}.unmatched")
    other = Monitor(
        f"{SCHEMA}.unmatched",
        watched.baseline,
        "decided_at",
        "1 day",
        "model_version",
        "score",
        ("score",),
    )
    with pytest.raises(DataError, match="watch_baseline has no row of model_version 9.*2026-03-05"):
        OwnMonitors(spark).refresh(other, DAY)
    assert OwnMonitors(spark).tables(other).drift == f"{SCHEMA}.unmatched_drift_metrics"


@pytest.mark.parametrize("granularity", ["soon", "0 days", "3 fortnights"])
def test_a_granularity_that_is_none_is_refused(spark, watched, granularity):
    monitor = Monitor(
        watched.table,
        watched.baseline,
        "decided_at",
        granularity,
        "model_version",
        "score",
        ("score",),
    )
    with pytest.raises(DataError, match=granularity):
        OwnMonitors(spark).refresh(monitor, DAY)
