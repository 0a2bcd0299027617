"""Jobs of a workspace: found by name, started once, followed to their end.

States are those of the Jobs API 2.2 (`RunStatus`): until it ends a run or task is PENDING, RUNNING,
…; then it is what its termination code says: SUCCESS, SUCCESS_WITH_FAILURES, RUN_EXECUTION_ERROR, …
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nextbest.errors import PlatformError
from nextbest.platforms.databricks.asking import ask

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.jobs import RunStatus, RunTask

POLL_SECONDS = 5
PASSED = frozenset({"SUCCESS", "SUCCESS_WITH_FAILURES"})
NOT_RUN = frozenset({"SKIPPED", "DISABLED"})


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
    )
    return started.response.run_id


def repair(workspace: WorkspaceClient, run: int) -> None:
    """Run again what failed in a run, and what follows it."""
    from databricks.sdk.errors import InvalidParameterValue

    history = ask(
        lambda: workspace.jobs.get_run(run, include_history=True), f"run {run}", "CAN VIEW on it"
    ).repair_history  # fmt: skip
    latest = [each.id for each in history or () if each.id]
    try:
        ask(
            lambda: workspace.jobs.repair_run(
                run,
                latest_repair_id=latest[-1] if latest else None,
                rerun_all_failed_tasks=True,
                rerun_dependent_tasks=True,
            ),
            f"run {run}",
            "CAN MANAGE RUN on the job",
            passing=(InvalidParameterValue,),
        )
    except InvalidParameterValue as error:
        raise PlatformError(f"run {run} can't be repaired: {error}") from error


def follow(
    workspace: WorkspaceClient, run: int, changed: Callable[[str, str, str], None]
) -> JobRun:
    """Wait for the end of a run; `changed` is told of each task that changed, its state and page.

    Raises PlatformError when the workspace stops answering; the run itself goes on.
    """
    seen: dict[str, str] = {}
    while True:
        at = ask(lambda: workspace.jobs.get_run(run), f"run {run}", "CAN VIEW on the run")
        for task in at.tasks or ():
            state = _state(task.status)
            if seen.get(task.task_key) != state:
                seen[task.task_key] = state
                changed(task.task_key, state, task.run_page_url or "")
        if at.status is not None and at.status.termination_details is not None:
            break
        time.sleep(POLL_SECONDS)
    return JobRun(
        run_id=run,
        state=_state(at.status),
        url=at.run_page_url or "",
        message=at.status.termination_details.message or "",
        tasks=tuple(_task(workspace, task) for task in at.tasks or ()),
    )


def _task(workspace: WorkspaceClient, task: RunTask) -> TaskRun:
    """A task that has ended, with what it said if it failed."""
    state, told = _state(task.status), ""
    if state not in PASSED | NOT_RUN and task.run_id is not None:
        what = f"output of task {task.task_key}"
        output = ask(lambda: workspace.jobs.get_run_output(task.run_id), what, "CAN VIEW on it")
        details = task.status.termination_details if task.status else None
        told = output.error or (details.message if details else "") or "no message"
    return TaskRun(task.task_key, state, task.run_page_url or "", told)


def _state(status: RunStatus | None) -> str:
    if status is None or status.state is None:
        return "PENDING"
    ended = status.termination_details
    return ended.code.value if ended and ended.code else status.state.value
