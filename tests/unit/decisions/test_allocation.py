import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.decisions.allocation import allocate
from nextbest.decisions.limits import BUDGET, limits_from
from nextbest.errors import DataError

pytestmark = pytest.mark.unit


def catalog(rng, offers, channels, share=0.6, largest=4):
    """Actions with random costs and capacities, and limits of channels and money."""
    rows = [("none", "none", "none", 0.0, None)]
    for o, c in itertools.product(range(offers), range(channels)):
        capacity = int(rng.integers(0, largest + 1)) if rng.random() < share else None
        rows.append((f"o{o}:c{c}", f"o{o}", f"c{c}", float(rng.integers(0, 4)), capacity))
    actions = pd.DataFrame(
        rows, columns=["treatment", "action_id", "channel", "cost", "daily_capacity"]
    ).assign(value=1.0, lever=1.0)
    actions["daily_capacity"] = actions["daily_capacity"].astype("Int64")
    limited = [f"c{c}" for c in range(channels) if rng.random() < share]
    limit = {name: int(rng.integers(0, 2 * largest + 1)) for name in limited}
    budget = float(rng.integers(0, 4 * largest)) if rng.random() < share else None
    return actions, limits_from(actions, limit, budget)


def case(seed, n, offers, channels, *, ties=False, largest=4, none=1.0):
    rng = np.random.default_rng(seed)
    actions, limits = catalog(rng, offers, channels, largest=largest)
    shape = n, len(actions)
    eligible = rng.random(shape) < 0.7
    eligible[:, 0] = rng.random(n) < none
    score = rng.normal(size=shape)
    return np.where(eligible, np.round(score) if ties else score, np.nan), eligible, limits


def brute_force(score, eligible, limits):
    best = -np.inf
    for choice in itertools.product(*(np.flatnonzero(row) for row in eligible)):
        used = limits.usage @ np.bincount(choice, minlength=score.shape[1])
        if (used <= limits.capacity).all():
            best = max(best, score[np.arange(len(score)), choice].sum())
    return best


def check(found, score, eligible, limits):
    rows = np.arange(len(score))
    assert eligible[rows, found.choice].all()
    assert (found.used <= limits.capacity + 1e-9).all()
    counts = np.bincount(found.choice, minlength=score.shape[1])
    assert found.used == pytest.approx(limits.usage @ counts)
    assert found.value == pytest.approx(score[rows, found.choice].sum())
    assert found.bound >= found.value - 1e-9
    assert 0 <= found.gap <= 1
    assert (found.prices >= 0).all()


@given(st.integers(0, 10**6), st.integers(1, 4), st.booleans(), st.sampled_from([1.0, 0.5]))
def test_exact_is_brute_force(seed, n, ties, none):
    score, eligible, limits = case(seed, n, 2, 2, ties=ties, none=none, largest=2)
    eligible[~eligible.any(axis=1), 0] = True
    score = np.where(eligible, np.nan_to_num(score), np.nan)
    best = brute_force(score, eligible, limits)
    if best == -np.inf:
        with pytest.raises(DataError):
            allocate(score, eligible, limits)
        return
    found = allocate(score, eligible, limits)
    check(found, score, eligible, limits)
    assert found.method == "exact"
    assert found.value == pytest.approx(best)


@given(st.integers(0, 10**6), st.integers(1, 40), st.booleans())
def test_prices_keep_every_limit_and_are_deterministic(seed, n, ties):
    score, eligible, limits = case(seed, n, 3, 2, ties=ties)
    found = allocate(score, eligible, limits, exact_pairs=1)
    check(found, score, eligible, limits)
    exact = allocate(score, eligible, limits)
    assert found.value <= exact.value + 1e-9
    assert found.bound >= exact.value - 1e-9
    again = allocate(score.copy(), eligible.copy(), limits, exact_pairs=1)
    assert (again.choice == found.choice).all()


@given(st.integers(0, 10**6), st.booleans())
def test_nothing_worth_having_is_left(seed, ties):
    score, eligible, limits = case(seed, 30, 3, 2, ties=ties)
    found = allocate(score, eligible, limits, exact_pairs=1)
    room = limits.capacity - found.used
    fits = (limits.usage <= room[:, None]).all(axis=0)
    gain = score - score[np.arange(30), found.choice][:, None]
    unserved = limits.free[found.choice]
    assert not (eligible & fits & (gain > 1e-9))[unserved].any()


