"""Durations, worded the same wherever runs are shown."""

from __future__ import annotations


def span(seconds: float | None) -> str:
    """A duration as people read it, to the second above a minute."""
    if seconds is None:
        return "—"
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return (
        f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
    )
