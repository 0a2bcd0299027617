"""A plain log of three offers, and what most mappings of a log begin with."""

from __future__ import annotations

import numpy as np
import pandas as pd

TIMED = "decisions: {decided_at: t, action_id: a, channel: {constant: mail}, eligible: all,"
SHARES = {"A": 0.5, "B": 0.3, "C": 0.2}


def rows_of(count=1500):
    draw = np.random.default_rng(3)
    offer = draw.choice(list(SHARES), count, p=list(SHARES.values()))
    return pd.DataFrame({
        "date": [f"2026-01-{1 + k % 28:02d}" for k in range(count)],
        "customer_id": draw.integers(1, 300, count), "offer": offer,
        "propensity": pd.Series(offer).map(SHARES), "clicked": draw.integers(0, 2, count),
    })  # fmt: skip
