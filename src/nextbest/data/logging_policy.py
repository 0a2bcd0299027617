"""The policy that decided before we did: a noisy idea of value, some chance, exact propensities."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from nextbest.data.draws import normal, uniform
from nextbest.data.interactions import fatigue
from nextbest.data.truth import expected_net_value
from nextbest.data.world import TREATMENTS, World, customer_numbers, eligible

POLICY = "logging"
EXPLORATION = 0.1  # share of uniform choice: the smallest propensity is .1 / 29 = .00345
TEMPERATURE = 1.0  # of the softmax, in money
NOISE = 1.0  # sd of what the policy gets wrong about a treatment for a customer, in money


def logging_probabilities(
    world: World, base: pd.DataFrame, days: np.ndarray, worn: np.ndarray
) -> np.ndarray:
    """Probabilities [n, 29] of the logging policy; 0 where a treatment is not eligible.

    .9 · softmax(net value + noise) + .1 · uniform, over the eligible ones. It knows the world as
    it was: drift passes it by. Shapes as for `response_probability`; `worn` is fatigue.
    """
    known = dataclasses.replace(world, drift="none")
    number = customer_numbers(base["customer_id"], world.population)
    value = expected_net_value(known, base, days, worn)
    value += NOISE * normal(
        world.seed, "logging noise", number[:, None], np.arange(len(TREATMENTS))
    )
    allowed = eligible(base)
    value = np.where(allowed, value / TEMPERATURE, -np.inf)
    weight = np.exp(value - value.max(axis=1, keepdims=True))
    softmax = weight / weight.sum(axis=1, keepdims=True)
    return (1 - EXPLORATION) * softmax + EXPLORATION * allowed / allowed.sum(axis=1, keepdims=True)


def logged_day(world: World, base: pd.DataFrame, day: np.datetime64) -> pd.DataFrame:
    """What the logging policy decided on one day; its draws depend on (seed, day, customer).

    `base` are the customers there are on that day. Columns: row (position in `base`), decided_at
    (datetime64[us]), treatment (index into TREATMENTS), propensity, decision_id.
    """
    number = customer_numbers(base["customer_id"], world.population)
    ordinal = np.array([day.astype(np.int64)])
    lot = uniform(world.seed, "who is treated", ordinal, number)
    row = np.sort(np.argpartition(lot, world.decisions_per_day - 1)[: world.decisions_per_day])
    chosen, number = base.iloc[row], number[row]
    days = np.full(len(row), day)
    policy = logging_probabilities(world, chosen, days, fatigue(world, chosen, days))
    ladder = policy.cumsum(axis=1)
    dice = uniform(world.seed, "choice", ordinal, number) * ladder[:, -1]
    treatment = (ladder <= dice[:, None]).sum(axis=1)
    minute = np.floor(uniform(world.seed, "minute", ordinal, number) * 24 * 60).astype(np.int64)
    return pd.DataFrame(
        {
            "row": row,
            "decided_at": days.astype("datetime64[us]") + minute * np.timedelta64(1, "m"),
            "treatment": treatment,
            "propensity": policy[np.arange(len(row)), treatment],
            "decision_id": f"{POLICY}-{day}-" + chosen["customer_id"].to_numpy(),
        }
    )
