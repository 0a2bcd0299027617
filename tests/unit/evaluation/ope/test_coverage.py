"""On the simulated world, 95 % intervals hold the truth 93 to 97 times in a hundred."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pytest

from nextbest.data.logging_policy import logging_probabilities
from nextbest.data.truth import (
    DELAYS,
    ORGANIC_DELAY,
    expected_net_value,
    opt_out_probability,
    organic_probability,
    response_probability,
)
from nextbest.data.world import (
    COSTS,
    OPT_OUT_VALUE,
    ORGANIC_VALUE,
    VALUES,
    World,
    customers,
    eligible,
)
from nextbest.evaluation.ope.estimators import value_of
from nextbest.evaluation.ope.log import LoggedBatch, Target
from nextbest.evaluation.ope.moments import fold

pytestmark = pytest.mark.slow

REPETITIONS, ROWS = 1000, 20_000
UNBIASED = ("ips", "snips", "dr", "sndr")
DAY = dt.date(2025, 6, 2)


@dataclass(frozen=True)
class Population:
    """Customers [n] of whom everything is known; decisions are drawn from them, with return."""

    logging: np.ndarray  # [n, 29]
    target: np.ndarray  # [n, 29] .9 of the oracle, .1 uniform: an effective sample of 5 %
    chances: tuple[np.ndarray, np.ndarray, np.ndarray]  # response, purchase, opt-out in time
    amounts: tuple[np.ndarray, float, float]  # in monthly margins
    margin: np.ndarray
    net: np.ndarray
    converts: np.ndarray  # chance of a response or a purchase

    def draw(self, seed, reward, *, model=1.0, told=1.0):
        """A log of 20k decisions whose q̂ is model × the truth, propensities told ** `told`."""
        rng = np.random.default_rng(seed)
        i = rng.integers(0, len(self.net), ROWS)
        ladder = self.logging[i].cumsum(axis=1)
        a = (ladder <= (rng.random(ROWS) * ladder[:, -1])[:, None]).sum(axis=1)
        happened = [rng.random(ROWS) < chance[i, a] for chance in self.chances]
        if reward == "net":
            months, organic, opt_out = self.amounts
            earned = happened[0] * months[a] + happened[1] * organic + happened[2] * opt_out
            rewards, q = earned * self.margin[i] - COSTS[a], model * self.net[i]
        else:
            rewards, q = (happened[0] | happened[1]).astype(float), model * self.converts[i]
        rows = np.arange(ROWS)
        target = Target(self.target[i, a], (self.target[i] * q).sum(axis=1))
        return LoggedBatch(rewards, self.logging[i, a] ** told, {"t": target}, q[rows, a])

    def truth(self, reward):
        """What the target is worth per decision, exactly."""
        worth = self.net if reward == "net" else self.converts
        return float((self.target * worth).sum(axis=1).mean())


@pytest.fixture(scope="module")
def population():
    world = World(11, 30_000, 1, 1, 7, "none", DAY)
    base = customers(world, DAY)
    worn = np.minimum(np.random.default_rng(1).poisson(1.2, len(base)), 6).astype(float)
    days = np.full(len(base), np.datetime64(DAY))
    net, allowed = expected_net_value(world, base, days, worn), eligible(base)
    target = 0.1 * allowed / allowed.sum(axis=1, keepdims=True)
    target[np.arange(len(base)), np.where(allowed, net, -np.inf).argmax(axis=1)] += 0.9
    in_time = -np.expm1(-world.attribution_days / DELAYS)
    chances = (
        response_probability(world, base, days, worn) * in_time,
        organic_probability(base) * -np.expm1(-world.attribution_days / ORGANIC_DELAY),
        opt_out_probability(worn) * in_time,
    )
    return Population(
        logging=logging_probabilities(world, base, days, worn),
        target=target,
        chances=chances,
        amounts=(VALUES, ORGANIC_VALUE, OPT_OUT_VALUE),
        margin=base["monthly_margin"].to_numpy(),
        net=net,
        converts=1 - (1 - chances[0]) * (1 - chances[1]),
    )


def coverage(population, reward, repetitions=REPETITIONS, **changes):
    """Share of logs whose interval holds the truth, by estimator."""
    truth, hits = population.truth(reward), dict.fromkeys(UNBIASED, 0)
    for seed in range(repetitions):
        moments = fold(population.draw(seed, reward, **changes))
        for name in UNBIASED:
            found = value_of(moments, "t", name)
            hits[name] += found.low <= truth <= found.high
    return {name: hit / repetitions for name, hit in hits.items()}


def within(shares):
    return all(0.93 <= share <= 0.97 for share in shares.values())


@pytest.mark.parametrize("reward", ["net", "conversion"])
def test_intervals_hold_the_truth_also_when_the_model_is_30_percent_off(population, reward):
    shares = coverage(population, reward, model=0.7)
    assert within(shares), shares


@pytest.mark.parametrize(("told", "falls"), [(0.8, UNBIASED), (1.2, ("ips", "snips"))])
def test_the_check_fails_when_propensities_are_not_those_that_were_used(population, told, falls):
    # With weights 20 % too large in logarithm, a model that is not far off saves dr: half of its
    # double promise. With weights too small nothing is saved.
    shares = coverage(population, "conversion", 100, model=0.7, told=told)
    assert not within(shares), shares
    assert all(not within({name: shares[name]}) for name in falls), shares
