"""Runs of jobs: start one, repair one, and the loop that starts tasks as others end."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import replace

from nextbest.bundle.graph import ForEachTask, Job, Task
from nextbest.errors import NextBestError, RunError
from nextbest.runner import graph_state, states, store
from nextbest.runner.attempts import KINDS, run_task
from nextbest.runner.cancel import Cancel
from nextbest.runner.context import Place, Run, Shared, task_run_id
from nextbest.runner.deadline import deadline
from nextbest.runner.journal import Journal
from nextbest.runner.record import RunRecord, TaskRecord, now
from nextbest.runner.references import Ended, Scope, substitute


def start_run(
    shared: Shared,
    job: Job,
    given: Mapping[str, str],
    cancel: Cancel,
    parent: str | None = None,
    only: str | None = None,
    began: Callable[[str], None] = lambda run_id: None,
) -> RunRecord:
    """Run a job from its beginning; `began` hears the run's id before any task starts.

    When as many runs of the job go on as it allows, a child run waits for its turn and any other
    raises RunError.
    """
    run_id, start = store.new_run_id(), now()
    record = RunRecord(
        run_id=run_id,
        job_key=job.key,
        job_name=job.name,
        bundle=shared.bundle.name,
        target=shared.bundle.target,
        parameters=_parameters(shared.platform, job, given, run_id, start, parent),
        state=states.RUNNING,
        start=start,
        pid=os.getpid(),
        tasks=tuple(
            TaskRecord(t.key, _kind(t), states.PENDING if only in (None, t.key) else states.SKIPPED)
            for t in job.tasks
        ),
        only=only,
        git_commit=shared.git_commit,
        parent=parent,
    )
    earlier = {} if only is None else _left_behind(shared, job, only)
    with ExitStack() as held:
        own = held.enter_context(Cancel(cancel))
        while True:
            with store.gate(shared.lakehouse):
                others = _others(shared, job)
                if not others or own.is_set():
                    folder = store.create(shared.lakehouse, run_id)
                    held.callback(folder.close)
                    journal = Journal(folder, record, shared.observe, _full(own), shared.hidden)
                    break
            if parent is None:
                raise RunError(_no_room(job, others))
            own.wait(0.2)
        began(run_id)
        held.enter_context(deadline(own, job.timeout_seconds, job))
        return _finish(Run(shared, job, journal, own, earlier))


def repair_run(shared: Shared, job: Job, before: RunRecord, cancel: Cancel) -> RunRecord:
    """Run again, under the same id and parameters, what did not end well and all that follows.

    A run that passed is left as it is.
    """
    if before.state in states.PASSED:
        return before
    known = {task.key: task for task in before.tasks}
    if before.only is None:
        again = graph_state.to_rerun(job.tasks, {key: t.state for key, t in known.items()})
    else:
        again = {before.only}
    found = (known.get(t.key, TaskRecord(t.key, _kind(t), states.SKIPPED)) for t in job.tasks)
    tasks = tuple(_reset(task) if task.key in again else task for task in found)
    record = replace(
        before,
        tasks=tasks,
        state=states.RUNNING,
        end=None,
        error=None,
        pid=os.getpid(),
        repair_count=before.repair_count + 1,
    )
    earlier = {} if before.only is None else _left_behind(shared, job, before.only)
    with ExitStack() as held:
        with store.gate(shared.lakehouse):
            if others := _others(shared, job):
                raise RunError(_no_room(job, others))
            folder = store.reopen(shared.lakehouse, before.run_id)
            held.callback(folder.close)
            own = held.enter_context(Cancel(cancel))
            journal = Journal(folder, record, shared.observe, _full(own), shared.hidden)
        held.enter_context(deadline(own, job.timeout_seconds, job))
        return _finish(Run(shared, job, journal, own, earlier))


def _others(shared: Shared, job: Job) -> list[str]:
    """The runs of the job that go on, when they are as many as it allows."""
    others = store.going_on(shared.lakehouse, job.key, shared.bundle.target)
    return others if len(others) >= job.max_concurrent_runs else []


def _no_room(job: Job, others: list[str]) -> str:
    return (
        f"job '{job.key}' allows {job.max_concurrent_runs} run(s) at a time "
        f"(max_concurrent_runs, {job.location}), and {', '.join(others)} is going on: "
        "wait until it ends, or stop it"
    )


def _full(cancel: Cancel) -> Callable[[str], None]:
    return lambda problem: cancel.set(states.FAILED, problem)


def _kind(task: Task) -> str:
    return "for_each" if isinstance(task.spec, ForEachTask) else KINDS.get(type(task.spec), "other")


def _reset(task: TaskRecord) -> TaskRecord:
    """A task to run again: its attempts stay, one that was cut off is marked as killed."""
    attempts = tuple(
        replace(a, state=states.KILLED) if a.state == states.RUNNING else a for a in task.attempts
    )
    return replace(
        task,
        state=states.PENDING,
        start=None,
        end=None,
        error=None,
        attempts=attempts,
        outcome=None,
    )


def _parameters(
    platform: str,
    job: Job,
    given: Mapping[str, str],
    run_id: str,
    start: str,
    parent: str | None,
) -> dict[str, str]:
    """Job parameters of a run: what was given, else the defaults; `platform` is the runner's."""
    scope = Scope(
        job_id=job.key,
        job_name=job.name,
        run_id=run_id,
        start=dt.datetime.fromisoformat(start),
        repair_count=0,
        trigger="onetime" if parent is None else "run_job_task",
    )
    chosen = {p.name: given.get(p.name, p.default) for p in job.parameters}
    if "platform" in chosen:
        chosen["platform"] = platform
    try:
        return {name: substitute(text, scope) for name, text in chosen.items()}
    except RunError as error:
        raise RunError(f"parameters of job '{job.key}' ({job.location}): {error}") from error


