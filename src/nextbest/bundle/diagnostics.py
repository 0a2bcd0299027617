"""Short ways to write a finding."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from nextbest.bundle.graph import Diagnostic, Edit, Location

_SEVERITIES = ("error", "warning", "note")


def error(
    summary: str, at: Location | None, path: str = "", fix: str = "", edit: Edit | None = None
) -> Diagnostic:
    """Something that Databricks refuses, or that can't be run."""
    return Diagnostic("error", summary, at, path, fix, edit)


def warning(
    summary: str, at: Location | None, path: str = "", fix: str = "", edit: Edit | None = None
) -> Diagnostic:
    """Something that works, but most likely not as it was meant."""
    return Diagnostic("warning", summary, at, path, fix, edit)


def note(
    summary: str, at: Location | None, path: str = "", fix: str = "", edit: Edit | None = None
) -> Diagnostic:
    """Something to know, or still to be given before a deployment; the files mean what they say."""
    return Diagnostic("note", summary, at, path, fix, edit)


def near(name: str, known: Iterable[str]) -> str:
    """The fix for a name that does not exist: the nearest known one, or all of them."""
    from nextbest.bundle.spelling import nearest, similar  # only for findings

    names = sorted(set(known))
    match = nearest(name, names) or similar(name, names)
    if match:
        return f"did you mean '{match}'?"
    if not names:
        return "there are none"
    return "known: " + ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")


def respelled(
    kind: Literal["key", "value"],
    at: Location | None,
    name: str,
    known: Iterable[str],
    form: str = "*",
) -> Edit | None:
    """The edit that spells `name` as the one known name it must be, or None where that is a guess.

    In `form`, which is what stands in the file, `*` is the name.
    """
    from nextbest.bundle.spelling import nearest  # only for findings

    match = nearest(name, known)
    if match is None or at is None:
        return None
    return Edit(kind, at, form.replace("*", name), form.replace("*", match))


def ordered(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Every finding once: errors first, then warnings, notes last; by file and line."""

    def rank(item: Diagnostic) -> tuple[int, str, int, int, str, str]:
        at = item.location or Location("", 0)
        return (
            _SEVERITIES.index(item.severity),
            at.file,
            at.line,
            at.column,
            item.path,
            item.summary,
        )

    unique = {(item.severity, item.summary, item.location): item for item in found}
    return tuple(sorted(unique.values(), key=rank))
