"""What each outcome of next best action is worth; without Spark, since a served model holds it."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

from nextbest.data.world import OPT_OUT_VALUE
from nextbest.decisions.heads import Head
from nextbest.decisions.treatments import NONE, Treatments


def response_value(customers: pd.DataFrame, treatments: Treatments) -> np.ndarray:
    """Money of a response: the treatment's value in monthly margins, [n, K]."""
    return _margin(customers) * treatments.value


def purchase_value(customers: pd.DataFrame, treatments: Treatments) -> np.ndarray:
    """Money of a purchase nobody asked for, whatever was offered: the value of "none", [n, 1]."""
    return _margin(customers) * treatments.value[treatments.names.index(NONE)]


def opt_out_value(customers: pd.DataFrame, treatments: Treatments) -> np.ndarray:
    """Money lost when a customer opts out, [n, 1]."""
    return _margin(customers) * OPT_OUT_VALUE


def click_value(customers: pd.DataFrame, treatments: Treatments) -> np.ndarray:
    """A click is worth what the item's row says (1 in the open bandit logs), [1, K]."""
    return treatments.value[None, :]


def log_value(customers: pd.DataFrame, treatments: Treatments, worth: float) -> np.ndarray:
    """The worth of an outcome times what the treatment's row says (1 unless told), [1, K]."""
    return worth * treatments.value[None, :]


def log_head(kind: str, worth: float) -> Head:
    """The head of one kind of outcome of a log of the user's own."""
    return Head(kind, kind, functools.partial(log_value, worth=worth))


SIMULATED_HEADS = (
    Head("response", "response", response_value, needs_contact=True),
    Head("purchase", "purchase", purchase_value, treatment=("action_id",)),
    Head("opt_out", "opt_out", opt_out_value, treatment=("channel",), needs_contact=True),
)
CLICK_HEADS = (Head("click", "click", click_value),)


def _margin(customers: pd.DataFrame) -> np.ndarray:
    return customers["monthly_margin"].to_numpy(dtype=float)[:, None]
