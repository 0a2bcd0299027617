"""for_each tasks: the nested task once per input, so many at a time."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from nextbest.bundle.graph import ForEachTask, Task
from nextbest.errors import RunError
from nextbest.runner import states
from nextbest.runner.attempts import KINDS, run_task
from nextbest.runner.cancel import Cancel
from nextbest.runner.context import Done, Place, Run
from nextbest.runner.deadline import deadline
from nextbest.runner.record import TaskError, TaskRecord
from nextbest.runner.references import Scope, substitute


def run_iterations(run: Run, task: Task, place: Place, scope: Scope) -> Done:
    """Run every iteration, also after one has failed; fails when one of them did.

    A repair runs only those again that did not succeed before with the same input.
    """
    spec = task.spec
    assert isinstance(spec, ForEachTask)
    inputs = _inputs(substitute(spec.inputs, scope))
    kind = KINDS[type(spec.task.spec)]
    before = {t.key: t for t in place.get().iterations}
    fresh = [TaskRecord(f"{task.key}[{n}]", kind, input=each) for n, each in enumerate(inputs)]
    iterations = tuple(_earlier(before.get(each.key), each) for each in fresh)
    place.change(lambda t: replace(t, iterations=iterations, parameters={"inputs": spec.inputs}))
    with Cancel(run.cancel) as cancel, deadline(cancel, task.timeout_seconds, task):
        inner = replace(run, cancel=cancel)
        with ThreadPoolExecutor(max(1, spec.concurrency)) as pool:
            ended = list(
                pool.map(
                    lambda n: _iteration(
                        inner, spec.task, replace(place, index=n), scope, inputs[n]
                    ),
                    range(len(inputs)),
                )
            )
        stopped, reason = cancel.state, cancel.reason
    if stopped is not None:
        return Done(stopped, TaskError("Stopped", reason, str(task.location)))
    if failed := [n for n, state in enumerate(ended) if state != states.SUCCESS]:
        which = ", ".join(f"{n} ({json.dumps(inputs[n])})" for n in failed)
        message = f"{len(failed)} of {len(inputs)} iterations did not succeed: {which}"
        return Done(states.FAILED, TaskError("IterationsFailed", message, str(task.location)))
    return Done(states.SUCCESS)


def _earlier(before: TaskRecord | None, fresh: TaskRecord) -> TaskRecord:
    """The iteration as an earlier run of the task left it, if it need not run again."""
    if before is None:
        return fresh
    if before.state == states.SUCCESS and before.input == fresh.input:
        return before
    return replace(fresh, attempts=before.attempts)


def _iteration(run: Run, task: Task, place: Place, scope: Scope, value: Any) -> str:
    if place.get().state == states.SUCCESS:
        return states.SUCCESS
    if run.cancel.is_set():
        place.change(lambda t: replace(t, state=states.CANCELED))
        return states.CANCELED
    return run_task(run, task, place, replace(scope, input=value, has_input=True))


def _inputs(text: str) -> list[Any]:
    try:
        inputs = json.loads(text)
    except ValueError as error:
        raise RunError(f"the inputs of for_each are no JSON: {error}: {text[:200]}") from error
    if not isinstance(inputs, list):
        raise RunError(f"the inputs of for_each are no JSON array: {text[:200]}")
    return inputs
