"""Splits: by customer for the gate, by day for the choice between ways to learn."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nextbest.decisions.randomness import fractions
from nextbest.errors import DataError


def held_out(customer_ids: pd.Series, share: float) -> np.ndarray:
    """Whether a customer's decisions are kept for judging, for good: bool [n].

    By a hash of the customer alone: every version of every day keeps the same customers, so that
    two versions can always be judged side by side on what neither has learned from, and the days
    of the newest decisions are not withheld from learning. A smaller share is part of a larger.
    """
    return fractions(customer_ids, "held out") < share


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


def _days(decided_at: pd.Series) -> pd.Series:
    if decided_at.isna().any():
        raise DataError(f"decided_at is null in {int(decided_at.isna().sum())} decisions")
    return pd.to_datetime(decided_at, utc=True).dt.floor("D")
