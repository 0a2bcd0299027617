"""The Databricks adapters by the real SDK over HTTP, against the recording workspace."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest
from unit.test_touched import VALUES
from workspace import data_quality, pipelines, unity_catalog
from workspace import monitors as its_monitors
from workspace import serving as its_serving
from workspace.acts import (
    MONITOR,
    arrived,
    deploy,
    query,
    refresh,
    refresh_newly,
    tables_are_there,
)
from workspace.faults import Fault
from workspace.server import TOKEN, Workspace

from nextbest.errors import PlatformError
from nextbest.platforms.databricks import monitors, online_store, serving
from nextbest.platforms.databricks.monitors import DatabricksMonitors
from nextbest.platforms.databricks.session import open_platform
from nextbest.platforms.own_monitors import OwnMonitors
from nextbest.platforms.watched import live_monitor
from nextbest.settings import Settings, slices_of

pytestmark = pytest.mark.integration


@pytest.fixture
def space(monkeypatch):
    """A workspace that nobody waits for."""
    monkeypatch.setattr("databricks.sdk.clock.RealClock.sleep", lambda self, seconds: None)
    for module in (monitors, online_store, serving):
        monkeypatch.setattr(module, "POLL_SECONDS", 0)
    opened = Workspace()
    yield opened
    opened.close()


def test_the_first_refresh_creates_the_monitor_and_waits(space):
    refresh(space)
    created = space.kept["monitors"][MONITOR.table]
    assert created["output_schema_name"] == "prod.nba"
    assert created["baseline_table_name"] == "prod.nba.training_baseline"
    assert created["inference_log"] == {
        "problem_type": "PROBLEM_TYPE_REGRESSION", "timestamp_col": "decided_at",
        "granularities": ["1 day"], "prediction_col": "value", "model_id_col": "model_version",
    }  # fmt: skip
    assert created["assets_dir"] == "/Workspace/Users/me@example.com/monitors"
    assert space.kept["refreshes"]["1"]["state"] == "SUCCESS"
    tables = DatabricksMonitors(space.client(), "quality_monitors").tables(MONITOR)
    assert dataclasses.astuple(tables) == (
        created["profile_metrics_table_name"],
        created["drift_metrics_table_name"],
        None,  # no sketches of ours
    )


def test_a_time_series_and_a_snapshot_are_declared_as_such(space):
    series = dataclasses.replace(MONITOR, table="a.b.series", model_id=None, prediction=None)
    still = dataclasses.replace(series, table="a.b.still", timestamp=None, granularity=None)
    for monitor in (series, still):
        DatabricksMonitors(space.client(), "quality_monitors").make_first(monitor)
    created = space.kept["monitors"]
    assert created["a.b.series"]["time_series"] == {
        "timestamp_col": "decided_at", "granularities": ["1 day"],
    }  # fmt: skip
    assert created["a.b.still"]["snapshot"] == {}


def test_slices_are_declared_by_either_api(space):
    tables_are_there(space)
    sliced = dataclasses.replace(MONITOR, slices=("channel", "segment"))
    DatabricksMonitors(space.client(), "quality_monitors").make_first(sliced)
    DatabricksMonitors(space.client(), "data_quality").make_first(sliced)
    for kept in (space.kept["monitors"][MONITOR.table], space.kept["data quality"][NUMBER]):
        assert kept["slicing_exprs"] == ["channel", "segment"]


def test_our_own_tables_are_named_there_as_databricks_names_its_own(space, monkeypatch):
    monkeypatch.setenv("DATABRICKS_HOST", space.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    told = VALUES | {"platform": "databricks", "profiling": "own"}
    settings = Settings.parse(told)
    platform = open_platform(settings, None)
    assert isinstance(platform.monitors, OwnMonitors)
    monitor = live_monitor(settings.table, slices=slices_of(settings.monitor_slices))
    ours = platform.monitors.tables(monitor)
    theirs = DatabricksMonitors(space.client(), "quality_monitors").tables(monitor)
    assert (ours.profile, ours.drift) == (theirs.profile, theirs.drift)
    assert monitor.slices == ("channel",)


def test_the_second_refresh_updates_it(space):
    refresh(space)
    first = len(space.writes())
    refresh(space)
    assert [(each.method, each.endpoint) for each in space.writes()[first:]] == [
        ("PUT", its_monitors.MONITOR),
        ("POST", its_monitors.REFRESHES),
    ]


def test_a_refresh_that_fails_is_told(space):
    space.kept["ends of refreshes"][1] = {"state": "FAILED", "message": "no column decided_at"}
    with pytest.raises(PlatformError, match="refresh 1 is FAILED .no column decided_at"):
        refresh(space)


@pytest.fixture
def newer(space):
    """A workspace with the tables that the newer API asks the ids of."""
    tables_are_there(space)
    return space


NUMBER = unity_catalog.number_of(MONITOR.table)
MADE = [("POST", data_quality.MONITORS), ("POST", data_quality.REFRESHES)]
UPDATED = [("PATCH", data_quality.MONITOR), ("POST", data_quality.REFRESHES)]


def written(space, since=0):
    return [(each.method, each.endpoint) for each in space.writes()[since:]]


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


def test_an_endpoint_is_created_updated_and_then_left_alone(space):
    assert deploy(space, "3").version == "3"
    (entity,) = space.kept["endpoints"]["nba"]["config"]["served_entities"]
    assert (entity["entity_name"], entity["entity_version"]) == ("prod.nba.model", "3")
    deploy(space, "4")
    deploy(space, "4")
    assert [(each.method, each.endpoint) for each in space.writes()] == [
        ("POST", its_serving.ENDPOINTS),
        ("PUT", its_serving.CONFIG),
    ]


def test_an_update_that_is_under_way_is_waited_for(space):
    deploy(space, "3")
    endpoint = space.kept["endpoints"]["nba"]
    endpoint["state"] = {"ready": "READY", "config_update": "IN_PROGRESS"}
    deploy(space, "4")
    assert endpoint["config"]["served_entities"][0]["entity_version"] == "4"


def test_an_update_that_fails_is_told_and_can_be_repeated(space):
    deploy(space, "3")
    space.kept["rejects"]["5"] = True
    with pytest.raises(PlatformError, match="version 5: the change ended UPDATE_FAILED"):
        deploy(space, "5")
    assert deploy(space, "6").version == "6"


def test_an_endpoint_that_never_came_up_is_no_success(space):
    space.kept["rejects"]["5"] = True
    for _ in range(2):
        with pytest.raises(PlatformError, match="version 5: the change ended UPDATE_FAILED"):
            deploy(space, "5")


def test_an_error_while_an_endpoint_comes_up_is_waited_out(space, monkeypatch):
    """Each look has patience of its own: it takes longer to come up than that lasts."""
    looks, hours = iter(range(1_000)), [0.0]
    monkeypatch.setattr("databricks.sdk.clock.RealClock.time", lambda self: hours[0])

    def sleep(seconds):
        hours[0] += 60.0
        if next(looks) == 1:
            space.faults.append(Fault(500, "GET", its_serving.ENDPOINT))

    monkeypatch.setattr("time.sleep", sleep)
    space.kept["slow endpoints"]["looks"] = 5
    assert deploy(space).version == "3"
    assert not space.faults[0].times


def test_an_endpoint_that_takes_too_long_is_told(space, monkeypatch, capsys):
    monkeypatch.setattr(serving, "PATIENCE_SECONDS", 0)
    space.kept["slow endpoints"]["looks"] = 5
    with pytest.raises(PlatformError, match="version 3: the change still IN_PROGRESS, and it does"):
        deploy(space)
    monkeypatch.setattr(serving, "PATIENCE_SECONDS", 60)
    assert deploy(space).version == "3"
    assert "endpoint nba for prod.nba.model version 3: IN_PROGRESS" in capsys.readouterr().err


def test_an_endpoint_is_asked_by_records(space):
    deploy(space)
    assert query(space) == [{"asked": {"a": 1.0}}]


def test_a_pipeline_is_waited_for(space):
    space.kept["pipelines"]["p1"] = ["QUEUED", "RUNNING", "COMPLETED"]
    arrived(space)
    space.kept["pipelines"]["p1"] = ["RUNNING", "FAILED"]
    with pytest.raises(PlatformError, match="pipeline p1 is FAILED"):
        arrived(space)


def test_what_a_pipeline_did_before_is_not_taken_for_this_publish(space):
    space.kept["pipelines"]["p1"] = ["COMPLETED"]
    space.kept["next updates"]["p1"] = ["QUEUED", "RUNNING", "FAILED"]
    with pytest.raises(PlatformError, match="pipeline p1 is FAILED"):
        arrived(space)
    assert [each.endpoint for each in space.writes()] == [pipelines.UPDATES]
    space.kept["next updates"]["p1"] = ["RUNNING", "COMPLETED"]
    arrived(space)
