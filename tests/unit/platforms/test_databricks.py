"""The Databricks adapters by the real SDK over HTTP, against the recording workspace."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import time
from types import SimpleNamespace

import pytest
from workspace import monitors as its_monitors
from workspace import pipelines, serving
from workspace.faults import DROPPED, LOST, SLOW, Fault
from workspace.server import Workspace

from nextbest.errors import PlatformError
from nextbest.platforms import Endpoint, Monitor
from nextbest.platforms.databricks import monitors, online_store
from nextbest.platforms.databricks.monitors import DatabricksMonitors
from nextbest.platforms.databricks.serving import DatabricksServing

pytestmark = pytest.mark.integration

MONITOR = Monitor(
    table="prod.nba.recommendations", baseline="prod.nba.training_baseline",
    timestamp="decided_at", granularity="1 day", model_id="model_version", prediction="value",
    columns=("a",),
)  # fmt: skip
DAY = dt.date(2026, 3, 1)


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


def refresh(space):
    DatabricksMonitors(space.client()).refresh(MONITOR, DAY)


def deploy(space, version="3"):
    return DatabricksServing(space.client()).deploy("nba", "prod.nba.model", version)


def query(space):
    endpoint = Endpoint("nba", "prod.nba.model", "3", "/serving-endpoints/nba/invocations")
    return DatabricksServing(space.client()).query(endpoint, [{"a": 1.0}])


def arrived(space):
    online_store._arrived(space.client(), "p1", "prod.nba.customer_features")


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


# Each call that is made, with what brings it about; `there`: the thing is there already.
CALLS = [
    ("GET", its_monitors.MONITOR, refresh, False),
    ("GET", "/api/2.0/preview/scim/v2/Me", refresh, False),
    ("POST", its_monitors.MONITOR, refresh, False),
    ("PUT", its_monitors.MONITOR, refresh, True),
    ("POST", its_monitors.REFRESHES, refresh, True),
    ("GET", its_monitors.REFRESH, refresh, True),
    ("GET", serving.ENDPOINT, deploy, False),
    ("POST", serving.ENDPOINTS, deploy, False),
    ("PUT", serving.CONFIG, lambda space: deploy(space, "4"), True),
    ("POST", serving.INVOCATIONS, query, True),
    ("GET", pipelines.PIPELINE, arrived, True),
]
RETRIED = (429, 500, 503, DROPPED, LOST, SLOW)


def prepared(space, there):
    space.kept["pipelines"]["p1"] = ["RUNNING", "COMPLETED"]
    if there:
        refresh(space)
        deploy(space)
        space.transcript.clear()


def state(space):
    """What is left behind, but for how often it was tried."""
    for monitor in space.kept["monitors"].values():
        monitor["monitor_version"] = 0
    return {name: dict(space.kept[name]) for name in ("monitors", "endpoints")}


def idle(call):
    return f"{call[0]} {call[1].rsplit('/', 1)[-1]}"


def untroubled(act, there):
    """What is left behind when nothing goes wrong."""
    space = Workspace()
    try:
        prepared(space, there)
        act(space)
        return state(space)
    finally:
        space.close()


@pytest.mark.parametrize("kind", RETRIED)
@pytest.mark.parametrize("call", CALLS, ids=idle)
def test_a_passing_fault_is_waited_out(space, call, kind):
    method, path, act, there = call
    prepared(space, there)
    space.faults.append(Fault(kind, method, path, seconds=0.05))
    act(space)
    assert space.faults[0].times == 0  # it did strike
    assert state(space) == untroubled(act, there)


@pytest.mark.parametrize("kind", [401, 403, 404, 409, 500])
@pytest.mark.parametrize("call", CALLS, ids=idle)
def test_a_lasting_fault_is_told_and_the_rerun_repairs(space, call, kind, monkeypatch):
    method, path, act, there = call
    prepared(space, there)
    if kind == 500:  # by the time that patience ends
        clock = itertools.count(0, 4)
        monkeypatch.setattr("databricks.sdk.clock.RealClock.time", lambda self: next(clock))
    space.faults.append(Fault(kind, method, path, times=1_000))
    if (kind, method, path) == (404, "GET", its_monitors.MONITOR):
        act(space)  # it is created, and that it can't be looked at does no harm
        return
    with pytest.raises(PlatformError) as raised:
        act(space)
    told = str(raised.value)
    assert any(name in told for name in ("recommendations", "nba", "who asks", "p1"))
    reason = {401: "renew the token", 403: "it needs", 404: "it needs", 409: "run this again",
              500: "did not answer"}  # fmt: skip
    if kind == 409 and path in (its_monitors.MONITOR, serving.ENDPOINTS) and method == "POST":
        reason[409] = "not there, or hidden"  # of what is said to be there already
    assert reason[kind] in told
    space.faults.clear()
    act(space)
    if act is not arrived:
        assert state(space) == untroubled(act, there)
