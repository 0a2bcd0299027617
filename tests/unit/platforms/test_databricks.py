"""The Databricks adapters by the real SDK over HTTP, against the recording workspace."""

from __future__ import annotations

import dataclasses
import time
from types import SimpleNamespace

import pytest
from workspace import monitors as its_monitors
from workspace import serving
from workspace.scenarios import MONITOR, arrived, deploy, query, refresh
from workspace.server import Workspace

from nextbest.errors import PlatformError
from nextbest.platforms.databricks import monitors, online_store
from nextbest.platforms.databricks.monitors import DatabricksMonitors

pytestmark = pytest.mark.integration


@pytest.fixture
def space(monkeypatch):
    """A workspace that nobody waits for."""
    monkeypatch.setattr("databricks.sdk.clock.RealClock.sleep", lambda self, seconds: None)
    patient = SimpleNamespace(time=time.time, sleep=lambda seconds: None)
    monkeypatch.setattr("databricks.sdk.service.serving.time", patient)
    monkeypatch.setattr(monitors, "POLL_SECONDS", 0)
    monkeypatch.setattr(online_store, "POLL_SECONDS", 0)
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
    tables = DatabricksMonitors(space.client()).tables(MONITOR)
    assert dataclasses.astuple(tables) == (
        created["profile_metrics_table_name"],
        created["drift_metrics_table_name"],
    )


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
        ("POST", serving.ENDPOINTS),
        ("PUT", serving.CONFIG),
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


def test_an_endpoint_is_asked_by_records(space):
    deploy(space)
    assert query(space) == [{"asked": {"a": 1.0}}]


def test_a_pipeline_is_waited_for(space):
    space.kept["pipelines"]["p1"] = ["QUEUED", "RUNNING", "COMPLETED"]
    arrived(space)
    space.kept["pipelines"]["p1"] = ["RUNNING", "FAILED"]
    with pytest.raises(PlatformError, match="pipeline p1 is FAILED"):
        arrived(space)
