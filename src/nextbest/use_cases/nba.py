"""Next best action: what an outcome is worth, on the simulated world and on real click logs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame

from nextbest.data.contracts import contracts
from nextbest.data.interactions import FATIGUE_CAP
from nextbest.data.logging_policy import logging_probabilities
from nextbest.data.sources import read_source, simulated_world
from nextbest.data.truth import captured, truth
from nextbest.data.world import OPT_OUT_VALUE, TREATMENTS
from nextbest.decisions.heads import Head
from nextbest.decisions.treatments import NONE, Treatments
from nextbest.settings import Settings
from nextbest.use_cases import UseCase


def wire(settings: Settings) -> UseCase:
    """Next best action over `settings.source`."""
    simulated = settings.source == "simulated"
    return UseCase(
        name="nba",
        read=read_source,
        contracts=contracts(settings.source),
        heads=SIMULATED_HEADS if simulated else CLICK_HEADS,
        captured=_captured if simulated else None,
    )


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


SIMULATED_HEADS = (
    Head("response", "response", response_value, needs_contact=True),
    Head("purchase", "purchase", purchase_value, treatment=("action_id",)),
    Head("opt_out", "opt_out", opt_out_value, treatment=("channel",), needs_contact=True),
)
CLICK_HEADS = (Head("click", "click", click_value),)


def _margin(customers: pd.DataFrame) -> np.ndarray:
    return customers["monthly_margin"].to_numpy(dtype=float)[:, None]


def _captured(
    settings: Settings,
    decisions: DataFrame,
    customers: pd.DataFrame,
    treatments: Treatments,
    probabilities: np.ndarray,
) -> Mapping[str, float]:
    """Share of the oracle's gap that our policy and the logging policy capture on `as_of`."""
    world = simulated_world(settings, decisions)
    day = np.full(len(customers), np.datetime64(settings.as_of))
    fatigue = np.minimum(customers["contacts_7d"].to_numpy(), FATIGUE_CAP)
    known = truth(world, customers, settings.as_of, fatigue)
    ours = probabilities[:, treatments.index(TREATMENTS)]
    before = logging_probabilities(world, customers, day, fatigue)
    return {"ours": captured(known, ours), "logging policy": captured(known, before)}
