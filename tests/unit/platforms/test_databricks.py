"""The Databricks adapters by the real SDK over HTTP, against the recording workspace."""

from __future__ import annotations

import dataclasses

import pytest
from unit.test_touched import VALUES
from workspace import monitors as its_monitors
from workspace import pipelines
from workspace import serving as its_serving
from workspace.acts import MONITOR, arrived, deploy, query, refresh
from workspace.faults import Fault
from workspace.server import TOKEN

from nextbest.errors import PlatformError
from nextbest.platforms.databricks import serving
from nextbest.platforms.databricks.monitors import DatabricksMonitors
from nextbest.platforms.databricks.session import open_platform
from nextbest.platforms.own_monitors import OwnMonitors
from nextbest.platforms.watched import live_monitor
from nextbest.settings import Settings, slices_of

pytestmark = pytest.mark.integration


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
