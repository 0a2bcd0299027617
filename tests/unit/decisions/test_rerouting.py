"""Customers who may only get treatments with limits are served whenever that can be done."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from nextbest.decisions.limits import limits_from
from nextbest.decisions.rationing import ration
from nextbest.decisions.rounding import ONE, draw_within
from nextbest.decisions.treatments import Treatments
from nextbest.decisions.trimming import within_limits
from nextbest.errors import DataError

pytestmark = pytest.mark.unit


def case(seed, tight):
    """Up to 14 customers, most of whom may not be left alone; nearly every treatment is limited."""
    rng = np.random.default_rng(seed)
    n, offers, channels = (int(rng.integers(1, most)) for most in (15, 4, 3))
    most = max(2, round(n * tight))
    rows = [("none", "none", "none", None)]
    for o, c in itertools.product(range(offers), range(channels)):
        capacity = int(rng.integers(0, most)) if rng.random() < 0.85 else None
        rows.append((f"o{o}:c{c}", f"o{o}", f"c{c}", capacity))
    actions = pd.DataFrame(rows, columns=["treatment", "action_id", "channel", "daily_capacity"])
    actions = actions.assign(value=1.0, cost=0.0, lever=1.0)
    actions["daily_capacity"] = actions["daily_capacity"].astype("Int64")
    treatments = Treatments.from_frame(actions)
    limited = {f"c{c}": int(rng.integers(0, n + 1)) for c in range(channels) if rng.random() < 0.5}
    eligible = rng.random((n, len(treatments))) < 0.6
    eligible[:, treatments.is_none] = rng.random((n, 1)) < 0.3
    eligible[~eligible.any(axis=1), 1] = True
    return rng, eligible, treatments, limits_from(actions, limited)


def can_be_served(eligible, limits):
    """By HiGHS: is there a way to serve those without a way out? Whole limits: of LPs the same."""
    stuck = eligible[~(eligible & limits.free).any(axis=1)]
    n, k = stuck.shape
    if not n:
        return True
    found = linprog(
        np.zeros(n * k), A_ub=np.tile(limits.usage, (1, n)), b_ub=limits.capacity,
        A_eq=np.kron(np.eye(n), np.ones(k)), b_eq=np.ones(n),
        bounds=[(0, float(allowed)) for allowed in stuck.ravel()],
    )  # fmt: skip
    return found.status == 0


def check(found, eligible, limits, seed):
    if not len(limits):
        return
    units = (found * ONE).astype(int)
    assert (units.sum(axis=1) == ONE).all()
    assert (found[~eligible] == 0).all()
    used = limits.usage.astype(int) @ units.sum(axis=0)
    assert (used <= (limits.capacity * ONE).astype(int)).all()
    ids = np.array([f"nba-{i}" for i in range(len(found))], dtype=object)
    count = np.bincount(draw_within(found, limits, ids, seed), minlength=found.shape[1])
    assert (limits.usage @ count <= limits.capacity).all()


@given(st.integers(0, 10**6), st.sampled_from([0.5, 1.0]))
def test_who_can_be_served_is(seed, tight):
    rng, eligible, treatments, limits = case(seed, tight)
    weights = rng.exponential(size=eligible.shape) ** 3 * eligible
    p = weights / weights.sum(axis=1, keepdims=True)
    if can_be_served(eligible, limits):
        check(within_limits(p, eligible, treatments, limits), eligible, limits, seed)
    else:
        with pytest.raises(DataError, match="may only get treatments that have a limit"):
            within_limits(p, eligible, treatments, limits)


@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.5]), st.sampled_from([0.0, 0.3, 1.0]))
def test_a_policy_that_knows_the_limits_serves_them_too(seed, temperature, share):
    rng, eligible, treatments, limits = case(seed, 1.0)
    scores, shares = rng.normal(size=eligible.shape), np.full(len(eligible), share)
    shares[rng.random(len(shares)) < 0.2] = 1.0
    if can_be_served(eligible, limits):
        found = ration(scores, eligible, shares, treatments, limits, temperature)
        check(found, eligible, limits, seed)
    else:
        with pytest.raises(DataError, match="may only get treatments"):
            ration(scores, eligible, shares, treatments, limits, temperature)


def halves(n):
    """Two items (then "none") for n customers, half of them each; nobody may be left alone."""
    actions = pd.DataFrame(
        {"treatment": ["a:web", "b:web", "none"], "action_id": ["a", "b", "none"],
         "channel": ["web", "web", "none"], "value": 1.0, "cost": 0.0, "lever": 1.0,
         "daily_capacity": pd.array([n // 2, n // 2, None], dtype="Int64")}
    )  # fmt: skip
    eligible = np.tile([True, True, False], (n, 1))
    return eligible, Treatments.from_frame(actions), limits_from(actions)


def test_two_items_that_just_suffice_are_shared_out_evenly():
    eligible, treatments, limits = halves(100)
    p = np.tile([0.9, 0.1, 0.0], (100, 1))
    found = within_limits(p, eligible, treatments, limits)
    np.testing.assert_allclose(found, np.tile([0.5, 0.5, 0.0], (100, 1)), atol=1e-9)


def test_others_give_way_before_those_without_a_way_out():
    eligible, treatments, limits = halves(100)
    eligible[50:, 2] = True  # these may be left alone
    p = np.tile([0.8, 0.2, 0.0], (100, 1))
    found = within_limits(p, eligible, treatments, limits)
    np.testing.assert_allclose(found[:50], p[:50], atol=1e-9)
    np.testing.assert_allclose(found[50:], np.tile([0.2, 0.2, 0.6], (50, 1)), atol=1e-9)


def test_others_give_way_only_if_they_must():
    eligible, treatments, limits = halves(100)
    eligible[60:] = [False, True, True]  # these may be left alone, or get the second item
    p = np.tile([1.0, 0.0, 0.0], (100, 1))
    p[60:] = [0.0, 1.0, 0.0]
    found = within_limits(p, eligible, treatments, limits)
    np.testing.assert_allclose(found[:60], np.tile([5 / 6, 1 / 6, 0.0], (60, 1)), atol=1e-9)
    np.testing.assert_allclose(found[60:], p[60:], atol=1e-9)
    p[60:] = [0.0, 0.0, 1.0]
    eligible[40:60] = [False, True, True]
    p[40:60] = [0.0, 1.0, 0.0]
    p[:40], limits.capacity[0] = [1.0, 0.0, 0.0], 0.0  # 40 and 20 are too many for 50
    found = within_limits(p, eligible, treatments, limits)
    np.testing.assert_allclose(found[:40], np.tile([0.0, 1.0, 0.0], (40, 1)), atol=1e-9)
    np.testing.assert_allclose(found[40:60], np.tile([0.0, 0.5, 0.5], (20, 1)), atol=1e-9)


def test_a_place_that_is_free_is_taken_before_one_that_others_have():
    names = ["a:web", "b:web", "c:web", "none"]
    actions = pd.DataFrame(
        {"treatment": names, "action_id": ["a", "b", "c", "none"],
         "channel": ["web", "web", "web", "none"], "value": 1.0, "cost": 0.0, "lever": 1.0,
         "daily_capacity": pd.array([50, 40, 50, None], dtype="Int64")}
    )  # fmt: skip
    treatments, limits = Treatments.from_frame(actions), limits_from(actions)
    eligible = np.tile([True, True, True, False], (100, 1))
    eligible[60:] = [False, True, False, True]
    p = np.tile([1.0, 0.0, 0.0, 0.0], (100, 1))
    p[60:] = [0.0, 1.0, 0.0, 0.0]
    found = within_limits(p, eligible, treatments, limits)
    np.testing.assert_allclose(found[60:], p[60:], atol=1e-9)
    np.testing.assert_allclose(found[:60], np.tile([5 / 6, 0, 1 / 6, 0], (60, 1)), atol=1e-9)


def test_many_customers_of_few_kinds_take_a_moment():
    rng = np.random.default_rng(1)
    eligible, treatments, limits = halves(200_000)
    weights = rng.exponential(size=eligible.shape) * eligible * [3.0, 1.0, 1.0]
    p = weights / weights.sum(axis=1, keepdims=True)
    check(within_limits(p, eligible, treatments, limits), eligible, limits, 1)
