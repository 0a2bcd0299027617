from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nextbest.data.interactions import fatigue
from nextbest.data.logging_policy import logged_day, logging_probabilities
from nextbest.data.world import TREATMENTS, customers, eligible

DAY = np.datetime64("2026-01-05")


@pytest.mark.integration
def test_probabilities_are_a_distribution_over_the_eligible(small_world, repeated):
    world = small_world(customers=5_000)
    base = customers(world, DAY.astype(dt.date))
    days = repeated(DAY, 5_000)
    policy = logging_probabilities(world, base, days, fatigue(world, base, days))
    allowed = eligible(base)
    np.testing.assert_allclose(policy.sum(axis=1), 1.0)
    assert (policy[~allowed] == 0).all()
    floor = 0.1 / allowed.sum(axis=1, keepdims=True)
    assert (policy >= floor * allowed).all()
    assert policy[allowed].min() == pytest.approx(0.00345, rel=0.01)


@pytest.mark.integration
def test_choices_of_a_day_occur_as_often_as_their_propensities_say(small_world, repeated):
    world = small_world(customers=30_000, decisions_per_day=30_000)
    base = customers(world, DAY.astype(dt.date))
    log = logged_day(world, base, DAY)
    days = repeated(DAY, 30_000)
    policy = logging_probabilities(world, base, days, fatigue(world, base, days))
    picked = log["treatment"].to_numpy()
    np.testing.assert_array_equal(log["propensity"], policy[np.arange(30_000), picked])
    counts = np.bincount(picked, minlength=len(TREATMENTS))
    assert stats.chisquare(counts, policy.sum(axis=0)).pvalue > 1e-3
    # And for every level of propensity, from the floor to near certainty.
    chosen = np.eye(len(TREATMENTS), dtype=bool)[picked]
    level = np.digitize(policy, [1e-9, 0.004, 0.006, 0.01, 0.03, 0.1, 0.3, 0.6])
    for k in range(1, 9):
        expected = policy[level == k]
        z = (chosen[level == k].sum() - expected.sum()) / np.sqrt((expected * (1 - expected)).sum())
        assert abs(z) < 4
    assert not chosen[level == 0].any()


@pytest.mark.slow
def test_a_customers_choices_occur_as_often_as_their_propensities_say(small_world):
    # Everybody is treated on each of 600 days: a fixed customer's choices are counted against
    # that customer's propensities of those days.
    world = small_world(customers=6, decisions_per_day=6)
    base = customers(world, DAY.astype(dt.date))
    days = DAY + np.arange(600)
    log = pd.concat([logged_day(world, base, day) for day in days])
    for row, chosen in log.groupby("row"):
        who = base.iloc[np.full(len(days), row)]
        policy = logging_probabilities(world, who, days, fatigue(world, who, days))
        counts = np.bincount(chosen["treatment"], minlength=len(TREATMENTS))
        expected = policy.sum(axis=0)
        assert (counts[expected == 0] == 0).all()
        some = expected > 0
        assert stats.chisquare(counts[some], expected[some]).pvalue > 1e-3


@pytest.mark.integration
def test_a_day_treats_as_many_customers_as_told_each_once(small_world):
    world = small_world()
    base = customers(world, DAY.astype(dt.date))
    log = logged_day(world, base, DAY)
    assert log["row"].nunique() == len(log) == 100
    assert log["decision_id"].is_unique
    assert (log["decided_at"].to_numpy().astype("datetime64[D]") == DAY).all()
    other = logged_day(world, base, DAY + 1)
    assert set(log["row"]) != set(other["row"])
    pd.testing.assert_frame_equal(logged_day(world, base, DAY), log)


@pytest.mark.integration
def test_everybody_may_be_treated_on_one_day(small_world):
    world = small_world(decisions_per_day=400)
    log = logged_day(world, customers(world, DAY.astype(dt.date)), DAY)
    assert log["row"].tolist() == list(range(400))
