"""One suite for the monitors port: our own adapter and both APIs of Databricks, on real tables.

Databricks' talks by the real SDK to the recorder, behind which our own code writes what data
profiling would, as it was declared.
"""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack, closing

import numpy as np
import pandas as pd
import pytest
from deltalake import DeltaTable

from nextbest.monitoring.schemas import drift_schema, profile_schema
from nextbest.platforms import Monitor

pytestmark = pytest.mark.integration

SCHEMA = "juan_dev.ml_nba_demo_dev"
DAY = dt.date(2026, 3, 5)


def rows(count, days, seed, shift=0.0):
    random = np.random.default_rng(seed)
    at = [f"2026-03-{day:02d} 09:00" for day in random.choice(days, count)]
    return pd.DataFrame({
        "expected_value": random.normal(shift, size=count),
        "channel": random.choice(["sms", "call"], count),
        "decided_at": pd.to_datetime(at),
        "model_version": "3",
    })  # fmt: skip


@pytest.fixture(scope="module", params=["own", "quality_monitors", "data_quality"])
def watched(request, spark, spark_home):
    """The adapter, what it watches, and how to read one of its metric tables."""
    with ExitStack() as stack:
        yield made(request, spark, spark_home, stack)


def made(request, spark, spark_home, stack):
    name = f"port_{request.param}_recommendations"
    table, baseline = f"{SCHEMA}.{name}", f"{SCHEMA}.port_{request.param}_baseline"
    for place, frame in ((table, rows(600, [3, 4, 5], 1, 1.0)), (baseline, rows(900, [1, 2], 2))):
        spark.createDataFrame(frame).write.format("delta").mode("overwrite").saveAsTable(place)
    if request.param == "own":
        from nextbest.platforms.own_monitors import OwnMonitors

        adapter = OwnMonitors(spark)
    else:
        from workspace.behind import profile_by
        from workspace.server import Workspace

        from nextbest.platforms.databricks import monitors

        space = stack.enter_context(closing(Workspace()))
        space.hooks["profile"] = profile_by(spark, spark_home)
        stack.enter_context(pytest.MonkeyPatch.context()).setattr(monitors, "POLL_SECONDS", 0)
        space.kept["schemas"][SCHEMA] = "me"
        space.kept["tables"].update({table: 1, baseline: 1})
        adapter = monitors.DatabricksMonitors(space.client(), request.param)
    monitor = Monitor(
        table, baseline, "decided_at", "1 day", "model_version", "expected_value",
        ("expected_value", "channel"),
    )  # fmt: skip

    def metrics(kind):
        place = getattr(adapter.tables(monitor), kind).split(".")
        return DeltaTable(str(spark_home.joinpath(*place))).to_pyarrow_table().to_pandas()

    return adapter, monitor, metrics


def test_both_tables_have_the_documented_columns(watched):
    adapter, monitor, metrics = watched
    adapter.refresh(monitor, DAY)
    assert list(metrics("profile").columns) == profile_schema("model_version").names
    assert list(metrics("drift").columns) == drift_schema("model_version").names


def test_again_for_the_same_day_adds_no_row(watched):
    adapter, monitor, metrics = watched
    adapter.refresh(monitor, DAY)
    before = len(metrics("profile")), len(metrics("drift"))
    adapter.refresh(monitor, DAY)
    assert (len(metrics("profile")), len(metrics("drift"))) == before


def test_a_column_that_moved_is_told_from_one_that_did_not_by_model_version(watched):
    adapter, monitor, metrics = watched
    adapter.refresh(monitor, DAY)
    drift = metrics("drift")
    drift = drift[drift["drift_type"] == "BASELINE"].set_index(["model_version", "column_name"])
    for version in ("3", "*"):
        assert drift.loc[(version, "expected_value"), "population_stability_index"] > 0.5
        assert drift.loc[(version, "channel"), "js_distance"] < 0.1
