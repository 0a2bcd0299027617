"""Dynamic value references, `{{...}}`: what Databricks replaces when a task starts."""

from __future__ import annotations

import re
from collections.abc import Iterator

REFERENCE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")

_TIMES = (
    "iso_date", "iso_datetime", "iso_weekday", "is_weekday", "timestamp_ms", "year", "month",
    "day", "hour", "minute", "second",
)  # fmt: skip
# Per namespace the names that end a reference; a name with "." has more names below it.
KNOWN = {
    "job": (
        "id", "name", "run_id", "repair_count", "start_time.", "parameters.", "trigger.",
    ),
    "task": ("name", "run_id", "execution_count", "notebook_path"),
    "tasks": (
        "run_id", "result_state", "error_code", "execution_count", "notebook_path", "values.",
        "output.",
    ),
    "workspace": ("id", "url"),
}  # fmt: skip


def dynamic_references(text: str) -> Iterator[list[str]]:
    """The references in a string, split at their dots; those of no known namespace left out."""
    if "{{" not in text:
        return
    for name in REFERENCE.findall(text):
        steps = name.replace("`", "").split(".")
        if steps[0] in KNOWN or steps[0] == "input":
            yield steps


def unknown_part(steps: list[str]) -> tuple[str, tuple[str, ...]] | None:
    """The part of a reference that Databricks does not know and what it could be, or None.

    Names of job parameters, tasks and their values are not looked at here.
    """
    if steps[0] == "input":
        return None
    known = KNOWN[steps[0]]
    rest = steps[2:] if steps[0] == "tasks" else steps[1:]
    if not rest or not rest[0]:
        return ".".join(steps), known
    if rest[0] in known and len(rest) == 1:
        return None
    if f"{rest[0]}." not in known or len(rest) < 2 or not all(rest):
        return rest[0], tuple(name.rstrip(".") for name in known)
    if rest[0] == "start_time" and rest[1].strip("[]") not in _TIMES:
        return rest[1], _TIMES
    return None
