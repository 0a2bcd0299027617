"""Each call that is made of a workspace × each fault: waited out, or refused in words.

Generated from the routes of the recording workspace; tests/workspace/scenarios.py says how each
call comes about.
"""

from __future__ import annotations

import copy
import functools
import itertools
import re
from pathlib import Path

import pytest
from workspace.faults import BROKEN, DROPPED, LOST, NOT_READY, SLOW, Fault
from workspace.routes import ROUTES
from workspace.scenarios import OF_THE_CLI, SCENARIOS
from workspace.server import Workspace

from nextbest.errors import PlatformError
from nextbest.platforms.databricks import jobs, monitors, online_store, serving, statements

pytestmark = pytest.mark.integration

# What only deploy and destroy ask for: acceptance/deploy/test_interrupted.py.
GUIDE = (Path(__file__).parents[3] / "docs/guides/databricks.md").read_text(encoding="utf-8")
DEPLOYING = set(re.findall(r"^\| `(\w+ /\S+)` .*`acceptance/deploy/\w+\.py` \|$", GUIDE, re.M))
# MLflow's calls: acceptance/test_mlflow_faults.py and unit/test_registry_faults.py.
CALLS = [
    (route.method, route.template)
    for route in ROUTES
    if route.client == "sdk"
    and f"{route.method} {route.template}" not in DEPLOYING
    and route.sdk.__qualname__ not in OF_THE_CLI
]
PASSING = (429, 500, 502, 503, 504, NOT_READY)
QUICK = {403, 429, 503, LOST}  # the others, call by call, are slow tests
HUNG = "hung"  # so slow that the client gives up waiting
REASONS = {401: "renew the token", 409: "run this again"}


def kinds(*several):
    """Faults as parameters; those that are not QUICK take their time in CI only."""
    slow = pytest.mark.slow
    return [each if each in QUICK else pytest.param(each, marks=slow) for each in several]


@pytest.fixture
def opened(monkeypatch):
    """Open workspaces that nobody waits for."""
    monkeypatch.setattr("databricks.sdk.clock.RealClock.sleep", lambda self, seconds: None)
    for module in (jobs, monitors, online_store, serving, statements):
        monkeypatch.setattr(module, "POLL_SECONDS", 0)
    spaces = []

    def make(**config):
        spaces.append(Workspace(**config))
        return spaces[-1]

    yield make
    for space in spaces:
        space.close()


def name_of(call):
    return f"{call[0]} {'/'.join(call[1].split('/')[-2:])}"


def left(space):
    """What is left behind, but for how often it was tried and looked at."""
    kept = copy.deepcopy(dict(space.kept))
    for monitor in kept.get("monitors", {}).values():
        monitor["monitor_version"] = 0
    for run in kept.get("runs", {}).values():
        for volatile in ("idempotency_token", "looks", "now", "queued"):
            run.pop(volatile, None)
    kept["tokens"] = sorted(kept.get("tokens", {}).values())
    return {
        name: kept[name]
        for name in kept.keys() - {"refreshes", "pipelines", "updates", "statements", "sql"}
        if kept[name]
    }


@functools.cache
def untroubled(call):
    """What is left behind when nothing goes wrong."""
    space = Workspace()
    try:
        SCENARIOS[call].prepare(space)
        SCENARIOS[call].act(space)
        return left(space)
    finally:
        space.close()


def patience_ends(monkeypatch):
    """Four seconds pass whenever somebody looks at the clock."""
    clock = itertools.count(0, 4)
    monkeypatch.setattr("databricks.sdk.clock.RealClock.time", lambda self: next(clock))


def test_every_call_has_a_scenario():
    assert SCENARIOS.keys() == set(CALLS)


def strike(space, call, kind, **when):
    """Act once while the fault is there; it must have struck."""
    seconds = {SLOW: 0.05, HUNG: 0.3}.get(kind, 0.0)
    space.faults.append(Fault(SLOW if kind == HUNG else kind, *call, seconds=seconds, **when))
    before = space.faults[0].times
    try:
        SCENARIOS[call].act(space)
    finally:
        assert space.faults[0].times < before


@pytest.mark.parametrize("kind", kinds(*PASSING, DROPPED, LOST, BROKEN, SLOW, HUNG))
@pytest.mark.parametrize("call", CALLS, ids=name_of)
def test_a_passing_fault_is_waited_out(opened, call, kind):
    space = opened(**({"http_timeout_seconds": 0.1} if kind == HUNG else {}))
    SCENARIOS[call].prepare(space)
    strike(space, call, kind)
    assert left(space) == untroubled(call)


@pytest.mark.parametrize("kind", kinds(*PASSING, DROPPED))
@pytest.mark.parametrize(
    "call", [call for call in CALLS if call in SCENARIOS and SCENARIOS[call].pages], ids=name_of
)
def test_a_fault_on_a_later_page_is_waited_out(opened, call, kind):
    space = opened()
    SCENARIOS[call].prepare(space)
    strike(space, call, kind, after=1)
    assert left(space) == untroubled(call)


@pytest.mark.parametrize(
    "call", [call for call in CALLS if call in SCENARIOS and SCENARIOS[call].since], ids=name_of
)
def test_what_was_just_made_and_is_not_found_yet_is_waited_for(opened, call):
    space = opened()
    SCENARIOS[call].prepare(space)
    strike(space, call, 404, times=2, since=SCENARIOS[call].since)
    assert left(space) == untroubled(call)


@pytest.mark.parametrize("kind", kinds(401, 403, 404, 409, *PASSING, DROPPED, LOST, BROKEN))
@pytest.mark.parametrize("call", CALLS, ids=name_of)
def test_a_lasting_fault_is_told_and_the_rerun_repairs(opened, call, kind, monkeypatch):
    scenario = SCENARIOS[call]
    space = opened(retry_timeout_seconds=20)
    scenario.prepare(space)
    reasons = {403: scenario.right, 404: scenario.right, **REASONS, **scenario.refused}
    reason = reasons.get(kind, "did not answer")
    with monkeypatch.context() as hurried:
        patience_ends(hurried)
        if not reason:
            strike(space, call, kind, times=1_000)
        else:
            with pytest.raises(PlatformError) as raised:
                strike(space, call, kind, times=1_000)
            told = str(raised.value)
            assert scenario.named in told
            assert reason in told
    space.faults.clear()
    (scenario.again or scenario.act)(space)
    if reason:
        assert left(space) == untroubled(call)
