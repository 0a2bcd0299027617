"""What is kept of a run: frozen values, as `run.json` holds them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nextbest.errors import RunError
from nextbest.runner.states import PENDING

VERSION = 1


@dataclass(frozen=True)
class TaskError:
    """What went wrong: exception type, message, and the notebook's or bundle's file:line."""

    type: str
    message: str
    location: str = ""

    def __str__(self) -> str:
        at = f"{self.location}: " if self.location else ""
        return f"{at}{self.type}: {self.message}" if self.type else f"{at}{self.message}"


@dataclass(frozen=True)
class Attempt:
    """One execution of a task; log and page are paths relative to the run's folder."""

    number: int
    run_id: str
    state: str
    start: str
    end: str | None = None
    log: str | None = None
    page: str | None = None
    error: TaskError | None = None


@dataclass(frozen=True)
class TaskRecord:
    """One task of a run, with all its attempts; times are UTC in ISO form."""

    key: str
    kind: str  # notebook | condition | run_job | for_each
    state: str = PENDING
    start: str | None = None
    end: str | None = None
    attempts: tuple[Attempt, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    result: str | None = None  # what dbutils.notebook.exit was given
    values: Mapping[str, Any] = field(default_factory=dict)
    outcome: str | None = None  # of a condition task: "true" or "false"
    child_run_id: str | None = None  # of a run_job task
    input: Any = None  # of an iteration
    iterations: tuple[TaskRecord, ...] = ()  # of a for_each task
    error: TaskError | None = None


@dataclass(frozen=True)
class RunRecord:
    """One run of one job."""

    run_id: str
    job_key: str
    job_name: str
    bundle: str
    target: str
    parameters: Mapping[str, str]
    state: str
    start: str
    pid: int
    tasks: tuple[TaskRecord, ...]
    end: str | None = None
    only: str | None = None
    git_commit: str | None = None
    parent: str | None = None  # run id of the run whose run_job task started this one
    repair_count: int = 0
    error: str | None = None  # why the run as a whole was stopped
    version: int = VERSION

    def task(self, key: str) -> TaskRecord:
        """The record of one task."""
        return next(task for task in self.tasks if task.key == key)


def now() -> str:
    """The present, UTC, in ISO form with milliseconds."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


def seconds(start: str | None, end: str | None) -> float:
    """Length of a span of ISO times; one without an end lasts until now, one without start is 0."""
    if start is None:
        return 0.0
    return (
        dt.datetime.fromisoformat(end or now()) - dt.datetime.fromisoformat(start)
    ).total_seconds()


def to_json(record: RunRecord) -> str:
    """The text of `run.json`."""
    return json.dumps(dataclasses.asdict(record), indent=1, ensure_ascii=False) + "\n"


def from_json(text: str, source: str) -> RunRecord:
    """Read `run.json`; raises RunError naming `source` when it is of another version or broken."""
    try:
        values = json.loads(text)
        if values["version"] != VERSION:
            raise RunError(f"{source} was written by another version of dbb: {values['version']}")
        return RunRecord(**{**values, "tasks": tuple(map(_task, values["tasks"]))})
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{source} is no run record ({error!r}): remove its folder") from error


def _task(values: Mapping[str, Any]) -> TaskRecord:
    return TaskRecord(
        **{
            **values,
            "attempts": tuple(
                Attempt(**{**each, "error": _error(each["error"])}) for each in values["attempts"]
            ),
            "iterations": tuple(map(_task, values["iterations"])),
            "error": _error(values["error"]),
        }
    )


def _error(values: Mapping[str, str] | None) -> TaskError | None:
    return None if values is None else TaskError(**values)


def every_task(tasks: Sequence[TaskRecord]) -> Iterator[TaskRecord]:
    """The tasks, each followed by its iterations."""
    for task in tasks:
        yield task
        yield from task.iterations
