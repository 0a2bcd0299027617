"""Which window an instant falls into, by the granularities of Databricks data profiling."""

from __future__ import annotations

import datetime as dt

import numpy as np

from nextbest.errors import DataError

MICROS = dt.timedelta(microseconds=1)
EPOCH = dt.datetime(1970, 1, 1)
_UNITS = {
    "minute": dt.timedelta(minutes=1),
    "hour": dt.timedelta(hours=1),
    "day": dt.timedelta(days=1),
    "week": dt.timedelta(weeks=1),
}
_CALENDAR = {"1 month": "M", "1 year": "Y"}


def starts(micros: np.ndarray, granularity: str) -> np.ndarray:
    """Start of the window of each instant, both in µs since 1970 (int64), UTC.

    `granularity`: "5 minutes", "30 minutes", "1 hour", "1 day", "<n> week(s)", "1 month", "1 year"
    or another number of the fixed units; these are counted from 1970-01-01. DataError for others.
    """
    if granularity in _CALENDAR:
        times = micros.astype("datetime64[us]")
        start = times.astype(f"datetime64[{_CALENDAR[granularity]}]").astype("datetime64[us]")
        return start.astype(np.int64)
    width = _length(granularity) // MICROS
    return micros - micros % width


def end(start: int, granularity: str) -> int:
    """Where the window that starts there ends (exclusive), in µs since 1970."""
    if granularity in _CALENDAR:
        following = np.datetime64(start, "us").astype(f"datetime64[{_CALENDAR[granularity]}]") + 1
        return int(following.astype("datetime64[us]").astype(np.int64))
    return start + _length(granularity) // MICROS


def shorter_than_a_day(granularity: str) -> bool:
    """Whether a day has several such windows."""
    return granularity not in _CALENDAR and _length(granularity) < dt.timedelta(days=1)


def window_of(day: dt.date, granularity: str) -> tuple[dt.datetime, dt.datetime]:
    """Start and end (exclusive) of the window that holds the first instant of `day`, UTC.

    Raises DataError for granularities below a day, of which a day has many.
    """
    if shorter_than_a_day(granularity):
        raise DataError(
            f"monitor granularity {granularity!r}: "
            'use "<n> day", "<n> week", "1 month" or "1 year"'
        )
    midnight = (dt.datetime(day.year, day.month, day.day) - EPOCH) // MICROS
    start = int(starts(np.array([midnight]), granularity)[0])
    return EPOCH + start * MICROS, EPOCH + end(start, granularity) * MICROS


def _length(granularity: str) -> dt.timedelta:
    number, _, unit = granularity.partition(" ")
    length = _UNITS.get(unit.removesuffix("s")) if number.isdigit() else None
    if length is None or not int(number):
        raise DataError(
            f"monitor granularity {granularity!r} is none: "
            'use "5 minutes", "30 minutes", "1 hour", "1 day", "<n> week", "1 month" or "1 year"'
        )
    return int(number) * length
