"""Next best action, wired for the simulated world and for real click logs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame

from nextbest.data.contracts import contracts
from nextbest.data.interactions import FATIGUE_CAP
from nextbest.data.logging_policy import logging_probabilities
from nextbest.data.own_log.source import mapping_of, own_contracts
from nextbest.data.sources import read_source, simulated_world
from nextbest.data.truth import captured, truth
from nextbest.data.world import TREATMENTS
from nextbest.decisions.treatments import Treatments
from nextbest.settings import Settings
from nextbest.use_cases import UseCase
from nextbest.use_cases.nba_gates import click_gates, own_gates, simulated_gates
from nextbest.use_cases.nba_heads import CLICK_HEADS, SIMULATED_HEADS, log_head

CONTACT_POLICY = "at most 3 in 7 days per customer; 90 days of silence after opt_out per channel"


def wire(settings: Settings) -> UseCase:
    """Next best action over `settings.source`."""
    if settings.own_log:
        return _own_log(settings)
    simulated = settings.source == "simulated"
    return UseCase(
        name="nba",
        read=read_source,
        contracts=contracts(settings.source),
        heads=SIMULATED_HEADS if simulated else CLICK_HEADS,
        contact_policy=CONTACT_POLICY if simulated else "none",  # a banner is always shown
        gates=simulated_gates(settings) if simulated else click_gates(settings),
        captured=_captured if simulated else None,
    )


def _own_log(settings: Settings) -> UseCase:
    """The mapping tells the attributes, and the kinds of outcome with their worth."""
    mapping = mapping_of(settings)
    return UseCase(
        name="nba",
        read=read_source,
        contracts=own_contracts(mapping),
        heads=tuple(log_head(each.kind, each.worth) for each in mapping.outcomes),
        contact_policy="none",
        gates=own_gates(settings, mapping),
        captured=None,
    )


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
