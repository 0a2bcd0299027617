"""Which tasks may start, given how the others ended: pure functions over a job's graph.

Semantics: Databricks "Configure task dependencies" (run-if) and "Disabled tasks in Lakeflow Jobs".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from nextbest.bundle.graph import Task
from nextbest.runner import states
from nextbest.runner.states import DISABLED, EXCLUDED, FAILURES, PENDING, RUNNING, SUCCESS

# Failure handlers are excluded, not failed, when there is nothing to handle.
_UNMET = {
    "ALL_SUCCESS": states.UPSTREAM_FAILED,
    "AT_LEAST_ONE_SUCCESS": states.UPSTREAM_FAILED,
    "NONE_FAILED": states.UPSTREAM_FAILED,
    "AT_LEAST_ONE_FAILED": EXCLUDED,
    "ALL_FAILED": EXCLUDED,
}


def verdict(run_if: str, dependencies: Sequence[str]) -> str:
    """RUNNING when a task may start, else the state it ends in.

    `dependencies` are the states of its dependencies, all ended. A task with nothing but excluded
    dependencies is excluded, whatever its run_if; one that can't run because dependencies are
    disabled is disabled.
    """
    if not dependencies:
        return RUNNING
    if all(state == EXCLUDED for state in dependencies):
        return EXCLUDED
    disabled = sum(state == DISABLED for state in dependencies)
    needs_every_one = run_if in ("ALL_SUCCESS", "ALL_FAILED")
    if run_if != "ALL_DONE" and disabled and (needs_every_one or disabled == len(dependencies)):
        return DISABLED
    return RUNNING if _met(run_if, dependencies) else _UNMET[run_if]


def _met(run_if: str, dependencies: Sequence[str]) -> bool:
    failed = sum(state in FAILURES for state in dependencies)
    return {
        "ALL_SUCCESS": failed == 0,
        "AT_LEAST_ONE_SUCCESS": SUCCESS in dependencies,
        "NONE_FAILED": failed == 0,
        "ALL_DONE": True,
        "AT_LEAST_ONE_FAILED": failed > 0,
        "ALL_FAILED": failed == len(dependencies),
    }[run_if]


def decide(
    tasks: Sequence[Task], reached: Mapping[str, str], outcomes: Mapping[str, str | None]
) -> dict[str, str]:
    """The next state of every pending task whose dependencies have all ended.

    `reached` maps task keys to states; `outcomes` maps condition tasks to "true" or "false".
    RUNNING in the answer means: start it.
    """
    return {
        task.key: _next(task, reached, outcomes)
        for task in tasks
        if reached[task.key] == PENDING
        and all(reached[needed.task_key] in states.ENDED for needed in task.depends_on)
    }


def _next(task: Task, reached: Mapping[str, str], outcomes: Mapping[str, str | None]) -> str:
    if task.disabled:
        return DISABLED
    seen = []
    on_branch = True
    for needed in task.depends_on:
        state = reached[needed.task_key]
        if needed.outcome is not None and outcomes.get(needed.task_key) != needed.outcome:
            on_branch = False
            state = EXCLUDED if state == SUCCESS else state
        seen.append(state)
    answer = verdict(task.run_if, seen)
    # An outcome "must be met for this task to run", whatever its run_if says.
    return EXCLUDED if answer == RUNNING and not on_branch else answer


def leaves(tasks: Sequence[Task]) -> set[str]:
    """Keys of the tasks that no other task depends on."""
    return {task.key for task in tasks} - {d.task_key for task in tasks for d in task.depends_on}


def overall(tasks: Sequence[Task], reached: Mapping[str, str]) -> str:
    """Result of a run whose tasks have all ended: failed when a leaf failed.

    A failure that a later task dealt with leaves SUCCESS_WITH_FAILURES.
    """
    if any(reached[key] in FAILURES for key in leaves(tasks)):
        return states.FAILED
    if any(reached[task.key] in FAILURES for task in tasks):
        return states.SUCCESS_WITH_FAILURES
    return SUCCESS


def to_rerun(tasks: Sequence[Task], reached: Mapping[str, str]) -> set[str]:
    """Keys that a repair runs again: what did not end well, and everything below it."""
    kept = {SUCCESS, EXCLUDED, DISABLED}
    again = {task.key for task in tasks if reached.get(task.key) not in kept}
    return again | below(tasks, again)


def below(tasks: Sequence[Task], keys: Collection[str]) -> set[str]:
    """Keys of all tasks that depend on `keys`, directly or not."""
    found: set[str] = set()
    reach = set(keys)
    while reach:
        reach = {
            task.key
            for task in tasks
            if task.key not in found and any(d.task_key in reach for d in task.depends_on)
        }
        found |= reach
    return found
