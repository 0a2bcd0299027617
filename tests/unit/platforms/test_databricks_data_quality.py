"""Monitors by the newer API of data profiling, by the real SDK against the recording workspace."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest
from workspace import data_quality, unity_catalog
from workspace.acts import MONITOR, refresh, refresh_newly, tables_are_there
from workspace.faults import Fault

from nextbest.errors import PlatformError
from nextbest.platforms.databricks import monitors
from nextbest.platforms.databricks.monitors import DatabricksMonitors

pytestmark = pytest.mark.integration

NUMBER = unity_catalog.number_of(MONITOR.table)
MADE = [("POST", data_quality.MONITORS), ("POST", data_quality.REFRESHES)]
UPDATED = [("PATCH", data_quality.MONITOR), ("POST", data_quality.REFRESHES)]


@pytest.fixture
def newer(space):
    """A workspace with the tables that the newer API asks the ids of."""
    tables_are_there(space)
    return space


def written(space, since=0):
    return [(each.method, each.endpoint) for each in space.writes()[since:]]


def test_slices_are_declared_by_either_api(space):
    tables_are_there(space)
    sliced = dataclasses.replace(MONITOR, slices=("channel", "segment"))
    DatabricksMonitors(space.client(), "quality_monitors").make_first(sliced)
    DatabricksMonitors(space.client(), "data_quality").make_first(sliced)
    for kept in (space.kept["monitors"][MONITOR.table], space.kept["data quality"][NUMBER]):
        assert kept["slicing_exprs"] == ["channel", "segment"]


def test_by_the_newer_api_the_first_refresh_creates_the_monitor_and_waits(newer, capsys):
    refresh_newly(newer)
    kept = newer.kept["data quality"][NUMBER]
    assert {name: kept[name] for name in ("output_schema_id", "baseline_table_name",
                                          "assets_dir", "status")} == {
        "output_schema_id": unity_catalog.number_of("prod.nba"),
        "baseline_table_name": "prod.nba.training_baseline",
        "assets_dir": "/Workspace/Users/me@example.com/monitors",
        "status": "DATA_PROFILING_STATUS_ACTIVE",
    }  # fmt: skip
    assert kept["inference_log"] == {
        "problem_type": "INFERENCE_PROBLEM_TYPE_REGRESSION", "timestamp_column": "decided_at",
        "granularities": ["AGGREGATION_GRANULARITY_1_DAY"], "prediction_column": "value",
        "model_id_column": "model_version",
    }  # fmt: skip
    assert newer.kept["refreshes"]["1"]["state"] == "MONITOR_REFRESH_STATE_SUCCESS"
    assert written(newer) == MADE
    told = capsys.readouterr().err
    assert "monitor of prod.nba.recommendations: DATA_PROFILING_STATUS_PENDING\n" in told
    assert "refresh 1: RUNNING\n" in told


def test_both_apis_are_told_of_labels(space, newer):
    labelled = dataclasses.replace(MONITOR, label="came", problem="classification")
    refresh(space, labelled)
    refresh_newly(newer, labelled)
    log = space.kept["monitors"][MONITOR.table]["inference_log"]
    assert (log["label_col"], log["problem_type"]) == ("came", "PROBLEM_TYPE_CLASSIFICATION")
    log = newer.kept["data quality"][NUMBER]["inference_log"]
    assert (log["label_column"], log["problem_type"]) == (
        "came", "INFERENCE_PROBLEM_TYPE_CLASSIFICATION"
    )  # fmt: skip


def test_by_the_newer_api_the_second_updates_what_is_declared_and_leaves_the_rest(newer):
    refresh_newly(newer)
    kept = newer.kept["data quality"][NUMBER]
    kept.update(dashboard_id="d1", slicing_exprs=["somebody's"], baseline_table_name="other")
    before = len(newer.writes())
    refresh_newly(newer)
    assert written(newer, before) == UPDATED
    assert (kept["dashboard_id"], kept.get("slicing_exprs")) == ("d1", None)
    assert kept["baseline_table_name"] == "prod.nba.training_baseline"


def test_by_the_newer_api_a_monitor_that_another_made_in_between_is_updated(newer):
    refresh_newly(newer)
    before = len(newer.writes())
    newer.faults.append(Fault(404, "GET", data_quality.MONITOR))  # it was not there yet
    refresh_newly(newer)
    assert written(newer, before) == UPDATED


def test_by_the_newer_api_a_refresh_that_fails_is_told(newer):
    newer.kept["ends of refreshes"][1] = {
        "state": "MONITOR_REFRESH_STATE_FAILED", "message": "no column decided_at",
    }  # fmt: skip
    with pytest.raises(PlatformError, match="refresh 1 is FAILED .no column decided_at"):
        refresh_newly(newer)


def test_a_monitor_that_does_not_come_up_is_told(newer):
    newer.kept["ends of monitors"]["next"] = "DATA_PROFILING_STATUS_ERROR"
    with pytest.raises(PlatformError, match="STATUS_ERROR .no message.: delete it in the table's"):
        refresh_newly(newer)
    assert newer.kept["refreshes"] == {}


def test_a_refresh_that_takes_too_long_is_no_success(newer, monkeypatch):
    newer.kept["ends of refreshes"][1] = {"state": "MONITOR_REFRESH_STATE_RUNNING"}
    monkeypatch.setattr(monitors, "PATIENCE_SECONDS", 0.2)
    with pytest.raises(PlatformError, match="refresh 1 is RUNNING"):
        refresh_newly(newer)


@pytest.mark.parametrize("call", [*MADE, UPDATED[0]], ids=str)
def test_by_the_newer_api_a_missing_right_is_named(newer, call):
    if call == UPDATED[0]:
        refresh_newly(newer)
    newer.faults.append(Fault(403, *call, times=9))
    with pytest.raises(PlatformError, match="not allowed.*it needs MANAGE.* on prod.nba.recomm"):
        refresh_newly(newer)


def test_an_sdk_that_is_too_old_for_the_newer_api_is_told():
    with pytest.raises(PlatformError, match="set profiling=quality_monitors"):
        DatabricksMonitors(SimpleNamespace(), "data_quality")
