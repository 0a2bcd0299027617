"""Findings as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable

from nextbest.bundle.graph import Bundle, Diagnostic, ForEachTask

_COLORS = {"error": "\033[1;31m", "warning": "\033[1;33m", "note": "\033[1;36m"}
_DIM, _PLAIN = "\033[2m", "\033[0m"


def as_text(found: Iterable[Diagnostic], color: bool = False) -> str:
    """One paragraph per finding: severity and summary, then place and path, then the fix."""
    return "\n".join(_paragraph(item, color) for item in found)


def _paragraph(item: Diagnostic, color: bool) -> str:
    severity = f"{_COLORS[item.severity]}{item.severity}{_PLAIN}" if color else item.severity
    place = "  ".join(str(part) for part in (item.location, item.path) if part)
    lines = [f"{severity}: {item.summary}"]
    if place:
        lines.append(f"  at  {_DIM}{place}{_PLAIN}" if color else f"  at  {place}")
    if item.fix:
        lines.append(f"  fix {item.fix}")
    return "\n".join(lines)


def summary_line(target: str, bundle: Bundle | None, found: Iterable[Diagnostic]) -> str:
    """`dev: 6 jobs, 14 tasks, 0 errors, 0 warnings`; without a bundle only the findings."""
    severities = [item.severity for item in found]
    counts = []
    if bundle is not None:
        counts = [_count(len(bundle.jobs), "job"), _count(task_count(bundle), "task")]
    counts += [_count(severities.count(kind), kind) for kind in ("error", "warning")]
    if notes := severities.count("note"):
        counts.append(_count(notes, "note"))
    return f"{target}: {', '.join(counts)}"


def task_count(bundle: Bundle) -> int:
    """Number of tasks of all jobs; a loop's inner task counts too."""
    tasks = [task for job in bundle.jobs.values() for task in job.tasks]
    return len(tasks) + sum(isinstance(task.spec, ForEachTask) for task in tasks)


def as_json(target: str, bundle: Bundle | None, found: Iterable[Diagnostic]) -> str:
    """The same as one JSON object, for programs."""
    import json  # only here: keeps the start quick

    findings = [
        {
            "severity": item.severity,
            "summary": item.summary,
            "file": item.location.file if item.location else None,
            "line": item.location.line if item.location else None,
            "path": item.path,
            "fix": item.fix,
        }
        for item in found
    ]
    counts = {"jobs": len(bundle.jobs), "tasks": task_count(bundle)} if bundle else {}
    return json.dumps({"target": target, **counts, "findings": findings}, indent=2)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
