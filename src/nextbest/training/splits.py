"""Splits by day: what is learned from lies before what it is judged on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nextbest.errors import DataError


@dataclass(frozen=True, eq=False)
class Split:
    """Three disjoint bool [n] masks over the rows, in the order of time."""

    train: np.ndarray
    calibration: np.ndarray
    holdout: np.ndarray


def last_days(decided_at: pd.Series, share: float) -> np.ndarray:
    """True in the last days (UTC) that hold about `share` of the rows, bool [n].

    Whole days, at least the last one, never all. Raises DataError when there are fewer than two
    days, since there is then no earlier and later.
    """
    days = _days(decided_at)
    counts = days.value_counts().sort_index()
    if len(counts) < 2:
        raise DataError(
            f"{len(days)} decisions lie on {len(counts)} day; learning needs at least two, one to "
            "fit and a later one to calibrate: raise history_days"
        )
    later = counts[::-1].cumsum()[::-1] / len(days)
    first = int(np.abs(later.to_numpy() - share)[1:].argmin()) + 1
    return (days >= counts.index[first]).to_numpy()


def split_by_day(decided_at: pd.Series, holdout_days: int, calibration_share: float = 0.2) -> Split:
    """Hold out the last `holdout_days` days (calendar, UTC), calibrate on the last before them.

    Raises DataError when a part would be empty.
    """
    days = _days(decided_at)
    if days.empty or holdout_days < 1:
        raise DataError(
            f"can't split {len(days)} decisions with holdout_days={holdout_days}; "
            "both must be positive"
        )
    start = days.max() - pd.Timedelta(days=holdout_days - 1)
    holdout = (days >= start).to_numpy()
    learning = np.flatnonzero(~holdout)
    later = last_days(decided_at.iloc[learning], calibration_share)
    calibration = np.zeros(len(days), dtype=bool)
    calibration[learning[later]] = True
    return Split(train=~holdout & ~calibration, calibration=calibration, holdout=holdout)


def _days(decided_at: pd.Series) -> pd.Series:
    if decided_at.isna().any():
        raise DataError(f"decided_at is null in {int(decided_at.isna().sum())} decisions")
    return pd.to_datetime(decided_at, utc=True).dt.floor("D")
