"""A run's record as it may be written down and shown: secrets blacked out in what tasks said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nextbest.runner.record import RunRecord, TaskError, TaskRecord
from nextbest.runner.secrets import BLACKED_OUT, redact


def run(record: RunRecord, hidden: tuple[str, ...]) -> RunRecord:
    """The record without secrets; names, states and times are left alone."""
    if not hidden:
        return record
    return replace(
        record,
        parameters=_values(record.parameters, hidden),
        error=redact(record.error, hidden),
        tasks=tuple(task(each, hidden) for each in record.tasks),
    )


def task(record: TaskRecord, hidden: tuple[str, ...]) -> TaskRecord:
    """A task's record without secrets."""
    return replace(
        record,
        parameters=_values(record.parameters, hidden),
        result=redact(record.result, hidden),
        values=redact(record.values, hidden),
        input=redact(record.input, hidden),
        error=_error(record.error, hidden),
        attempts=tuple(replace(a, error=_error(a.error, hidden)) for a in record.attempts),
        iterations=tuple(task(each, hidden) for each in record.iterations),
    )


def unknown_parameters(record: RunRecord) -> list[str]:
    """Parameters whose values the record could not keep."""
    return [name for name, text in record.parameters.items() if BLACKED_OUT in text]


def _values(values: Mapping[str, str], hidden: tuple[str, ...]) -> dict[str, str]:
    return {name: redact(text, hidden) for name, text in values.items()}


def _error(error: TaskError | None, hidden: tuple[str, ...]) -> TaskError | None:
    return None if error is None else replace(error, message=redact(error.message, hidden))
