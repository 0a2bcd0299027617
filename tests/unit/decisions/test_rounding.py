import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from nextbest.decisions.limits import limits_from
from nextbest.decisions.randomness import choose, uniforms
from nextbest.decisions.rationing import ration, softmax_prices
from nextbest.decisions.rounding import ONE, draw_within
from nextbest.decisions.treatments import Treatments
from nextbest.decisions.trimming import within_limits
from nextbest.errors import DataError

pytestmark = pytest.mark.unit


def catalog(rng, offers, channels, n, share=0.6):
    rows = [("none", "none", "none", 0.0, None)]
    for o, c in itertools.product(range(offers), range(channels)):
        capacity = int(rng.integers(0, n // 2 + 1)) if rng.random() < share else None
        rows.append((f"o{o}:c{c}", f"o{o}", f"c{c}", float(rng.integers(0, 3)), capacity))
    columns = ["treatment", "action_id", "channel", "cost", "daily_capacity"]
    actions = pd.DataFrame(rows, columns=columns).assign(value=1.0, lever=1.0)
    actions["daily_capacity"] = actions["daily_capacity"].astype("Int64")
    limited = [f"c{c}" for c in range(channels) if rng.random() < share]
    limit = {name: int(rng.integers(0, n + 1)) for name in limited}
    budget = float(rng.integers(0, n + 1)) / 2 if rng.random() < share else None
    return Treatments.from_frame(actions), limits_from(actions, limit, budget)


def case(seed, n=None, offers=3, channels=2):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 30)) if n is None else n
    treatments, limits = catalog(rng, offers, channels, n)
    shape = n, len(treatments)
    eligible = rng.random(shape) < 0.7
    eligible[:, treatments.is_none] = True
    weights = rng.exponential(size=shape) ** 3 * eligible
    return weights / weights.sum(axis=1, keepdims=True), eligible, treatments, limits


def ids(n):
    return np.array([f"nba-{i}" for i in range(n)], dtype=object)


def check_draw(choice, p, limits):
    rows, count = np.arange(len(p)), np.bincount(choice, minlength=p.shape[1])
    assert (p[rows, choice] > 0).all()
    assert (limits.usage @ count <= limits.capacity + 1e-9).all()
    contacts = limits.usage[limits.counts]
    expected = contacts @ p.sum(axis=0)
    assert (np.abs(contacts @ count - expected) < 1 + 1e-9).all()


@given(st.integers(0, 10**6), st.integers(0, 50))
def test_no_draw_exceeds_a_limit(seed, draw_seed):
    p, eligible, treatments, limits = case(seed)
    kept = within_limits(p, eligible, treatments, limits)
    contacts = ~treatments.is_none
    assert (kept.sum(axis=1) == 1).all() if len(limits) else np.allclose(kept.sum(axis=1), 1)
    assert (kept[~eligible] == 0).all()
    assert (kept[:, contacts] <= p[:, contacts]).all()
    within = limits.usage @ kept.sum(axis=0) <= limits.capacity * (1 + 1e-12)
    assert within.all()
    check_draw(draw_within(kept, limits, ids(len(p)), draw_seed), kept, limits)


@given(st.integers(0, 10**6))
def test_what_fits_is_not_bent(seed):
    p, eligible, treatments, limits = case(seed)
    kept = within_limits(p, eligible, treatments, limits)
    again = within_limits(kept, eligible, treatments, limits)
    assert (again == kept).all()
    touched = (limits.usage > 0) & (p.sum(axis=0) > 0)
    loose = limits.capacity >= limits.usage @ np.ceil(p.sum(axis=0) + 1e-9)
    untouched = ~(touched & ~loose[:, None]).any(axis=0) & ~treatments.is_none
    assert np.abs(kept - p)[:, untouched].max(initial=0) < 2 / ONE


