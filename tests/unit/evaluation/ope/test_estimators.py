from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.errors import DataError, SettingsError
from nextbest.evaluation.ope.estimators import available, lift, value_of
from nextbest.evaluation.ope.log import LOGGING, LoggedBatch, Target
from nextbest.evaluation.ope.moments import fold
from nextbest.evaluation.ope.terms import Shrinkage
from nextbest.evaluation.ope.value import evaluate

pytestmark = pytest.mark.unit

UNBIASED = ("ips", "snips", "dr", "sndr")


@pytest.fixture(scope="module")
def repetitions(bandit):
    """The moments of 200 logs of 2,000 decisions each."""
    return [fold(bandit.draw(2000, seed=1000 + seed)) for seed in range(200)]


def test_only_what_the_columns_allow_is_estimated(bandit):
    log = bandit.draw(500, seed=1)
    bare = LoggedBatch(log.reward, log.propensity, {"a": Target(log.targets["same"].probability)})
    assert set(evaluate(fold(bare), "a").estimates) == {"ips", "snips", "clipped_ips"}
    with pytest.raises(
        DataError, match="'dr' can't be computed .* more with q_logged and q_target"
    ):
        value_of(fold(bare), "a", "dr")
    assert set(evaluate(fold(log), "candidate").estimates) == {
        *UNBIASED,
        "dm",
        "clipped_ips",
        "switch_dr",
        "dros",
        "sg_dr",
    }


def test_weights_of_one_give_the_mean_and_its_interval(bandit):
    log = bandit.draw(2000, seed=2)
    value = evaluate(fold(log), "same")
    error = log.reward.std(ddof=1) / np.sqrt(len(log))
    for name in ("ips", "snips"):
        assert value.estimates[name].value == pytest.approx(log.reward.mean(), rel=1e-12)
        assert value.estimates[name].standard_error == pytest.approx(error, rel=1e-9)
        assert value.lifts[name].value == pytest.approx(0, abs=1e-12)
        assert value.lifts[name].high - value.lifts[name].low < 1e-12
    assert value.diagnostics.ess == pytest.approx(len(log), rel=1e-12)


@given(st.floats(0.01, 1000), st.sampled_from([-1, 1]))
def test_scaled_rewards_scale_every_estimate_and_interval(bandit, factor, sign):
    log = bandit.draw(300, seed=3)
    scaled = LoggedBatch(
        log.reward * factor * sign,
        log.propensity,
        {
            name: Target(target.probability, target.q_target * factor * sign, target.unsupported)
            for name, target in log.targets.items()
        },
        log.q_logged * factor * sign,
    )
    one, other = evaluate(fold(log), "candidate"), evaluate(fold(scaled), "candidate")
    for name, estimate in one.estimates.items():
        bounds = sorted([estimate.low * factor * sign, estimate.high * factor * sign])
        found = other.estimates[name]
        assert found.value == pytest.approx(estimate.value * factor * sign, rel=1e-10)
        assert [found.low, found.high] == pytest.approx(bounds, rel=1e-10, abs=1e-12 * factor)


def test_intervals_tighten_as_the_root_of_the_data(bandit):
    log = bandit.draw(4000, seed=4)
    once = fold(log)
    four = once + once + once + once
    for name in available(once):
        short = value_of(once, "candidate", name).standard_error
        assert value_of(four, "candidate", name).standard_error == pytest.approx(
            short / 2, rel=1e-3
        )


@pytest.mark.parametrize("estimator", UNBIASED)
def test_analytic_errors_agree_with_the_bootstrap(bandit, estimator):
    # The ratio itself is computed anew in every sample, as self-normalised estimators need it.
    log, rng = bandit.draw(1500, seed=5), np.random.default_rng(6)
    target = log.targets["candidate"]
    w = target.probability / log.propensity
    d = log.reward - log.q_logged
    values = []
    for _ in range(1500):
        i = rng.integers(0, len(log), len(log))
        values.append(
            {
                "ips": (w * log.reward)[i].mean(),
                "snips": (w * log.reward)[i].sum() / w[i].sum(),
                "dr": (target.q_target + w * d)[i].mean(),
                "sndr": target.q_target[i].mean() + (w * d)[i].sum() / w[i].sum(),
            }[estimator]
        )
    found = value_of(fold(log), "candidate", estimator).standard_error
    assert found == pytest.approx(np.std(values), rel=0.08)


