"""Two small versions and decisions that another policy logged, made without engine or training."""

from __future__ import annotations

import datetime as dt
import functools

import numpy as np
import pandas as pd
from scipy.special import expit

from nextbest.decisions.arbitration import Arbitration
from nextbest.decisions.decide import Decider
from nextbest.decisions.heads import Head
from nextbest.decisions.policy import Policy
from nextbest.decisions.treatments import Treatments
from nextbest.registry.named import Named

DAY = dt.date(2026, 3, 1)
NAMES = ("call:phone", "none", "offer:email", "offer:sms")
WEIGHTS = np.array([1.2, 0.0, -0.8, 0.4])


def worth(customers, treatments):
    return treatments.value[None, :]


def nothing(customers, treatments):
    return np.zeros((1, 1))


HEADS = (
    Head("response", "response", worth, needs_contact=True),
    Head("purchase", "purchase", nothing),
)


@functools.lru_cache(maxsize=4)
def blur(seed, count):
    """What a version gets wrong about each of 100,003 customers and each treatment."""
    return np.random.default_rng(seed).normal(size=(100_003, count))


class Linear:
    """Responds by weights on x; `noise` and `seed` blur it per customer and treatment."""

    features = ("x", "segment", "vip")

    def __init__(self, weights, noise=0.0, seed=0):
        self.weights, self.noise, self.seed = np.asarray(weights), noise, seed

    def predict_matrix(self, customers, treatments, eligible=None):
        x = customers["x"].to_numpy()[:, None]
        wrong = blur(self.seed, len(self.weights))[customers["number"].to_numpy()]
        response = expit(-1.5 + x * self.weights + self.noise * wrong)
        response[:, treatments.none] = 0.0
        purchase = np.broadcast_to(expit(-2.5 + 0.5 * x), response.shape)
        wanted = np.ones(response.shape, bool) if eligible is None else eligible
        return {"response": np.where(wanted, response, np.nan),
                "purchase": np.where(wanted, purchase, np.nan)}  # fmt: skip


def treatments():
    parts = [name.split(":") for name in NAMES]
    return Treatments.from_frame(
        pd.DataFrame(
            {
                "treatment": NAMES,
                "action_id": [each[0] for each in parts],
                "channel": [each[-1] for each in parts],
                "value": [12.0, 0.0, 10.0, 10.0],
                "cost": [1.0, 0.0, 0.1, 0.2],
                "lever": 1.0,
            }
        )
    )


def decider(weights=WEIGHTS, noise=0.0, seed=0, epsilon=0.1, version="1"):
    policy = Policy("nba", version, epsilon=epsilon)
    return Decider(Linear(weights, noise, seed), treatments(), Arbitration(HEADS), policy)


def decisions(n, seed=0, days=20):
    """Logged decisions of a policy that mostly draws evenly, and what came of them."""
    random = np.random.default_rng(seed)
    known = treatments()
    customers = pd.DataFrame(
        {
            "number": random.integers(0, 100_000, n),
            "x": random.normal(size=n),
            "segment": random.choice(["loyal", "new", "<b>rare</b>"], n, p=[0.5, 0.49, 0.01]),
            "vip": random.random(n) < 0.3,
        }
    )
    truth = Linear(WEIGHTS).predict_matrix(customers, known)
    eligible = np.ones((n, len(NAMES)), dtype=bool)
    eligible[random.random(n) < 0.2, 0] = False  # not everybody may be called
    chance = eligible * (0.2 + truth["response"])
    chance /= chance.sum(axis=1, keepdims=True)
    at = (chance.cumsum(axis=1) < random.random(n)[:, None]).sum(axis=1).clip(max=len(NAMES) - 1)
    rows = (np.arange(n), at)
    response = (random.random(n) < truth["response"][rows]).astype(float)
    sets = [NAMES if may_call else NAMES[1:] for may_call in eligible[:, 0]]
    return customers.assign(
        decision_id=[f"d-{each:06d}" for each in range(n)],
        customer_id=[f"c-{each:06d}" for each in customers["number"]],
        decided_at=pd.Timestamp("2026-02-01", tz="UTC")
        + pd.to_timedelta(np.sort(random.integers(0, 1440 * days, n)), unit="min"),
        treatment=np.array(NAMES)[at],
        action_id=np.array([name.split(":")[0] for name in NAMES])[at],
        eligible=sets,
        propensity=chance[rows],
        policy="logging",
        reason_code="best",
        response=response,
        purchase=(random.random(n) < truth["purchase"][rows]).astype(float),
        value=response * known.value[at] - known.cost[at],
    )


def named(version, alias=""):
    text = f"@{alias}" if alias else f":{version}"
    return Named(text, "prod.ml_nba_demo.nba", version, DAY, 0.4)
