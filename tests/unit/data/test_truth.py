from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from scipy.special import expit, logit

from nextbest.data.interactions import fatigue
from nextbest.data.logging_policy import logging_probabilities
from nextbest.data.truth import (
    captured,
    expected_net_value,
    none_value,
    opt_out_probability,
    oracle_value,
    organic_probability,
    policy_value,
    response_probability,
    truth,
)
from nextbest.data.world import TREATMENTS, customers, eligible
from nextbest.errors import DataError

pytestmark = pytest.mark.unit
DAY = dt.date(2026, 1, 5)
NONE = TREATMENTS.index("none")


@pytest.fixture(scope="module")
def scene(small_world, repeated):
    """World, customers, their days and fatigue, and the truth about them."""

    def make(count=4_000, **changes):
        world = small_world(customers=count, decisions_per_day=1, **changes)
        base = customers(world, DAY - dt.timedelta(days=1))
        days = repeated(DAY, len(base))
        worn = fatigue(world, base, days)
        return world, base, days, worn, truth(world, base, DAY, worn)

    return make


def greedy(truth_, score):
    best = np.where(truth_.eligible, score, -np.inf).argmax(axis=1)
    return np.eye(len(TREATMENTS))[best]


def test_fatigue_lowers_the_response_logit_by_a_quarter_per_contact(scene):
    world, base, days, _, _ = scene(50)
    fresh, worn = (response_probability(world, base, days, np.full(50, k)) for k in (0, 3))
    np.testing.assert_allclose(logit(fresh[:, 1:]) - logit(worn[:, 1:]), 0.75, atol=1e-9)
    assert (fresh[:, NONE] == 0).all()


def test_days_move_all_response_logits_of_a_customer_alike(scene):
    world, base, days, worn, _ = scene(50)
    now = logit(response_probability(world, base, days, worn)[:, 1:])
    other = logit(response_probability(world, base, days + np.timedelta64(3, "D"), worn)[:, 1:])
    gap = other - now
    np.testing.assert_allclose(gap, gap[0, 0], atol=1e-9)
    assert 0.001 < abs(gap[0, 0]) <= 0.70


def test_sleeping_dogs_lie_in_the_loyal_segment(scene):
    _, base, _, _, _ = scene(500)
    organic = organic_probability(base)
    discount = np.array([t.startswith("retention_discount") for t in TREATMENTS])
    loyal = (base["segment"] == "loyal").to_numpy()
    expected = expit(-4.8 + 0.4 * base["digital_affinity"] - 0.004 * base["tenure_months"])
    np.testing.assert_allclose(organic[:, NONE], expected)
    cut = organic / organic[:, [NONE]]
    np.testing.assert_allclose(cut[loyal][:, discount], 0.6)
    np.testing.assert_allclose(cut[~loyal], 1.0)
    np.testing.assert_allclose(cut[:, ~discount], 1.0)


def test_opt_outs_follow_the_channel_and_grow_with_fatigue():
    hazard = opt_out_probability(np.array([0, 1, 6]))
    at = {t: k for k, t in enumerate(TREATMENTS)}
    assert (hazard[:, NONE] == 0).all()
    first = [hazard[0, at[f"data_upgrade:{c}"]] for c in ("email", "sms", "push", "call")]
    np.testing.assert_allclose(first, [0.0015, 0.0045, 0.0030, 0.0060])
    assert (np.diff(hazard[:, 1:], axis=0) > 0).all()


def test_net_value_adds_up(scene):
    world, base, days, worn, known = scene(200, attribution_days=10_000)
    at = TREATMENTS.index("family_plan:sms")
    margin = base["monthly_margin"].to_numpy()
    expected = margin * (
        response_probability(world, base, days, worn)[:, at] * 0.70
        + organic_probability(base)[:, at] * 1.0
        - opt_out_probability(worn)[:, at] * 2.0
    )
    np.testing.assert_allclose(known.net_value[:, at], expected - 0.04)
    short = expected_net_value(scene(200, attribution_days=1)[0], base, days, worn)
    np.testing.assert_allclose(short[:, at], expected * (1 - np.exp(-1 / 3)) - 0.04)


def test_concept_drift_changes_responses_from_its_day_on_and_nothing_else(scene):
    calm, base, days, worn, _ = scene(300)
    drifting = scene(300, drift="concept")[0]
    before = days - np.timedelta64(1, "D")
    same = response_probability(calm, base, before, worn)
    np.testing.assert_array_equal(response_probability(drifting, base, before, worn), same)
    now = response_probability(calm, base, days, worn)[:, 1:]
    drifted = response_probability(drifting, base, days, worn)[:, 1:]
    assert np.abs(logit(drifted) - logit(now)).mean() > 0.5
    mixed = np.where(np.arange(300) % 2, days, before)
    rows = response_probability(drifting, base, mixed, worn)[:, 1:]
    np.testing.assert_array_equal(rows[1::2], drifted[1::2])
    np.testing.assert_array_equal(rows[::2], same[::2, 1:])
    args = (base, days, worn)
    np.testing.assert_array_equal(
        logging_probabilities(drifting, *args), logging_probabilities(calm, *args)
    )


def test_captured_is_0_for_none_and_1_for_the_oracle_and_linear_between(scene):
    _, _, _, _, known = scene()
    nothing = np.eye(len(TREATMENTS))[np.zeros(len(known.net_value), dtype=int)]
    oracle = greedy(known, known.net_value)
    assert captured(known, nothing) == pytest.approx(0, abs=1e-12)
    assert captured(known, oracle) == pytest.approx(1, abs=1e-12)
    assert captured(known, 0.3 * oracle + 0.7 * nothing) == pytest.approx(0.3, abs=1e-12)
    assert policy_value(known, nothing) == pytest.approx(none_value(known))
    assert policy_value(known, oracle) == pytest.approx(oracle_value(known))


def test_the_gap_is_what_was_seen(scene):
    shares, by_propensity = [], []
    for seed in range(6):
        world, base, days, worn, known = scene(6_000, seed=seed)
        shares.append(captured(known, logging_probabilities(world, base, days, worn)))
        by_propensity.append(
            captured(known, greedy(known, response_probability(world, base, days, worn)))
        )
    assert 0.15 < min(shares) < 0.35
    assert 0.40 < max(shares) < 0.55
    assert min(by_propensity) < 0 < max(by_propensity) < min(0.3, max(shares))


def test_a_policy_that_is_none_is_refused_with_every_reason(scene):
    _, base, _, _, known = scene(20)
    allowed = eligible(base)
    uniform = allowed / allowed.sum(axis=1, keepdims=True)
    with pytest.raises(DataError, match=r"shape \(20, 28\)"):
        captured(known, uniform[:, 1:])
    bad = uniform.copy()
    row, column = np.argwhere(~allowed)[0]
    bad[row, column] = 0.5
    other = (row + 1) % 20
    bad[other, NONE] -= 2.0
    third = (row + 2) % 20
    bad[third, NONE] = np.nan
    with pytest.raises(DataError, match=r"1 lie on .* 3 rows don't add up to 1, 1 rows hold neg"):
        captured(known, bad)
