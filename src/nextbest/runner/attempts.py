"""A task from its start to its end: attempts, retries, what each one leaves in the record."""

from __future__ import annotations

from dataclasses import replace

from nextbest.bundle.graph import ConditionTask, NotebookTask, RunJobTask, Task
from nextbest.errors import NextBestError
from nextbest.runner import states
from nextbest.runner.conditions import holds
from nextbest.runner.context import Done, Place, Run
from nextbest.runner.notebook_task import run_notebook
from nextbest.runner.record import Attempt, TaskError, TaskRecord, now
from nextbest.runner.references import Scope, substitute

KINDS = {NotebookTask: "notebook", ConditionTask: "condition", RunJobTask: "run_job"}


def run_task(run: Run, task: Task, place: Place, scope: Scope) -> str:
    """Run a task until it succeeds or its retries are used up; the state it ends in."""
    place.change(lambda t: replace(t, state=states.RUNNING, start=now(), end=None, error=None))
    tries = 0
    while True:
        done = _attempt(run, task, place, scope)
        tries += 1
        again = (
            done.retry
            and (
                done.state == states.FAILED
                or (done.state == states.TIMEDOUT and task.retry_on_timeout)
            )
            and (task.max_retries < 0 or tries <= task.max_retries)
        )
        if again and not run.cancel.wait(task.min_retry_interval_millis / 1000):
            place.change(lambda t: replace(t, child_run_id=None))  # a retry is a new child run
            continue
        place.change(lambda t, done=done: replace(t, state=done.state, end=now(), error=done.error))
        return done.state


def _attempt(run: Run, task: Task, place: Place, scope: Scope) -> Done:
    number = len(place.get().attempts) + 1
    name = task.key if place.index is None else f"{place.key}-{place.index}"
    attempt = Attempt(number, f"{scope.run_id}.{name}.{number}", states.RUNNING, now())
    place.change(lambda t: replace(t, attempts=(*t.attempts, attempt)))
    facts = {"name": task.key, "run_id": attempt.run_id, "execution_count": str(number)}
    if isinstance(task.spec, NotebookTask):
        facts["notebook_path"] = str(task.spec.path)
    try:
        done = _dispatch(run, task, place, replace(scope, task=facts))
    except NextBestError as error:
        problem = TaskError(type(error).__name__, str(error), str(task.location))
        done = Done(states.FAILED, problem, retry=False)
    except OSError as error:
        problem = TaskError(type(error).__name__, str(error), str(task.location))
        done = Done(states.FAILED, problem)
    if run.cancel.is_set() and done.state != states.SUCCESS:
        done = replace(done, state=states.CANCELED, retry=False)
    ended = replace(
        attempt, state=done.state, end=now(), log=done.log, page=done.page, error=done.error
    )
    place.change(lambda t: _with_attempt(t, ended, done))
    return done


def _with_attempt(task: TaskRecord, ended: Attempt, done: Done) -> TaskRecord:
    attempts = (*task.attempts[:-1], ended)
    return replace(task, attempts=attempts, **(done.changes or {}))


def _dispatch(run: Run, task: Task, place: Place, scope: Scope) -> Done:
    # Imported here: iterations and child runs are made of tasks again.
    from nextbest.runner.for_each import run_iterations
    from nextbest.runner.run_job_task import run_child

    spec = task.spec
    if isinstance(spec, NotebookTask):
        return run_notebook(run, task, place, scope)
    if isinstance(spec, ConditionTask):
        left, right = substitute(spec.left, scope), substitute(spec.right, scope)
        outcome = "true" if holds(spec.op, left, right) else "false"
        shown = {"left": left, "op": spec.op, "right": right}
        return Done(states.SUCCESS, changes={"outcome": outcome, "parameters": shown})
    if isinstance(spec, RunJobTask):
        return run_child(run, task, place, scope)
    return run_iterations(run, task, place, scope)
