"""What the parts of a running job share: frozen values, and the one place of a task's record."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nextbest.bundle.graph import Bundle, Job
from nextbest.runner import states
from nextbest.runner.cancel import Cancel
from nextbest.runner.journal import Journal, Observer
from nextbest.runner.process import ForkServer
from nextbest.runner.record import TaskError, TaskRecord
from nextbest.runner.references import Ended, Scope


@dataclass(frozen=True)
class Shared:
    """What all runs of one `dbb run` have in common."""

    bundle: Bundle
    lakehouse: Path
    server: ForkServer
    slots: threading.Semaphore  # notebooks at the same time
    environment: Mapping[str, str]
    platform: str  # that notebooks are told to use
    schemas: tuple[str, ...]
    hidden: tuple[str, ...]  # secrets
    observe: Observer
    git_commit: str | None


@dataclass(frozen=True)
class Run:
    """One run of one job while it goes on."""

    shared: Shared
    job: Job
    journal: Journal
    cancel: Cancel
    earlier: Mapping[str, Ended]  # with --only: what other tasks left behind in earlier runs

    def scope(self) -> Scope:
        """What references of this run's tasks can see."""
        record = self.journal.record
        ended = {
            task.key: Ended(task.state, task_run_id(task), len(task.attempts), task.values)
            for task in record.tasks
            if task.state in states.ENDED and task.state != states.SKIPPED
        }
        return Scope(
            job_id=self.job.key,
            job_name=self.job.name,
            run_id=record.run_id,
            start=dt.datetime.fromisoformat(record.start),
            repair_count=record.repair_count,
            trigger="onetime" if record.parent is None else "run_job_task",
            parameters=record.parameters,
            tasks={**self.earlier, **ended},
            known_tasks=tuple(task.key for task in self.job.tasks),
        )


@dataclass(frozen=True)
class Done:
    """How one attempt ended, and what changes in the task's record with it."""

    state: str
    error: TaskError | None = None
    retry: bool = True  # whether trying again could help
    changes: Mapping[str, Any] | None = None
    log: str | None = None
    page: str | None = None


@dataclass(frozen=True)
class Place:
    """Where a task's record stands in a run: at the top, or as an iteration of a for-each task."""

    journal: Journal
    key: str
    index: int | None = None

    def get(self) -> TaskRecord:
        """The present record."""
        task = self.journal.task(self.key)
        return task if self.index is None else task.iterations[self.index]

    def change(self, change: Callable[[TaskRecord], TaskRecord]) -> None:
        """Change the record by a function of it."""
        if self.index is None:
            self.journal.update_task(self.key, change)
        else:
            self.journal.update_task(self.key, lambda task: self._within(task, change))

    def _within(self, task: TaskRecord, change: Callable[[TaskRecord], TaskRecord]) -> TaskRecord:
        done = tuple(change(t) if n == self.index else t for n, t in enumerate(task.iterations))
        return replace(task, iterations=done)


def task_run_id(task: TaskRecord) -> str:
    """Id of a task's last attempt."""
    return task.attempts[-1].run_id if task.attempts else ""
