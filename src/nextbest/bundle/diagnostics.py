"""Short ways to write a finding."""

from __future__ import annotations

from collections.abc import Iterable

from nextbest.bundle.graph import Diagnostic, Location

_SEVERITIES = ("error", "warning", "note")


def error(summary: str, at: Location | None, path: str = "", fix: str = "") -> Diagnostic:
    """Something that Databricks refuses, or that can't be run."""
    return Diagnostic("error", summary, at, path, fix)


def warning(summary: str, at: Location | None, path: str = "", fix: str = "") -> Diagnostic:
    """Something that works, but most likely not as it was meant."""
    return Diagnostic("warning", summary, at, path, fix)


def note(summary: str, at: Location | None, path: str = "", fix: str = "") -> Diagnostic:
    """Something that is still to be given before a deployment; nothing is wrong with the files."""
    return Diagnostic("note", summary, at, path, fix)


def near(name: str, known: Iterable[str]) -> str:
    """The fix for a name that does not exist: the nearest known one, or all of them."""
    import difflib  # only for findings: keeps the start quick

    names = sorted(set(known))
    matches = difflib.get_close_matches(name, names, n=1)
    if matches:
        return f"did you mean '{matches[0]}'?"
    if not names:
        return "there are none"
    return "known: " + ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")


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