@pytest.mark.parametrize("seed", [1, 22, 32, 50])  # 22, 32, 50: greedy filling alone lost 2 to 6 %
@pytest.mark.parametrize("ties", [False, True])
def test_prices_are_within_one_percent_of_exact(seed, ties):
    score, eligible, limits = case(seed, 600, 3, 3, ties=ties, largest=120)
    exact = allocate(score, eligible, limits)
    found = allocate(score, eligible, limits, exact_pairs=500)
    assert (exact.method, found.method) == ("exact", "lagrangian")
    base = np.where(eligible & limits.free, score, -np.inf).max(axis=1).sum()
    assert exact.value - found.value <= 0.01 * (exact.value - base)
    assert found.bound - exact.bound <= 0.01 * (exact.bound - base)
    assert found.gap <= 0.01


def test_a_budget_is_spent_on_what_is_worth_most_per_money():
    score = np.array([[0.0, 3.0], [0.0, 1.0], [0.0, 2.0]])
    limits = limits_from(ONE, budget=5.0)
    found = allocate(score, np.ones((3, 2), dtype=bool), limits)
    assert limits.names == (BUDGET,)
    assert found.choice.tolist() == [1, 0, 1]
    assert found.used.tolist() == [4.0]
    assert (found.value, found.method) == (5.0, "exact")


ONE = pd.DataFrame(
    {
        "treatment": ["none", "o:c"],
        "action_id": ["none", "o"],
        "channel": ["none", "c"],
        "value": 1.0,
        "cost": [0.0, 2.0],
        "lever": 1.0,
        "daily_capacity": [None, None],
    }
)


def test_prices_say_what_one_more_is_worth():
    limits = limits_from(ONE, {"c": 2})
    score = np.array([[0.0, g] for g in (5.0, 4.0, 3.0, 1.0)])
    found = allocate(score, np.ones((4, 2), dtype=bool), limits)
    assert found.value == 9
    assert 3 <= found.prices[0] <= 4
    assert found.gap == 0


@pytest.mark.parametrize("pairs", [1, 10_000])
def test_customers_without_none_are_served_first(pairs):
    limits = limits_from(ONE, {"c": 3})
    eligible = np.ones((6, 2), dtype=bool)
    eligible[[1, 4, 5], 0] = False
    score = np.tile([0.0, 9.0], (6, 1))
    score[[1, 4, 5], 1] = -5.0
    found = allocate(score, eligible, limits, exact_pairs=pairs)
    assert found.choice.tolist() == [0, 1, 0, 0, 1, 1]
    with pytest.raises(DataError, match="2 of 6 customers may only get treatments whose limits"):
        allocate(score, eligible, limits_from(ONE, {"c": 1}), exact_pairs=pairs)


def test_what_cannot_be_allocated_is_refused():
    limits = limits_from(ONE, {"c": 1})
    eligible = np.array([[True, True], [False, False]])
    with pytest.raises(DataError, match="1 of 2 customers have no eligible.*1 of 2 rows.*finite"):
        allocate(np.array([[0.0, np.nan], [0, 0]]), eligible, limits)
    with pytest.raises(DataError, match="score has the shape"):
        allocate(np.zeros((2, 3)), np.ones((2, 3), dtype=bool), limits)


def test_without_limits_everyone_gets_the_best_first_of_equals():
    limits = limits_from(ONE)
    found = allocate(np.array([[1.0, 1.0], [0.0, 2.0]]), np.ones((2, 2), dtype=bool), limits)
    assert found.choice.tolist() == [0, 1]
    assert (found.gap, found.value, found.bound) == (0, 3, 3)


@pytest.mark.parametrize("unit", [2.0**-40, 2.0**60])
@pytest.mark.parametrize("pairs", [10**6, 0])
def test_units_of_money_and_scores_change_nothing(unit, pairs):
    score, eligible, limits = case(3, 60, 4, 3, largest=6)
    plain = allocate(score, eligible, limits, exact_pairs=pairs)
    scaled = allocate(score * unit, eligible, limits, exact_pairs=pairs)
    assert scaled.value == pytest.approx(plain.value * unit, rel=1e-9)
    assert scaled.bound == pytest.approx(plain.bound * unit, rel=1e-6)
    costs = dataclasses.replace(limits, usage=limits.usage * unit, capacity=limits.capacity * unit)
    dear = allocate(score, eligible, costs, exact_pairs=pairs)
    assert dear.value == pytest.approx(plain.value, rel=1e-9)
    assert (dear.used <= costs.capacity * (1 + 1e-9)).all()
