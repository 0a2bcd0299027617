"""The scheduler as a pure function: states in, states out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.bundle.graph import ConditionTask, Dependency, Location, Task
from nextbest.runner import graph_state, states
from nextbest.runner.states import ENDED, FAILURES, PENDING, RUNNING, SUCCESS

pytestmark = pytest.mark.unit

RUN_IFS = tuple(graph_state._UNMET) + ("ALL_DONE",)
ended = st.sampled_from(sorted(ENDED - {states.SKIPPED}))


def task(key, *needs, run_if="ALL_SUCCESS", disabled=False):
    depends_on = tuple(n if isinstance(n, Dependency) else Dependency(n) for n in needs)
    spec = ConditionTask("EQUAL_TO", "a", "a")
    return Task(key, spec, Location("x.yml", 1), depends_on, run_if, disabled=disabled)


@st.composite
def graphs(draw):
    size = draw(st.integers(1, 8))
    tasks = []
    for n in range(size):
        below = draw(st.sets(st.integers(0, n - 1), max_size=3)) if n else set()
        run_if = draw(st.sampled_from(RUN_IFS))
        needs = [Dependency(f"t{k}", draw(st.sampled_from([None, "true"]))) for k in below]
        tasks.append(task(f"t{n}", *needs, run_if=run_if, disabled=draw(st.booleans())))
    return tasks


@pytest.mark.parametrize(
    ("run_if", "needs", "answer"),
    [
        ("ALL_SUCCESS", "S S", RUNNING),
        ("ALL_SUCCESS", "S E", RUNNING),
        ("ALL_SUCCESS", "S F", states.UPSTREAM_FAILED),
        ("ALL_SUCCESS", "S U", states.UPSTREAM_FAILED),
        ("ALL_SUCCESS", "S D", states.DISABLED),
        ("ALL_SUCCESS", "F D", states.DISABLED),
        ("ALL_DONE", "F D", RUNNING),
        ("ALL_DONE", "D D", RUNNING),
        ("ALL_DONE", "E E", states.EXCLUDED),
        ("NONE_FAILED", "S E", RUNNING),
        ("NONE_FAILED", "D E", RUNNING),
        ("NONE_FAILED", "D D", states.DISABLED),
        ("NONE_FAILED", "T S", states.UPSTREAM_FAILED),
        ("AT_LEAST_ONE_SUCCESS", "S F", RUNNING),
        ("AT_LEAST_ONE_SUCCESS", "E F", states.UPSTREAM_FAILED),
        ("AT_LEAST_ONE_SUCCESS", "D F", states.UPSTREAM_FAILED),
        ("AT_LEAST_ONE_SUCCESS", "D", states.DISABLED),
        ("ALL_FAILED", "F T C U", RUNNING),
        ("ALL_FAILED", "F E", states.EXCLUDED),
        ("ALL_FAILED", "F D", states.DISABLED),
        ("AT_LEAST_ONE_FAILED", "F S", RUNNING),
        ("AT_LEAST_ONE_FAILED", "F D", RUNNING),
        ("AT_LEAST_ONE_FAILED", "S D", states.EXCLUDED),
        ("AT_LEAST_ONE_FAILED", "D D", states.DISABLED),
    ],
)
def test_run_if_table(run_if, needs, answer):
    letters = {
        "S": SUCCESS, "F": states.FAILED, "T": states.TIMEDOUT, "C": states.CANCELED,
        "U": states.UPSTREAM_FAILED, "E": states.EXCLUDED, "D": states.DISABLED,
    }  # fmt: skip
    assert graph_state.verdict(run_if, [letters[each] for each in needs.split()]) == answer


@given(st.sampled_from(RUN_IFS), st.lists(ended, max_size=5), st.randoms())
def test_verdict_is_an_end_or_a_start_whatever_the_order(run_if, needs, random):
    answer = graph_state.verdict(run_if, needs)
    assert answer in {RUNNING, states.UPSTREAM_FAILED, states.EXCLUDED, states.DISABLED}
    random.shuffle(needs)
    assert graph_state.verdict(run_if, needs) == answer


@given(st.lists(ended, min_size=1, max_size=5))
def test_stricter_conditions_start_less(needs):
    starts = {each for each in RUN_IFS if graph_state.verdict(each, needs) == RUNNING}
    assert "ALL_SUCCESS" not in starts or "NONE_FAILED" in starts
    assert "ALL_FAILED" not in starts or "AT_LEAST_ONE_FAILED" in starts
    assert not starts or "ALL_DONE" in starts
    assert not {"NONE_FAILED", "AT_LEAST_ONE_FAILED"} <= starts


@given(graphs(), st.data())
def test_every_run_ends_with_every_task_ended(tasks, data):
    reached = {each.key: PENDING for each in tasks}
    outcomes = dict.fromkeys(reached)
    for _ in range(len(tasks) + 1):
        for key, state in graph_state.decide(tasks, reached, outcomes).items():
            assert reached[key] == PENDING
            if state == RUNNING:
                needed = {d.task_key for t in tasks if t.key == key for d in t.depends_on}
                assert all(reached[other] in ENDED for other in needed)
                state = data.draw(st.sampled_from([SUCCESS, states.FAILED, states.TIMEDOUT]))
                outcomes[key] = data.draw(st.sampled_from(["true", "false"]))
            reached[key] = state
    assert set(reached.values()) <= ENDED
    assert not graph_state.decide(tasks, reached, outcomes)
    result = graph_state.overall(tasks, reached)
    leaf_failed = any(reached[key] in FAILURES for key in graph_state.leaves(tasks))
    assert (result == states.FAILED) == leaf_failed


@given(graphs(), st.data())
def test_repair_runs_failures_and_what_is_below_and_nothing_else(tasks, data):
    reached = {t.key: data.draw(st.sampled_from(sorted(ENDED | {RUNNING}))) for t in tasks}
    again = graph_state.to_rerun(tasks, reached)
    for each in tasks:
        bad = reached[each.key] not in {SUCCESS, states.EXCLUDED, states.DISABLED}
        above = any(d.task_key in again for d in each.depends_on)
        assert (each.key in again) == (bad or above)


def test_outcome_must_be_met_whatever_run_if_says():
    tasks = [task("c"), task("t", Dependency("c", "true"), run_if="ALL_DONE")]
    for state, outcome, answer in [
        (SUCCESS, "true", RUNNING),
        (SUCCESS, "false", states.EXCLUDED),
        (states.FAILED, None, states.EXCLUDED),
    ]:
        assert graph_state.decide(tasks, {"c": state, "t": PENDING}, {"c": outcome}) == {
            "t": answer
        }


def test_a_failure_beside_an_unmet_outcome_stays_a_failure():
    tasks = [task("c"), task("f"), task("t", Dependency("c", "true"), "f")]
    reached = {"c": SUCCESS, "f": states.FAILED, "t": PENDING}
    assert graph_state.decide(tasks, reached, {"c": "false"})["t"] == states.UPSTREAM_FAILED
