"""What is told of decisions against scipy, whole and added up from days."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nextbest.monitoring import decision_quality as quality

pytestmark = pytest.mark.unit


def _day(seed, treated, control):
    """A day's quality, and the matured rewards of both arms."""
    random = np.random.default_rng(seed)
    arms, rewards = [], []
    for size, mean in ((treated, 1.0), (control, 0.4)):
        reward, matured = random.normal(mean, 2, size), random.random(size) < 0.8
        flags = [random.random(size) < share for share in (0.5, 0.02)]
        arms.append(quality.arm_of(reward, matured, *flags))
        rewards.append(reward[matured])
    p = random.choice([0.005, 0.2, 1.0], treated)
    actions = random.choice(["none", "upgrade", "call"], treated)
    return quality.decisions_of(*arms, actions, p), rewards, (actions, p)


@given(
    st.integers(0, 10**6), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)), min_size=1)
)
def test_days_added_up_measure_what_all_decisions_do(seed, sizes):
    days = [_day(seed + at, *size) for at, size in enumerate(sizes)]
    found = quality.merged([day[0] for day in days])
    treated, control = (np.concatenate([day[1][side] for day in days]) for side in (0, 1))
    lift = quality.lift(found)
    if min(len(treated), len(control)) < 2:
        assert lift is None
    else:
        exact = stats.ttest_ind(treated, control, equal_var=False)
        interval = exact.confidence_interval(0.95)
        expected = (treated.mean() - control.mean(), interval.low, interval.high)
        assert lift == pytest.approx(expected, rel=1e-9, abs=1e-9)
    told = quality.measured(found, 0.3)
    actions, p = (np.concatenate([day[2][side] for day in days]) for side in (0, 1))
    if len(actions):
        counts = np.unique(actions, return_counts=True)[1]
        assert told["action_entropy"] == pytest.approx(stats.entropy(counts, base=2), abs=1e-9)
        weights = 1 / p
        share = weights.sum() ** 2 / (weights**2).sum() / len(p)
        assert told["effective_sample_share"] == pytest.approx(share)
        assert told["thin_share"] == pytest.approx((p < quality.THIN).mean())
    else:
        assert told["action_entropy"] is None


def test_a_control_group_of_the_wrong_size_is_told():
    right, wrong = (_day(1, 9_000, size)[0] for size in (1_000, 1_300))
    assert quality.measured(right, 0.1)["sample_ratio_pvalue"] > 0.05
    assert quality.measured(wrong, 0.1)["sample_ratio_pvalue"] < 1e-9


def test_immature_decisions_are_no_failures():
    nobody, late = np.zeros(3, bool), np.array([True, False, False])
    arm = quality.arm_of(np.array([6.0, 0.0, 0.0]), late, nobody, nobody)
    assert (arm.decisions, arm.matured, arm.mean) == (3, 1, 6.0)


@pytest.mark.parametrize("propensity", [0.0, 1.2, np.nan])
def test_an_impossible_propensity_is_refused(propensity):
    with pytest.raises(ValueError, match="1 of 2 propensities"):
        quality.decisions_of(quality.Arm(), quality.Arm(), ["a", "b"], np.array([0.5, propensity]))