@pytest.mark.parametrize("estimator", UNBIASED)
def test_intervals_cover_the_truth(bandit, repetitions, estimator):
    values = [value_of(moments, "candidate", estimator) for moments in repetitions]
    lifts = [lift(moments, "candidate", estimator=estimator) for moments in repetitions]
    gain = bandit.value - bandit.logging_value
    assert 0.90 <= np.mean([v.low <= bandit.value <= v.high for v in values]) <= 0.99
    assert 0.90 <= np.mean([v.low <= gain <= v.high for v in lifts]) <= 0.99


def test_false_propensities_break_the_coverage_of_what_leans_on_them(bandit):
    logs = [fold(bandit.draw(2000, seed=1000 + seed, told=0.7)) for seed in range(60)]
    values = [value_of(moments, "candidate", "ips") for moments in logs]
    assert np.mean([v.low <= bandit.value <= v.high for v in values]) < 0.5


@pytest.mark.parametrize("estimator", ["dm", "switch_dr", "dros", "sg_dr"])
def test_a_biased_estimator_shows_the_doubt_its_own_spread_would_hide(bandit, estimator):
    logs = [fold(bandit.draw(2000, seed=2000 + seed, model=0.2)) for seed in range(60)]
    values = [value_of(moments, "candidate", estimator) for moments in logs]
    narrow = [abs(v.value - bandit.value) <= 1.96 * v.standard_error for v in values]
    assert np.mean([v.low <= bandit.value <= v.high for v in values]) >= 0.88
    assert estimator == "sg_dr" or np.mean(narrow) < 0.5  # sg_dr shrinks little here
    assert all(v.low <= v.value <= v.high for v in values)


def test_a_paired_lift_is_tighter_than_two_values_apart(bandit):
    moments = fold(bandit.draw(4000, seed=7))
    paired = lift(moments, "candidate", "same", estimator="dr")
    one, other = (value_of(moments, policy, "dr") for policy in ("candidate", "same"))
    assert paired.value == pytest.approx(one.value - other.value, abs=1e-14)
    assert paired.standard_error < np.hypot(one.standard_error, other.standard_error)
    back = lift(moments, "same", "candidate", estimator="dr")
    assert (back.low, back.high) == pytest.approx((-paired.high, -paired.low), abs=1e-14)
    assert lift(moments, "candidate", LOGGING, estimator="ips").value == pytest.approx(
        value_of(moments, "candidate", "ips").value - value_of(moments, LOGGING, "on_policy").value
    )


def test_a_single_decision_leaves_everything_open():
    estimate = value_of(fold(LoggedBatch([1.0], [0.5], {"a": Target([1.0])})), "a", "ips")
    assert (estimate.value, estimate.low, estimate.high) == (2.0, -np.inf, np.inf)


def test_a_target_that_never_does_what_was_logged_is_refused():
    moments = fold(LoggedBatch([1.0, 0.0], [0.5, 0.5], {"a": Target([0.0, 0.0])}))
    with pytest.raises(DataError, match=r"a\.w: all 2 weights are 0"):
        evaluate(moments, "a")


def test_unknown_names_and_levels_are_refused(bandit):
    moments = fold(bandit.draw(100, seed=8))
    with pytest.raises(DataError, match="no policy 'champion' .* candidate, same"):
        evaluate(moments, "champion")
    with pytest.raises(DataError, match="'mrdr' can't be computed"):
        value_of(moments, "candidate", "mrdr")
    with pytest.raises(SettingsError, match="confidence is 95"):
        value_of(moments, "candidate", "dr", confidence=95)


def test_several_strengths_of_one_shrinkage_stand_side_by_side(bandit):
    grid = tuple(Shrinkage(f"switch_{x:g}", "switch", x) for x in (1e-9, 2.0, 1e9))
    moments = fold(bandit.draw(800, seed=9), grid)
    none, some, all_of_it = (value_of(moments, "candidate", s.name).value for s in grid)
    assert none == pytest.approx(value_of(moments, "candidate", "dm").value, abs=1e-15)
    assert all_of_it == pytest.approx(value_of(moments, "candidate", "dr").value, abs=1e-15)
    assert some not in (none, all_of_it)


@pytest.mark.parametrize(
    ("kind", "strength"), [("clip", -1.0), ("mrdr", 1.0), ("switch", 0.0), ("subgaussian", 1.0)]
)
def test_a_shrinkage_must_be_one_we_know(kind, strength):
    with pytest.raises(SettingsError, match="shrinkage 's'"):
        Shrinkage("s", kind, strength)
