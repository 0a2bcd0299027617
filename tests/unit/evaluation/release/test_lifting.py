from __future__ import annotations

import pytest

from nextbest.errors import DataError
from nextbest.evaluation.gates import judge
from nextbest.evaluation.ope.estimators import lift
from nextbest.evaluation.ope.log import LOGGING, LoggedBatch, Target
from nextbest.evaluation.ope.moments import fold
from nextbest.evaluation.release.lifting import lift_gates, lift_measurements, newest_gate

pytestmark = pytest.mark.unit


def verdict(moments, *, baseline=LOGGING, min_lift=0.0, min_ess=300):
    gates = lift_gates(min_ess=min_ess, min_lift=min_lift, min_positives=100)
    return judge(gates, lift_measurements(moments, "candidate", baseline=baseline))


@pytest.fixture(scope="module")
def better(bandit):
    """A long log in which the candidate is better than the policy that wrote it."""
    assert bandit.value > bandit.logging_value
    return fold(bandit.draw(60_000, seed=1))


def test_a_better_policy_on_sound_evidence_is_released(better):
    found = verdict(better)
    assert found.passed, found.text
    assert found.text.startswith("Passed: all 5 gates.")


def test_the_lift_is_the_paired_one_over_the_baseline(better):
    for baseline in (LOGGING, "same"):
        found = lift_measurements(better, "candidate", baseline=baseline)
        assert found["lift_low"] == lift(better, "candidate", baseline, estimator="dr").low
    assert verdict(better, baseline="same").passed


def test_a_policy_is_not_better_than_itself(better):
    itself = verdict(better, baseline="candidate")
    assert [finding.gate.metric for finding in itself.findings if not finding.passed] == [
        "lift_low"
    ]


@pytest.mark.parametrize(
    ("change", "metric"),
    [
        ({"min_lift": 10.0}, "lift_low"),
        ({"min_ess": 1e9}, "ess"),
        ({"baseline": "champion"}, "lift_low"),
    ],
)
def test_each_gate_refuses_alone(better, change, metric):
    refused = [f.gate.metric for f in verdict(better, **change).findings if not f.passed]
    assert set(refused) == {metric}


def test_a_short_log_is_refused(bandit):
    found = verdict(fold(bandit.draw(200, seed=2)))
    assert not found.passed
    assert "effective sample" in found.text


def test_a_missing_model_is_no_pass(bandit):
    log = bandit.draw(20_000, seed=3)
    bare = Target(log.targets["candidate"].probability)
    found = verdict(fold(LoggedBatch(log.reward, log.propensity, {"candidate": bare})))
    refused = [finding.gate.metric for finding in found.findings if not finding.passed]
    assert refused == ["lift_low"]
    assert "'dr' can't be computed from this log" in found.text


def test_nothing_passes_without_a_log(bandit):
    log = bandit.draw(0, seed=4)
    found = verdict(fold(log))
    assert not any(finding.passed for finding in found.findings)
    unscored = verdict(DataError("the decisions were not scored"))
    assert not any(finding.passed for finding in unscored.findings)
    assert unscored.text.count("the decisions were not scored") == 5


def test_the_newest_days_may_not_speak_against_it(better):
    gates = (*lift_gates(min_ess=300, min_lift=0.0, min_positives=100), newest_gate(0.0))
    told = lift_measurements(better, "candidate")
    assert judge(gates, {**told, "lift_newest": 0.1}).passed
    for bad in (-0.1, 0.0, None, float("nan")):
        found = judge(gates, {**told, "lift_newest": bad})
        assert [each.gate.metric for each in found.findings if not each.passed] == ["lift_newest"]
    assert not judge(gates, told).passed
