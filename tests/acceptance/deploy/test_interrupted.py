"""A deploy that ends anywhere, and is repeated, leaves what an untroubled one leaves."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from workspace import (
    alerts,
    dashboards,
    experiments,
    jobs,
    registered_models,
    secrets,
    tags,
    unity_catalog,
)
from workspace.deployable import Death
from workspace.faults import DROPPED, LOST, NOT_READY, SLOW, Fault
from workspace.mlflow_calls import OF_A_DEPLOY

pytestmark = pytest.mark.integration

DEPLOY = "deploy -t prod --auto-approve"
REPEAT = f"{DEPLOY} --force-lock"  # who is killed releases no lock
PARTS = 4  # of the calls, for as many processes
OF_THE_CLI = {
    *(("POST", path) for path in (unity_catalog.SCHEMAS, unity_catalog.VOLUMES)),
    ("POST", registered_models.MODELS),
    ("POST", experiments.CREATE),
    ("POST", jobs.CREATE),
    ("POST", secrets.CREATE),
    ("POST", dashboards.DASHBOARDS),
    ("POST", dashboards.PUBLISHED),
    ("PATCH", dashboards.DASHBOARD),
    ("POST", alerts.ALERTS),
    ("PATCH", alerts.ALERT),
}
REASONS = {
    401: "renew the token", 403: "it needs", 409: "run this again",
    **dict.fromkeys((429, 500, 502, 503, DROPPED, LOST), "did not answer|refused|goes on"),
}  # fmt: skip
TABLES = ("recommendations", "training_baseline")


def opened_with_tables(opened):
    """With the tables there, all that a deploy can make is made."""
    bundle = opened()
    for table in TABLES:
        bundle.space.kept["tables"][f"prod.ml_nba_demo.{table}"] = 1
    return bundle


@pytest.fixture
def untroubled(opened, dbb):
    """What a deploy leaves behind, and the calls that it makes: method and endpoint."""
    bundle = opened_with_tables(opened)
    assert dbb(DEPLOY)[0] == 0
    calls = bundle.space.transcript
    assert all(call.status in (200, 404) for call in calls)
    assert len({call.endpoint for call in calls if call.method == "POST"}) == 13
    made = [(call.method, call.endpoint) for call in calls]
    assert {*made} >= OF_A_DEPLOY
    return bundle.kept(), made


def interrupt(opened, dbb, kind, call):
    """Deploy until the call, then again; what is left behind."""
    bundle = opened_with_tables(opened)
    bundle.space.faults.append(Death(kind, call))
    assert dbb(DEPLOY)[0] != 0
    bundle.space.faults.clear()
    code, told = dbb(REPEAT)
    assert code == 0, told
    return bundle.kept()


@pytest.mark.slow
@pytest.mark.parametrize("kind", [DROPPED, LOST])
@pytest.mark.parametrize("part", range(PARTS))
def test_each_call(opened, dbb, untroubled, part, kind):
    kept, calls = untroubled
    for at in range(part, len(calls), PARTS):
        assert interrupt(opened, dbb, kind, at) == kept, calls[at]


@pytest.mark.slow
def test_interrupted_again_and_again(opened, dbb, untroubled):
    kept, calls = untroubled
    bundle = opened_with_tables(opened)
    for at in range(6, len(calls), 6):
        bundle.space.faults[:] = [Death(LOST, at)]
        dbb(REPEAT)
    bundle.space.faults.clear()
    assert dbb(REPEAT)[0] == 0
    assert bundle.kept() == kept


def test_the_lock_of_a_killed_deploy_is_told(opened, dbb):
    bundle = opened()
    bundle.space.faults.append(Fault(LOST, "POST", unity_catalog.SCHEMAS))
    assert dbb(DEPLOY)[0] != 0
    code, told = dbb(DEPLOY)
    assert code == 1
    assert "--force-lock overrides it" in told
    assert "after a deploy that was killed with --force-lock (if no other one is under" in told


@pytest.mark.slow
@pytest.mark.parametrize(
    "call",
    [("GET", unity_catalog.SCHEMA), ("POST", unity_catalog.VOLUMES), ("POST", tags.TAGS)],
    ids=["plan", "deploy", "complete"],
)
def test_dbb_itself_is_killed(opened, dbb, untroubled, call):
    """With whatever it has started, as when a machine goes."""
    kept, _ = untroubled
    bundle = opened_with_tables(opened)
    bundle.space.faults.append(Fault(SLOW, *call, seconds=3))
    process = subprocess.Popen(
        [Path(sys.executable).with_name("dbb"), *DEPLOY.split()],
        env={**os.environ, **bundle.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while bundle.space.faults[0].times:
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert dbb(REPEAT)[0] == 0
    assert bundle.kept() == kept


def own_calls(calls):
    """Endpoints that dbb itself asks, not the Databricks CLI."""
    own = (call for call in calls if call not in OF_THE_CLI)
    return list(dict.fromkeys(own))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [429, 500, 502, 503, 504, NOT_READY, DROPPED, LOST])
def test_a_passing_fault_of_each_call_is_waited_out(opened, dbb, untroubled, kind):
    kept, calls = untroubled
    for method, path in own_calls(calls):
        bundle = opened_with_tables(opened)
        # The stand-in asks who asks, too, as the second and third to do so: it waits for nothing.
        bundle.space.faults.append(Fault(kind, method, path))
        code, told = dbb(DEPLOY)
        assert (code, bundle.space.faults[0].times) == (0, 0), (method, path, told)
        assert bundle.kept() == kept, (method, path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", REASONS)
def test_a_lasting_fault_of_each_call_is_told(opened, dbb, untroubled, kind):
    kept, calls = untroubled
    for method, path in own_calls(calls):
        bundle = opened_with_tables(opened)
        bundle.space.faults.append(Fault(kind, method, path, times=100_000))
        code, told = dbb(DEPLOY)
        reason = REASONS[kind]
        if kind == 409 and method == "POST" and (method, path) not in OF_A_DEPLOY:
            # As what is said to be there already.
            reason = "not there, or hidden" if path == tags.TAGS else "still to be done"
        assert code == 1, (method, path)
        assert re.search(reason, told), (method, path, told)
        bundle.space.faults.clear()
        assert dbb(REPEAT)[0] == 0
        assert bundle.kept() == kept, (method, path)
