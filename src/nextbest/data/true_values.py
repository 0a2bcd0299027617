"""What policies were truly worth on a day of the simulated world, where the truth is known."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from nextbest.data.interactions import FATIGUE_CAP
from nextbest.data.logging_policy import logging_probabilities
from nextbest.data.truth import truth
from nextbest.data.world import TREATMENTS, World, customers

POLICIES = ("oracle", "ours", "control", "logging policy", "none")


def day_values(world: World, day: dt.date, decided: pd.DataFrame) -> dict[str, float]:
    """True expected net value per decision of each of POLICIES, over the customers of a day.

    decided: customer_id, treatment, contacts_7d, control_group of each of the day's decisions.
    `ours` and `control` are means over the decisions of either group (NaN where it is empty), the
    others over all of them.
    """
    base = customers(world, day).set_index("customer_id", drop=False)
    base = base.loc[decided["customer_id"]].reset_index(drop=True)
    fatigue = np.minimum(decided["contacts_7d"].to_numpy(), FATIGUE_CAP)
    known = truth(world, base, day, fatigue)
    days = np.full(len(base), np.datetime64(day))
    chosen = pd.Index(TREATMENTS).get_indexer(decided["treatment"])
    worth = pd.Series(known.net_value[np.arange(len(base)), chosen])
    control = decided["control_group"].to_numpy(dtype=bool)
    logging = logging_probabilities(world, base, days, fatigue)
    return {
        "oracle": float(np.where(known.eligible, known.net_value, -np.inf).max(axis=1).mean()),
        "ours": float(worth[~control].mean()),
        "control": float(worth[control].mean()),
        "logging policy": float((logging * known.net_value).sum(axis=1).mean()),
        "none": float(known.net_value[:, TREATMENTS.index("none")].mean()),
    }