@given(st.integers(0, 10**6), st.integers(0, 50))
def test_draws_depend_on_ids_and_seed_not_on_order(seed, draw_seed):
    p, eligible, treatments, limits = case(seed)
    kept, names = within_limits(p, eligible, treatments, limits), ids(len(p))
    choice = draw_within(kept, limits, names, draw_seed)
    order = np.random.default_rng(seed).permutation(len(p))
    assert (draw_within(kept[order], limits, names[order], draw_seed) == choice[order]).all()


def marginal_p_values(p, limits, draws):
    """χ² of each customer's counts over many seeds against that customer's probabilities."""
    counts, names, rows = np.zeros(p.shape), ids(len(p)), np.arange(len(p))
    for seed in range(draws):
        choice = draw_within(p, limits, names, seed)
        check_draw(choice, p, limits)
        counts[rows, choice] += 1
    return counts, p_values(counts, p)


def p_values(counts, p):
    draws, found = counts[0].sum(), []
    for seen, expected in zip(counts, p * counts[0].sum(), strict=True):
        assert (seen[expected == 0] == 0).all()
        common = expected >= 5
        rare_seen, rare = seen[~common].sum(), expected[~common].sum()
        if rare >= 5 or not common.any():
            seen, expected = [*seen[common], rare_seen], [*expected[common], rare]
        else:
            last = np.flatnonzero(common)[-1]
            seen, expected = seen[common], expected[common].copy()
            seen[-1] += rare_seen
            expected[-1] += rare
            assert last >= 0
        if len(seen) > 1:
            expected = np.array(expected) * draws / np.sum(expected)
            found.append(chisquare(seen, expected).pvalue)
    return np.array(found)


def assert_true(counts, p, found):
    assert len(found) > 10
    assert found.min() > 0.001 / len(found)  # Bonferroni: .001 for all customers together
    # And the test would tell: shift a part from the likeliest treatment to the next.
    wrong = p.copy()
    order, rows = np.argsort(-p, axis=1), np.arange(len(p))
    moved = 0.25 * np.minimum(p[rows, order[:, 0]], 1 - p[rows, order[:, 0]])
    wrong[rows, order[:, 0]] -= moved
    wrong[rows, order[:, 1]] += moved
    wrong[p == 0] = 0
    wrong /= wrong.sum(axis=1, keepdims=True)
    assert p_values(counts, wrong).min() < 1e-9


def test_marginals_are_true():
    p, eligible, treatments, limits = case(1, n=30)
    kept = within_limits(p, eligible, treatments, limits)
    assert len(limits) >= 3
    assert np.abs(kept - p).max() > 0.01  # limits do bind
    counts, found = marginal_p_values(kept, limits, 400)
    assert_true(counts, kept, found)


def rationed(seed, n):
    _, eligible, treatments, limits = case(seed, n=n)
    rng = np.random.default_rng(seed)
    scores = np.where(eligible, rng.normal(size=eligible.shape), np.nan)
    return scores, eligible, np.where(rng.random(n) < 0.1, 1.0, 0.2), treatments, limits


@given(st.integers(0, 10**6), st.integers(1, 40), st.sampled_from([0.0, 0.3, 2.0]))
def test_rationed_policies_keep_limits(seed, n, temperature):
    scores, eligible, share, treatments, limits = rationed(seed, n)
    p = ration(scores, eligible, share, treatments, limits, temperature)
    assert np.abs(p.sum(axis=1) - 1).max() < 1e-12
    assert (p[~eligible] == 0).all()
    check_draw(draw_within(p, limits, ids(n), seed), p, limits)
    assert (ration(scores, eligible, share, treatments, limits, temperature) == p).all()


def wide(n, capacity, budget=None):
    """One offer on two channels that everybody may get, with its capacity."""
    rows = [("none", "none", "none", 0.0, None)]
    rows += [(f"o:{c}", "o", c, 1.0, capacity) for c in ("a", "b")]
    columns = ["treatment", "action_id", "channel", "cost", "daily_capacity"]
    actions = pd.DataFrame(rows, columns=columns).assign(value=1.0, lever=1.0)
    treatments = Treatments.from_frame(actions)
    return treatments, limits_from(actions, budget=budget), np.ones((n, 3), dtype=bool)


