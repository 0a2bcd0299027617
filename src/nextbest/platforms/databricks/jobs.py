"""Jobs of a workspace: found by name, started once, followed to their end.

States are those of the Jobs API 2.2 (`RunStatus`): until it ends a run or task is PENDING, RUNNING,
…; then it is what its termination code says: SUCCESS, SUCCESS_WITH_FAILURES, RUN_EXECUTION_ERROR, …
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nextbest.errors import PlatformError
from nextbest.platforms.databricks.asking import ask

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.jobs import Run, RunStatus, RunTask

POLL_SECONDS = 5
PATIENCE_SECONDS = 300  # with a workspace that has accepted a repair and doesn't begin it
PASSED = frozenset({"SUCCESS", "SUCCESS_WITH_FAILURES"})
NOT_RUN = frozenset({"SKIPPED", "DISABLED"})


# Why a run waits for others, where the workspace says it by a code only (QueueDetailsCodeCode).
QUEUED_FOR = {
    "MAX_CONCURRENT_RUNS_REACHED": "another run of the job goes on",
    "ACTIVE_RUNS_LIMIT_REACHED": "as many tasks run in the workspace as it allows",
    "ACTIVE_RUN_JOB_TASKS_LIMIT_REACHED": "as many tasks run other jobs as the workspace allows",
}


@dataclass(frozen=True)
class Look:
    """What is seen of a run or task that goes on: its state, its page, and why it is queued."""

    state: str
    url: str
    why: str = ""


@dataclass(frozen=True)
class Progress:
    """What is seen of a run, and of its tasks by their keys."""

    run: Look
    tasks: Mapping[str, Look]


@dataclass(frozen=True)
class TaskRun:
    """One task of a run: its state, its page, and why it failed, if it did."""

    key: str
    state: str
    url: str
    error: str = ""


@dataclass(frozen=True)
class JobRun:
    """A run that has ended."""

    run_id: int
    state: str
    url: str
    message: str
    tasks: tuple[TaskRun, ...]


def named(workspace: WorkspaceClient, name: str) -> list[int]:
    """The ids of all jobs of this name."""
    jobs = ask(lambda: list(workspace.jobs.list(name=name)), f"job '{name}'", "CAN VIEW on the job")
    # The workspace finds names whatever their case.
    return sorted(job.job_id for job in jobs if job.settings and job.settings.name == name)


def find(workspace: WorkspaceClient, name: str) -> int:
    """The id of the job of this name; PlatformError where there is none, or more than one."""
    found = named(workspace, name)
    if len(found) != 1:
        told = f"{len(found)} jobs (ids {', '.join(map(str, found))})" if found else "no job"
        mend = "delete all but one" if found else "deploy it with `dbb deploy`, or ask for CAN VIEW"
        raise PlatformError(f"the workspace has {told} named '{name}': {mend}")
    return found[0]


def start(
    workspace: WorkspaceClient, job: int, parameters: Mapping[str, str], only: str | None
) -> int:
    """Start a job with these parameters, or one task of it; the run's id.

    An answer that was lost starts no second run: each call has a token of its own.
    """
    token = uuid.uuid4().hex
    started = ask(
        lambda: workspace.jobs.run_now(
            job,
            job_parameters=dict(parameters) or None,
            only=[only] if only else None,
            idempotency_token=token,
        ),
        f"job {job}",
        "CAN MANAGE RUN on the job",
        unanswered="it may have started: look at the job's runs before you start it again",
    )
    return started.response.run_id


def repair(workspace: WorkspaceClient, run: int) -> int:
    """Run again what failed in a run, and what follows it; the repair's id."""
    from databricks.sdk.errors import InvalidParameterValue

    latest = _latest_repair(workspace, run)
    try:
        return ask(
            lambda: workspace.jobs.repair_run(
                run,
                latest_repair_id=latest,
                rerun_all_failed_tasks=True,
                rerun_dependent_tasks=True,
            ),
            f"run {run}",
            "CAN MANAGE RUN on the job",
            passing=(InvalidParameterValue,),
            unanswered="it may be under way: look at the run's page before you repair it again",
        ).response.repair_id
    except InvalidParameterValue as error:
        # One has come in between: our own request whose answer was lost, or another's.
        if (later := _latest_repair(workspace, run)) not in (None, latest):
            return later
        raise PlatformError(f"run {run} can't be repaired: {error}") from error


