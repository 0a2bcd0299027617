"""Past runs of a lakehouse, as `dbb costs --local` counts them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from nextbest.platforms.run_history import History, PastRun, PastTask
from nextbest.runner import store
from nextbest.runner.record import RunRecord, TaskRecord, every_task
from nextbest.runner.states import PASSED, RUNNING, SKIPPED


def history(lakehouse: Path, target: str, since: dt.datetime) -> History:
    """The runs of a target that began since (UTC), child runs included; nothing is billed here."""
    records = (store.load(lakehouse, run_id) for run_id in reversed(store.run_ids(lakehouse)))
    return History(
        tuple(
            _run(record)
            for record in records
            if record.target == target and dt.datetime.fromisoformat(record.start) >= since
        )
    )


def _run(record: RunRecord) -> PastRun:
    going_on = record.state == RUNNING
    return PastRun(
        run_id=record.run_id,
        job=record.job_key,
        start=dt.datetime.fromisoformat(record.start),
        seconds=_active(record),
        state="" if going_on else record.state,
        passed=None if going_on else record.state in PASSED,
        tasks=tuple(
            PastTask(task.key, len(task.attempts), _seconds(task))
            for task in every_task(record.tasks)
            if task.state != SKIPPED and task.attempts
        ),
    )


def _active(record: RunRecord) -> float | None:
    """How long it ran: not how long it lay there until it was repaired."""
    whole = _span(record.start, record.end)
    if whole is None or not record.repair_count:
        return whole
    total, until = 0.0, record.start
    attempts = (each for task in every_task(record.tasks) for each in task.attempts)
    for each in sorted(attempts, key=lambda each: each.start):
        if each.end is not None and each.end > until:
            total += _span(max(each.start, until), each.end) or 0.0
            until = each.end
    return total


def _seconds(task: TaskRecord) -> float | None:
    """How long its attempts took together."""
    spans = [_span(each.start, each.end) for each in task.attempts]
    return None if None in spans else sum(filter(None, spans))


def _span(start: str, end: str | None) -> float | None:
    """Seconds; None where the end is not known: it goes on, or its process was killed."""
    if end is None:
        return None
    return (dt.datetime.fromisoformat(end) - dt.datetime.fromisoformat(start)).total_seconds()