def test_exploration_and_control_are_bent_last():
    treatments, limits, eligible = wide(90, 20)
    share = np.where(np.arange(90) < 9, 1.0, 0.1)
    scores = np.tile([0.0, 1.0, 2.0], (90, 1)) + np.arange(90)[:, None] * [0, 0.001, 0.003]
    p = ration(scores, eligible, share, treatments, limits)
    none = int(np.flatnonzero(treatments.is_none)[0])
    contacts = np.arange(3) != none
    assert np.abs(p[:9] - 1 / 3).max() < 1e-9
    assert (p[9:, contacts] > 0.1 / 3 - 1e-9).all()
    used = p[:, contacts].sum(axis=0)
    assert (used > 20 - 1).all()  # the ranking fills what is left, but for part of a contact
    assert (used <= 20).all()


def test_exploration_alone_too_large_shrinks_for_all_alike():
    treatments, limits, eligible = wide(90, 2)
    share = np.where(np.arange(90) < 9, 1.0, 0.1)
    p = ration(np.zeros((90, 3)), eligible, share, treatments, limits)
    contacts = ~treatments.is_none
    ratio = p[:9, contacts].mean() / p[9:, contacts].mean()
    assert ratio == pytest.approx(10, rel=1e-6)
    assert p[:, contacts].sum(axis=0) == pytest.approx([2, 2], abs=1e-6)


def test_a_budget_holds_in_the_worst_draw():
    treatments, limits, eligible = wide(40, None, budget=7.5)
    p = within_limits(np.full((40, 3), 1 / 3), eligible, treatments, limits)
    spend = [
        (draw_within(p, limits, ids(40), seed) != np.flatnonzero(treatments.is_none)[0]).sum()
        for seed in range(200)
    ]
    assert set(spend) <= {6, 7}


def test_softmax_prices_use_up_what_binds():
    scores, eligible, _, _, limits = rationed(5, 400)
    capacity = limits.capacity * 0.3
    prices = softmax_prices(scores, eligible, np.ones(400), capacity, limits, 0.7)
    net = np.where(eligible, scores - prices @ limits.usage, -np.inf) / 0.7
    p = np.exp(net - net.max(axis=1, keepdims=True))
    used = limits.usage @ (p / p.sum(axis=1, keepdims=True)).sum(axis=0)
    assert (used <= capacity * 1.005 + 0.01).all()
    priced = prices > 0.05
    assert priced.any()
    assert used[priced] == pytest.approx(capacity[priced], rel=0.01)


def test_without_limits_each_row_is_drawn_alone():
    p, eligible, treatments, _ = case(3, n=20)
    limits = limits_from(pd.DataFrame(free_rows(treatments)))
    kept = within_limits(p, eligible, treatments, limits)
    assert kept is p
    expected = choose(p, uniforms(ids(20), 5))
    assert (draw_within(kept, limits, ids(20), 5) == expected).all()


def free_rows(treatments):
    return {
        "treatment": treatments.names,
        "action_id": treatments.action_id,
        "channel": treatments.channel,
        "value": 1.0,
        "cost": 0.0,
        "lever": 1.0,
        "daily_capacity": None,
    }


def test_what_cannot_be_drawn_is_refused():
    treatments, limits, eligible = wide(6, 1)
    with pytest.raises(DataError, match="6 of 6 rows of probabilities are not multiples"):
        draw_within(np.full((6, 3), 0.3), limits, ids(6), 1)
    with pytest.raises(DataError, match="1 decision ids are repeated"):
        draw_within(np.full((2, 3), [0.5, 0.25, 0.25]), limits, ["x", "x"], 1)
    eligible[:5, treatments.is_none] = False
    p = eligible / eligible.sum(axis=1, keepdims=True)
    with pytest.raises(
        DataError, match="5 of 6 customers may only get treatments that have a limit"
    ):
        within_limits(p, eligible, treatments, limits)
    with pytest.raises(DataError, match="probabilities has the shape"):
        within_limits(np.ones((2, 2)), np.ones((2, 2), bool), treatments, limits)
