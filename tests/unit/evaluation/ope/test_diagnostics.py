from __future__ import annotations

import re

import numpy as np
import pytest

from nextbest.errors import DataError
from nextbest.evaluation.ope.diagnostics import diagnose, evidence, weight_histogram
from nextbest.evaluation.ope.log import LoggedBatch, Target
from nextbest.evaluation.ope.moments import fold

pytestmark = pytest.mark.unit


def test_diagnostics_are_the_plain_formulas(bandit):
    log = bandit.draw(3000, seed=1)
    w = log.targets["candidate"].probability / log.propensity
    found = diagnose(fold(log), "candidate")
    assert found.n == 3000
    assert found.ess == pytest.approx(w.sum() ** 2 / (w @ w), rel=1e-12)
    assert found.mean_weight == pytest.approx(w.mean(), rel=1e-13)
    assert found.max_weight == w.max()
    assert found.mean_weight_low < 1 < found.mean_weight_high
    assert found.support_violations == 0


def test_sound_evidence_means_go(bandit):
    for seed in range(5):
        assert evidence(diagnose(fold(bandit.draw(5000, seed)), "candidate"), min_ess=500) == ()


@pytest.mark.parametrize("rounding", [1 - 2e-16, 1, 1 + 3e-16])
def test_a_target_that_copies_the_log_but_for_rounding_is_no_fault(bandit, rounding):
    log = bandit.draw(5000, 2)
    same = Target(log.propensity * rounding)
    found = diagnose(fold(LoggedBatch(log.reward, log.propensity, {"same": same})), "same")
    assert evidence(found, min_ess=4999) == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"min_ess": 4000}, "effective sample: ess is .* must be >= 4000"),
        ({"min_positives": 5000}, "positive rewards: positive_rewards is .* must be >= 5000"),
    ],
)
def test_thin_evidence_is_refused_and_says_why(bandit, change, reason):
    found = evidence(
        diagnose(fold(bandit.draw(5000, seed=3)), "candidate"), **{"min_ess": 500, **change}
    )
    assert len(found) == 1
    assert re.search(reason, found[0])


@pytest.mark.parametrize(("told", "reason"), [(0.9, "not below 1"), (1.1, "not above 1")])
def test_propensities_that_are_not_true_show_in_the_mean_weight(bandit, told, reason):
    found = evidence(diagnose(fold(bandit.draw(20_000, 4, told=told)), "candidate"), min_ess=500)
    assert [text.split(":")[0] for text in found] == [f"mean weight, {reason}"]


def test_mass_outside_the_support_is_counted_and_refused(bandit):
    log = bandit.draw(5000, seed=5)
    outside = np.where(np.arange(5000) % 100 == 0, 0.001, 1e-17)
    target = log.targets["candidate"]
    target = Target(target.probability, target.q_target, outside)
    found = diagnose(
        fold(LoggedBatch(log.reward, log.propensity, {"a": target}, log.q_logged)), "a"
    )
    assert found.support_violations == 50
    assert evidence(found, min_ess=500)[0].startswith("support: support_violations is 50")


def test_without_a_column_support_is_unknown_and_the_mean_weight_judges_it(bandit):
    # The target's favourite, with 60 % of its mass, was never logged.
    log = bandit.draw(5000, seed=6)
    seen = log.targets["candidate"].probability * 0.4
    found = diagnose(fold(LoggedBatch(log.reward, log.propensity, {"a": Target(seen)})), "a")
    assert found.support_violations is None
    assert found.mean_weight == pytest.approx(0.4, abs=0.05)
    assert any("mean weight, not below 1" in reason for reason in evidence(found, min_ess=100))


def test_no_weight_at_all_has_no_effective_sample():
    found = diagnose(fold(LoggedBatch([1.0, 1.0], [0.5, 0.5], {"a": Target([0.0, 0.0])})), "a")
    assert found.ess == 0
    assert evidence(found, min_ess=1, min_positives=0)


def test_huge_weights_do_not_overflow():
    log = LoggedBatch([1.0] * 4, [1e-200] * 4, {"a": Target([1.0] * 4)})
    assert diagnose(fold(log), "a").ess == pytest.approx(4)


def test_the_histogram_counts_by_powers_of_two():
    w = np.array([0, 0, 0.01, 1, 1.5, 2, 3.9, 4, 1e5])
    log = LoggedBatch(np.ones(9), np.full(9, 1e-6), {"a": Target(w * 1e-6)})
    lows, counts = weight_histogram(fold(log), "a")
    expected = {0: 2, 1: 1, 8: 2, 9: 2, 10: 1, 21: 1}
    assert {i: c for i, c in enumerate(counts) if c} == expected
    assert lows[[0, 8, 9, 10, 21]].tolist() == [0, 1, 2, 4, 8192]


@pytest.mark.parametrize("call", [diagnose, weight_histogram])
@pytest.mark.parametrize("policy", ["champion", "logging"])
def test_an_unknown_policy_is_refused(bandit, call, policy):
    with pytest.raises(DataError, match=f"no policy '{policy}'"):
        call(fold(bandit.draw(10, seed=7)), policy)
