"""What the simulated world knows and no real one tells: the exact worth of every treatment."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from nextbest.data.draws import normal
from nextbest.data.world import (
    ATTRIBUTES,
    CHANNELS,
    COSTS,
    OFFERS,
    OPT_OUT_VALUE,
    ORGANIC_VALUE,
    PAIRS,
    TREATMENTS,
    VALUES,
    World,
    eligible,
)
from nextbest.errors import DataError

_INTERCEPTS = np.array([-np.inf, *(offer.intercept + channel.logit for offer, channel in PAIRS)])
_OPT_OUT = np.array([0.0, *(channel.opt_out for _, channel in PAIRS)])
_SLEEPING = np.array([False, *(offer.action_id == "retention_discount" for offer, _ in PAIRS)])
# Mean delay in days of what an action brings about; an organic purchase takes its own time.
DELAYS = np.array([3.0, *(channel.delay for _, channel in PAIRS)])
ORGANIC_DELAY = 3.0


def response_probability(
    world: World, base: pd.DataFrame, days: np.ndarray, fatigue: np.ndarray
) -> np.ndarray:
    """Probability [n, 29] that a customer responds to each treatment (none: 0).

    `base` has the columns of table `customers`, `days` [n] is datetime64[D], `fatigue` [n] counts
    the contacts of the seven days before.
    """
    x = base[list(ATTRIBUTES)].to_numpy()
    day = days.astype("datetime64[D]").astype(np.int64)
    season = 0.20 * np.sin(2 * np.pi * day / 7) + 0.15 * np.sin(2 * np.pi * day / 30.44)
    logit = x @ _weights(world.seed, "weights", 0.40, 0.20)
    logit += _INTERCEPTS + (season - 0.25 * fatigue)[:, None]
    if world.drift in ("concept", "both"):
        drifted = days.astype("datetime64[D]") >= np.datetime64(world.drift_from)
        logit += (x * drifted[:, None]) @ _weights(world.seed, "drifted weights", 0.60, 0.30)
    return expit(logit)


def organic_probability(base: pd.DataFrame) -> np.ndarray:
    """Probability [n, 29] of a purchase nobody asked for, under each treatment.

    Sleeping dogs: the retention discount cuts it by 40 % in the loyal segment.
    """
    tenure = base["tenure_months"].to_numpy()
    chance = expit(-4.8 + 0.4 * base["digital_affinity"].to_numpy() - 0.004 * tenure)
    woken = (base["segment"] == "loyal").to_numpy()[:, None] & _SLEEPING
    return chance[:, None] * np.where(woken, 0.6, 1.0)


def opt_out_probability(fatigue: np.ndarray) -> np.ndarray:
    """Probability [n, 29] that a contact makes a customer opt out, growing with fatigue [n]."""
    return _OPT_OUT * (1.0 + 0.25 * fatigue)[:, None]


def expected_net_value(
    world: World, base: pd.DataFrame, days: np.ndarray, fatigue: np.ndarray
) -> np.ndarray:
    """Money [n, 29] that each treatment brings within the attribution window, cost taken off.

    Shapes as for `response_probability`. In expectation the same as, over table `outcomes`, the
    sum of `value` within `attribution_days` less the cost of the contact.
    """
    in_time = -np.expm1(-world.attribution_days / DELAYS)
    organic_in_time = -np.expm1(-world.attribution_days / ORGANIC_DELAY)
    margins = response_probability(world, base, days, fatigue) * (VALUES * in_time)
    margins += organic_probability(base) * (ORGANIC_VALUE * organic_in_time)
    margins += opt_out_probability(fatigue) * (OPT_OUT_VALUE * in_time)
    return margins * base["monthly_margin"].to_numpy()[:, None] - COSTS


@dataclass(frozen=True)
class Truth:
    """The worth [n, 29] of each treatment for n customers on a day, and which are open to them."""

    net_value: np.ndarray
    eligible: np.ndarray


def truth(world: World, base: pd.DataFrame, day: dt.date, fatigue: np.ndarray) -> Truth:
    """The truth about customers (rows of table `customers`) with `fatigue` [n] on one day."""
    days = np.full(len(base), np.datetime64(day))
    return Truth(expected_net_value(world, base, days, fatigue), eligible(base))


def policy_value(truth: Truth, probabilities: np.ndarray) -> float:
    """Mean net value per customer of a policy, given its `probabilities` [n, 29].

    Raises DataError unless each row is a distribution over that customer's eligible treatments.
    """
    if probabilities.shape != truth.net_value.shape:
        raise DataError(
            f"policy probabilities have shape {probabilities.shape}, the truth"
            f" {truth.net_value.shape}: one row per customer, one column per treatment"
        )
    outside = (probabilities[~truth.eligible] != 0).sum()
    uneven = ~np.isclose(probabilities.sum(axis=1), 1.0, rtol=0, atol=1e-9)
    negative = (probabilities < 0).any(axis=1)
    if outside or uneven.any() or negative.any():
        raise DataError(
            f"policy probabilities: {outside} lie on treatments that are not eligible,"
            f" {uneven.sum()} rows don't add up to 1, {negative.sum()} rows hold negative ones"
        )
    return float((probabilities * truth.net_value).sum(axis=1).mean())


def oracle_value(truth: Truth) -> float:
    """Mean net value per customer of the best eligible treatment."""
    return float(np.where(truth.eligible, truth.net_value, -np.inf).max(axis=1).mean())


def none_value(truth: Truth) -> float:
    """Mean net value per customer of leaving everybody alone."""
    return float(truth.net_value[:, TREATMENTS.index("none")].mean())


def captured(truth: Truth, probabilities: np.ndarray) -> float:
    """Share of the oracle's gap: (V(policy) − V(none)) / (V(oracle) − V(none)).

    Below 0 when doing nothing were better. Raises DataError as `policy_value` does.
    """
    nothing = none_value(truth)
    return (policy_value(truth, probabilities) - nothing) / (oracle_value(truth) - nothing)


def _weights(seed: int, stream: str, offer_sd: float, channel_sd: float) -> np.ndarray:
    """Weights [6, 29] of the attributes: one part of the offer's, one of the channel's."""
    attribute = np.arange(len(ATTRIBUTES))[:, None]
    offers = offer_sd * normal(seed, f"{stream} of offers", attribute, np.arange(len(OFFERS)))
    channels = channel_sd * normal(
        seed, f"{stream} of channels", attribute, np.arange(len(CHANNELS))
    )
    pairs = offers[:, :, None] + channels[:, None, :]
    none = np.zeros((len(ATTRIBUTES), 1))
    return np.concatenate([none, pairs.reshape(len(ATTRIBUTES), -1)], axis=1)
