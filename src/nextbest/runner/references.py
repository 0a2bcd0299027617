"""Dynamic value references: `{{job.run_id}}`, `{{tasks.t.values.k}}` and the others.

Semantics: Databricks "What is a dynamic value reference?": text is replaced, nothing is computed;
an unknown namespace stays as it stands, an invalid name in a known one is an error.
"""

from __future__ import annotations

import datetime as dt
import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nextbest.errors import RunError

_REFERENCE = re.compile(r"\{\{([^{}]*)\}\}")
_SEGMENT = re.compile(r"`([^`]+)`|(\w+)")
_NAMESPACES = ("job", "task", "tasks", "input", "workspace")
_TIMES = {
    "iso_weekday": lambda t: str(t.isoweekday()),
    "is_weekday": lambda t: str(t.isoweekday() <= 5).lower(),
    "iso_date": lambda t: t.date().isoformat(),
    "iso_datetime": lambda t: t.strftime("%Y-%m-%dT%H:%M:%S"),
    "year": lambda t: str(t.year),
    "month": lambda t: str(t.month),
    "day": lambda t: str(t.day),
    "hour": lambda t: str(t.hour),
    "minute": lambda t: str(t.minute),
    "second": lambda t: str(t.second),
    "timestamp_ms": lambda t: str(int(t.timestamp() * 1000)),
}


@dataclass(frozen=True)
class Ended:
    """What a reference may ask about a task that has ended."""

    result_state: str
    run_id: str = ""
    execution_count: int = 0
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scope:
    """What references can see: the run, perhaps the task, the ended tasks, a for-each input."""

    job_id: str
    job_name: str
    run_id: str
    start: dt.datetime
    repair_count: int
    trigger: str  # onetime | run_job_task
    parameters: Mapping[str, str] | None = None  # None: not resolved yet
    task: Mapping[str, str] | None = None  # name, run_id, execution_count, notebook_path
    tasks: Mapping[str, Ended] = field(default_factory=dict)
    known_tasks: Sequence[str] = ()
    input: Any = None
    has_input: bool = False


def substitute(text: str, scope: Scope) -> str:
    """`text` with every reference replaced; raises RunError naming the one that is invalid."""

    def one(match: re.Match[str]) -> str:
        path = _parse(match[1].strip())
        return match[0] if path is None else _text(_lookup(path, scope, match[0]))

    return _REFERENCE.sub(one, text)


def _parse(inner: str) -> list[str] | None:
    """Segments of a path; None when the text is no reference of a known namespace."""
    if re.split(r"\W", inner, maxsplit=1)[0] not in _NAMESPACES:
        return None
    path, at = [], 0
    while True:
        match = _SEGMENT.match(inner, at)
        if match is None:
            break
        path.append(match[1] or match[2])
        at = match.end()
        if at == len(inner):
            return path
        if inner[at] != ".":
            break
        at += 1
    raise RunError(
        f"{{{{{inner}}}}} is no valid reference: names with other characters than letters, "
        "digits and _ stand in backticks, as in {{tasks.`my-task`.values.x}}"
    )


def _lookup(path: list[str], scope: Scope, shown: str) -> Any:
    match path:
        case ["job", "id"]:
            return scope.job_id
        case ["job", "name"]:
            return scope.job_name
        case ["job", "run_id"]:
            return scope.run_id
        case ["job", "repair_count"]:
            return scope.repair_count
        case ["job", "start_time" | "trigger" as what, *rest]:
            return _time_or_trigger(what, rest, scope, shown)
        case ["job", "parameters", name] if scope.parameters is not None:
            return _member(name, scope.parameters, f"{shown}: the job has no parameter '{name}'")
        case ["task", name] if scope.task is not None:
            return _member(name, scope.task, f"{shown}: a task has no '{name}'")
        case ["tasks", key, *rest] if rest:
            return _of_task(key, rest, scope, shown)
        case ["input", *rest] if scope.has_input:
            return _of_input(scope.input, rest, shown)
        case ["workspace", *_]:
            raise RunError(f"{shown} is known on Databricks only, not in a local run")
    raise RunError(f"{shown} is no valid reference here")


def _time_or_trigger(what: str, rest: list[str], scope: Scope, shown: str) -> str:
    if what == "trigger" and rest == ["type"]:
        return scope.trigger
    if what == "trigger" and rest[:1] == ["time"]:
        rest = rest[1:]
    elif what == "trigger":
        raise RunError(f"{shown} is not known in a local run: only type and time are")
    if len(rest) != 1:
        raise RunError(f"{shown} needs one of {', '.join(_TIMES)}")
    return _member(rest[0], _TIMES, f"{shown}: a time has no '{rest[0]}'")(scope.start)


def _of_task(key: str, rest: list[str], scope: Scope, shown: str) -> Any:
    if key not in scope.known_tasks:
        _member(key, dict.fromkeys(scope.known_tasks), f"{shown}: the job has no task '{key}'")
    if key not in scope.tasks:
        raise RunError(f"{shown}: task '{key}' has not ended; depend on it (depends_on)")
    ended = scope.tasks[key]
    match rest:
        case ["values", name]:
            return _member(name, ended.values, f"{shown}: task '{key}' set no value '{name}'")
        case ["result_state"]:
            return ended.result_state.lower()
        case ["run_id"]:
            return ended.run_id
        case ["execution_count"]:
            return ended.execution_count
    raise RunError(
        f"{shown} is no valid reference: of a task there are values.NAME, result_state, run_id "
        "and execution_count"
    )


def _of_input(value: Any, rest: list[str], shown: str) -> Any:
    for name in rest:
        if not isinstance(value, Mapping):
            raise RunError(f"{shown}: the input is {json.dumps(value)}, which has no '{name}'")
        value = _member(name, value, f"{shown}: the input has no '{name}'")
    return value


def _member(name: str, known: Mapping[str, Any], complaint: str) -> Any:
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    raise RunError(complaint + (f": did you mean '{near[0]}'?" if near else ""))


def _text(value: Any) -> str:
    """Text as it is; everything else as JSON, so that True becomes "true"."""
    return value if isinstance(value, str) else json.dumps(value)
