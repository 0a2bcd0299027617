"""Logs to evaluate on: the Open Bandit anchors and small bandits whose truth is known."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import pytest
import yaml

from nextbest.evaluation.ope.log import LoggedBatch, Target


@dataclass(frozen=True)
class Bandit:
    """A bandit with 4 contexts and 3 treatments: draws logs, and knows what policies are worth."""

    reward: np.ndarray  # (4, 3) chance of a reward of 1
    logging: np.ndarray  # (4, 3)
    target: np.ndarray  # (4, 3)

    @property
    def value(self) -> float:
        return float((self.target * self.reward).sum(axis=1).mean())

    @property
    def logging_value(self) -> float:
        return float((self.logging * self.reward).sum(axis=1).mean())

    def draw(self, n: int, seed: int, *, model: float = 0.7, told: float = 1.0) -> LoggedBatch:
        """n decisions; the model's q̂ is `model` × the truth, propensities are told ** `told`."""
        rng = np.random.default_rng(seed)
        x = rng.integers(0, 4, n)
        a = (rng.random(n)[:, None] > self.logging.cumsum(axis=1)[x][:, :2]).sum(axis=1)
        reward = (rng.random(n) < self.reward[x, a]).astype(float)
        q = model * self.reward
        candidate = Target(self.target[x, a], (self.target * q).sum(axis=1)[x], np.zeros(n))
        same = Target(self.logging[x, a], (self.logging * q).sum(axis=1)[x], np.zeros(n))
        propensity = self.logging[x, a] ** told
        return LoggedBatch(reward, propensity, {"candidate": candidate, "same": same}, q[x, a])


@pytest.fixture(scope="session")
def bandit():
    """A target that is better than the logging policy, with weights up to 7."""
    return Bandit(
        reward=np.array([[0.1, 0.2, 0.5], [0.2, 0.15, 0.4], [0.5, 0.3, 0.1], [0.45, 0.25, 0.2]]),
        logging=np.array([[0.7, 0.2, 0.1], [0.3, 0.4, 0.3], [0.1, 0.3, 0.6], [0.2, 0.6, 0.2]]),
        target=np.array([[0.2, 0.1, 0.7], [0.1, 0.1, 0.8], [0.6, 0.2, 0.2], [0.8, 0.1, 0.1]]),
    )


@pytest.fixture(scope="session")
def open_bandit():
    """(campaign, logging, target policy) → the log of one Open Bandit cell (reference §2)."""

    @cache
    def log(campaign: str, way: str) -> LoggedBatch:
        source = "random" if way == "random→bts" else "bts"
        path = f"obp/dataset/obd/{source}/{campaign}/{campaign}.csv"
        rows = pd.read_csv(_wheel(path), index_col=0)
        item, place = rows["item_id"].to_numpy(), rows["position"].to_numpy() - 1
        click = rows["click"].to_numpy(dtype="float64")
        bts = _production_policy(campaign)
        policy = bts if way == "random→bts" else np.full(bts.shape, 1 / len(bts))
        shown, clicks = np.zeros(bts.shape), np.zeros(bts.shape)
        np.add.at(shown, (item, place), 1)
        np.add.at(clicks, (item, place), click)
        q = (clicks + 50 * click.mean()) / (shown + 50)
        q_target = ((policy * q).sum(axis=0) / policy.sum(axis=0))[place]
        target = Target(policy[item, place], q_target)
        return LoggedBatch(click, rows["propensity_score"], {"target": target}, q[item, place])

    return log


@cache
def _production_policy(campaign: str) -> np.ndarray:
    """(items, 3) the chance of each item at each position, of the campaign's Thompson sampling."""
    prior = yaml.safe_load(_wheel("obp/policy/conf/prior_bts.yaml").read_text())[campaign]
    alpha, beta = np.array(prior["alpha"]), np.array(prior["beta"])
    draws = np.random.RandomState(12345).beta(alpha, beta, size=(100_000, len(alpha)))
    top = np.argsort(draws, axis=1)[:, ::-1][:, :3]
    counts = [np.bincount(top[:, place], minlength=len(alpha)) for place in range(3)]
    return np.stack(counts, axis=1) / 1e5


def _wheel(path: str):
    """A data file of the installed obp wheel, which is never imported."""
    return importlib.metadata.distribution("obp").locate_file(path)