def _latest_repair(workspace: WorkspaceClient, run: int) -> int | None:
    at = ask(
        lambda: workspace.jobs.get_run(run, include_history=True),
        f"run {run}",
        "CAN VIEW on the run",
    )
    return next(reversed([each.id for each in at.repair_history or () if each.id]), None)


def follow(
    workspace: WorkspaceClient,
    run: int,
    seen: Callable[[Progress], None],
    repair: int | None = None,
) -> JobRun:
    """Wait for the end of a run, or of its `repair`.

    `seen` is told of each look. Raises PlatformError when the
    workspace stops answering, or doesn't begin the repair; the run itself goes on.
    """
    limit = time.monotonic() + PATIENCE_SECONDS
    what, right = f"run {run}", "CAN VIEW on the run"
    while True:
        at = ask(
            lambda: workspace.jobs.get_run(run, include_history=True),
            what,
            right,
            just_made=True,
            unanswered="the run goes on",
        )
        if repair is None or _begun(at, repair):
            seen(
                Progress(
                    _look(at), {each.task_key: _look(each) for each in _newest(at.tasks or ())}
                )
            )
            if _ended(at.status):
                break
        elif time.monotonic() <= limit:
            told = f"repair {repair} has not begun yet"
            seen(Progress(Look("PENDING", at.run_page_url or "", told), {}))
        else:
            raise PlatformError(
                f"{what}: repair {repair} was accepted, but has not begun in "
                f"{PATIENCE_SECONDS // 60} minutes; see {at.run_page_url}"
            )
        time.sleep(POLL_SECONDS)
    return JobRun(
        run_id=run,
        state=_state(at.status),
        url=at.run_page_url or "",
        message=(details.message if (details := at.status.termination_details) else "") or "",
        tasks=tuple(_task(workspace, task) for task in _newest(at.tasks or ())),
    )


def _begun(at: Run, repair: int) -> bool:
    """Whether what is shown is the repair: at first a run still shows the end it had before."""
    shown = next((each for each in at.repair_history or () if each.id == repair), None)
    return shown is not None and (not _ended(at.status) or _ended(shown.status))


def _newest(tasks: Iterable[RunTask]) -> list[RunTask]:
    """The last attempt of each task: retries and repairs add theirs under the same key."""
    in_time = sorted(
        tasks, key=lambda each: (each.start_time or math.inf, each.attempt_number or 0)
    )
    newest = {each.task_key: each for each in in_time}
    return [newest[key] for key in dict.fromkeys(each.task_key for each in tasks)]


def _ended(status: RunStatus | None) -> bool:
    # While it is TERMINATING it has termination details already.
    return status is not None and status.state is not None and status.state.value == "TERMINATED"


def _task(workspace: WorkspaceClient, task: RunTask) -> TaskRun:
    """A task that has ended, with what it said if it failed."""
    state, told = _state(task.status), ""
    if state not in PASSED | NOT_RUN and task.run_id is not None:
        what = f"output of task {task.task_key}"
        try:
            call = workspace.jobs.get_run_output
            output = ask(lambda: call(task.run_id), what, "CAN VIEW on the run", just_made=True)
            told = output.error or ""
        except PlatformError as error:  # that the run has failed is known, and told
            told = str(error)
        details = task.status.termination_details if task.status else None
        told = told or (details.message if details else "") or "no message"
    return TaskRun(task.task_key, state, task.run_page_url or "", told)


def _look(one: Run | RunTask) -> Look:
    details = one.status.queue_details if one.status else None
    code = details.code.value if details and details.code else ""
    why = (details.message if details else "") or QUEUED_FOR.get(code, code)
    return Look(_state(one.status), one.run_page_url or "", why)


def _state(status: RunStatus | None) -> str:
    if status is None or status.state is None:
        return "PENDING"
    details = status.termination_details
    return details.code.value if _ended(status) and details and details.code else status.state.value
