"""The record of a run while it grows: every transition is written and shown."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nextbest.errors import PlatformError
from nextbest.runner import page, redacted, store
from nextbest.runner import record as records
from nextbest.runner.record import RunRecord, TaskRecord
from nextbest.runner.store import Folder

Observer = Callable[[RunRecord], None]


class Journal:
    """Keeps one run's record, in memory and on disk; safe to use from many threads.

    What is written has no secrets (`hidden`); the record in memory still does, for tasks need them.
    When the disk is full the set-aside room is given back, the record is written once more and
    `on_full` is called, so that the run can end in order.
    """

    def __init__(
        self,
        folder: Folder,
        record: RunRecord,
        observe: Observer,
        on_full: Callable[[str], None],
        hidden: tuple[str, ...] = (),
    ) -> None:
        self.folder = folder
        self.record = record
        self._observe = observe
        self._on_full = on_full
        self._hidden = hidden
        self._lock = threading.RLock()
        self._put(record)

    def task(self, key: str) -> TaskRecord:
        """The present record of a task."""
        return self.record.task(key)

    def update(self, **changes: Any) -> RunRecord:
        """Change fields of the run."""
        with self._lock:
            return self._put(replace(self.record, **changes))

    def update_task(self, key: str, change: Callable[[TaskRecord], TaskRecord]) -> TaskRecord:
        """Change one task by a function of its record."""
        with self._lock:
            tasks = tuple(change(t) if t.key == key else t for t in self.record.tasks)
            self._put(replace(self.record, tasks=tasks))
            return self.record.task(key)

    def finish(self, state: str, error: str | None) -> RunRecord:
        """Write the last record and the run's page into the room set aside for them."""
        with self._lock:
            self.folder.release()
            self._put(replace(self.record, state=state, error=error, end=records.now()))
            self.folder.write(
                "index.html", page.index(redacted.run(self.record, self._hidden), self._told())
            )
            return self.record

    def _told(self) -> dict[str, str]:
        """What the child runs had to say, by run."""
        lakehouse = self.folder.path.parents[1]
        children = {task.child_run_id for task in records.every_task(self.record.tasks)}
        return {
            child: "\n".join(store.summaries(lakehouse, store.load(lakehouse, child)))
            for child in children.intersection(store.run_ids(lakehouse))
        }

    def _put(self, record: RunRecord) -> RunRecord:
        self.record = record
        text = records.to_json(redacted.run(record, self._hidden))
        try:
            self.folder.write("run.json", text)
        except PlatformError as error:
            self.folder.release()
            self.folder.write("run.json", text)
            self._on_full(str(error))
        self._observe(record)
        return record