def _left_behind(shared: Shared, job: Job, only: str) -> dict[str, Ended]:
    """What the other tasks of the job left behind when they last succeeded."""
    found: dict[str, Ended] = {}
    wanted = {task.key for task in job.tasks} - {only}
    for run_id in store.run_ids(shared.lakehouse):
        if wanted <= found.keys():
            break
        record = store.load(shared.lakehouse, run_id)
        if (record.job_key, record.target) == (job.key, shared.bundle.target):
            for task in record.tasks:
                if task.key in wanted - found.keys() and task.state == states.SUCCESS:
                    found[task.key] = Ended(
                        task.state, task_run_id(task), len(task.attempts), task.values
                    )
    return found


def _finish(run: Run) -> RunRecord:
    """Run the tasks; the record is finished whatever happens."""
    state, error = states.FAILED, "dbb itself failed: see its traceback"
    try:
        _loop(run)
        if run.cancel.state is not None:
            state, error = run.cancel.state, run.cancel.reason
        else:
            reached = {task.key: task.state for task in run.journal.record.tasks}
            took_part = [task for task in run.job.tasks if reached[task.key] != states.SKIPPED]
            state, error = graph_state.overall(took_part, reached), None
    except NextBestError as problem:
        error = str(problem)
        raise
    finally:
        record = run.journal.finish(state, error)
    return record


def _loop(run: Run) -> None:
    """Start every task as soon as its dependencies have ended; end when nothing is left."""
    with ThreadPoolExecutor(max(1, len(run.job.tasks))) as pool:
        in_order = False
        try:
            _start_and_wait(run, pool)
            in_order = True
        finally:
            if not in_order:  # the pool waits for its tasks: they must not go on
                run.cancel.set(states.FAILED, "the run's record could not be kept")


def _start_and_wait(run: Run, pool: ThreadPoolExecutor) -> None:
    tasks = {task.key: task for task in run.job.tasks}
    going: set[Future[str]] = set()
    while True:
        for key, state in _next(run).items():
            run.journal.update_task(key, lambda t, state=state: replace(t, state=state))
            if state == states.RUNNING:
                place = Place(run.journal, key)
                going.add(pool.submit(run_task, run, tasks[key], place, run.scope()))
        if going:
            done, going = wait(going, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
        elif not _next(run):
            return


def _next(run: Run) -> dict[str, str]:
    record = run.journal.record
    reached = {task.key: task.state for task in record.tasks}
    if run.cancel.is_set():
        return {key: states.CANCELED for key, state in reached.items() if state == states.PENDING}
    if record.only is not None:
        return {key: states.RUNNING for key, state in reached.items() if state == states.PENDING}
    return graph_state.decide(run.job.tasks, reached, {t.key: t.outcome for t in record.tasks})
