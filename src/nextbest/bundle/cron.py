"""Quartz cron expressions, as Databricks takes them: seconds first, six or seven fields."""

from __future__ import annotations

import re

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS = (
    ("seconds", 0, 59, ()),
    ("minutes", 0, 59, ()),
    ("hours", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 1, 7, _DAYS),
    ("year", 1970, 2099, ()),
)


def problem_with(expression: str) -> str | None:
    """Why an expression is no Quartz cron expression, or None when it is one."""
    fields = expression.upper().split()
    if len(fields) not in (6, 7):
        return (
            f"it has {len(fields)} fields, not 6 or 7"
            " (seconds minutes hours day-of-month month day-of-week [year])"
        )
    for text, (name, low, high, names) in zip(fields, _FIELDS, strict=False):
        for part in text.split(","):
            if not _valid(part, text, name, low, high, names):
                return f"'{part}' is no {name} ({low}-{high})"
    if (fields[3] == "?") == (fields[5] == "?"):
        return "exactly one of day of month and day of week must be '?'"
    return None


def _valid(part: str, whole: str, name: str, low: int, high: int, names: tuple[str, ...]) -> bool:
    if part == "?":
        return whole == "?" and name in ("day of month", "day of week")
    if name == "day of month" and _special_day_of_month(part):
        return True
    if name == "day of week" and _special_day_of_week(part):
        return True
    base, slash, step = part.partition("/")
    if slash and not (step.isascii() and step.isdigit() and 0 < int(step[:9]) <= high):
        return False
    if base == "*" or (base == "" and slash):
        return True
    first, dash, last = base.partition("-")
    ends = [first, last] if dash else [first]
    return all(_number(end, low, high, names) for end in ends)


def _number(text: str, low: int, high: int, names: tuple[str, ...]) -> bool:
    if text in names:
        return True
    return text.isascii() and text.isdigit() and low <= int(text[:9]) <= high


def _special_day_of_month(part: str) -> bool:
    """L, LW, L-3 (before the last day), 15W (the nearest weekday)."""
    if part in ("L", "LW"):
        return True
    match = re.fullmatch(r"(?:L-([0-9]{1,2})W?|([0-9]{1,2})W)", part)
    return match is not None and (
        int(match[1]) <= 30 if match[1] is not None else 1 <= int(match[2]) <= 31
    )


def _special_day_of_week(part: str) -> bool:
    """L, FRIL or 6L (the last Friday), 6#3 (the third Friday)."""
    match = re.fullmatch(r"([A-Z]{3}|[1-7])(?:L|#[1-5])", part)
    return part == "L" or (match is not None and (match[1] in _DAYS or match[1].isdigit()))
