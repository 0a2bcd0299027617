"""Whole comparisons of two made-up versions: numbers of elsewhere, slices, what can't be told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import two_versions as made
from scipy import stats

from nextbest.errors import DataError, UsageError
from nextbest.evaluation import metrics
from nextbest.evaluation.comparison.agreement import agreement, by_segment, instead_of
from nextbest.evaluation.comparison.curves import calibration_curve
from nextbest.evaluation.comparison.judged import (
    Judged,
    compare_all,
    compare_slices,
    segments_of,
)
from nextbest.evaluation.comparison.measures import BETTER, known
from nextbest.evaluation.comparison.measuring import compare_head, compare_value
from nextbest.evaluation.comparison.scoring import (
    FIRST,
    SECOND,
    doubly_robust,
    log_of,
    score_both,
)
from nextbest.evaluation.ope.estimators import lift, value_of
from nextbest.evaluation.ope.moments import fold
from nextbest.evaluation.ope.targets import target_probabilities

pytestmark = pytest.mark.unit

N = 3_000


@pytest.fixture(scope="module")
def rows():
    return made.decisions(N)


@pytest.fixture(scope="module")
def pair():
    return made.decider(noise=1.5, seed=1), made.decider(version="2")


@pytest.fixture(scope="module")
def scored(rows, pair):
    return score_both(rows, *pair)


@pytest.fixture(scope="module")
def judged(rows, scored):
    return Judged(rows, scored, made.HEADS, segments_of(rows, ("x", "segment", "vip")))


def test_scores_are_those_of_off_policy_evaluation(rows, pair, scored):
    for name, decider in zip((FIRST, SECOND), pair, strict=True):
        told = target_probabilities(
            rows, rows["eligible"], rows["treatment"], decider, reference=pair[1]
        )
        np.testing.assert_allclose(scored[name], told["target_probability"], rtol=1e-12)
        np.testing.assert_allclose(scored[f"q_{name}"], told["q_target"], rtol=1e-12)
        np.testing.assert_allclose(scored["q_logged"], told["q_logged"], rtol=1e-12)


def test_the_value_is_the_paired_lift(rows, scored):
    log = log_of(rows, scored)
    moments = fold(log)
    found, over = compare_value(log), lift(moments, SECOND, FIRST)
    told = found.difference
    np.testing.assert_allclose(
        [told.value, told.low, told.high], [over.value, over.low, over.high], rtol=1e-12
    )
    assert found.first == pytest.approx(value_of(moments, FIRST, "dr").value, rel=1e-12)
    d = doubly_robust(log, SECOND) - doubly_robust(log, FIRST)
    assert d.mean() == pytest.approx(over.value, rel=1e-10)
    assert d.std(ddof=1) / np.sqrt(N) == pytest.approx(over.standard_error, rel=1e-10)
    assert found.test.p_value == pytest.approx(stats.ttest_1samp(d, 0).pvalue, abs=1e-12)


def test_a_better_model_is_seen_by_every_measure(judged):
    found, failed = compare_all(judged, tuple(BETTER), 0.95)
    assert not failed
    by_name = {each.name: each for each in found}
    assert len(by_name) == 1 + 2 * (len(BETTER) - 1)
    for name in ("value", "auc (response)", "log_loss (response)", "brier (response)"):
        assert by_name[name].gain > 0, name
        assert by_name[name].different(0.95), name
    y, first, second, days = judged.outcome(made.HEADS[0])
    assert len(y) == (judged.rows["treatment"] != "none").sum() == len(days)
    for metric in ("auc", "log_loss", "brier", "calibration_error", "calibration_slope"):
        each = by_name[f"{metric} (response)"]
        assert each.first == pytest.approx(metrics.METRICS[metric](y, first), rel=1e-9)
        assert each.second == pytest.approx(metrics.METRICS[metric](y, second), rel=1e-9)
    assert by_name["auc (purchase)"].difference.value == 0
    assert not by_name["auc (purchase)"].different(0.95)


def test_mean_losses_differ_by_their_metrics(judged):
    y, first, second, _ = judged.outcome(made.HEADS[0])
    for metric in ("log_loss", "brier"):
        found = compare_head(metric, "response", y, first, second)
        expected = metrics.METRICS[metric](y, second) - metrics.METRICS[metric](y, first)
        assert found.difference.value == pytest.approx(expected, abs=1e-12)


def test_calibration_is_compared_by_its_distance(judged):
    y, first, second, _ = judged.outcome(made.HEADS[0])
    for metric in ("calibration_ratio", "calibration_slope"):
        found = compare_head(metric, "response", y, first, second)
        expected = abs(found.second - 1) - abs(found.first - 1)
        assert found.difference.value == pytest.approx(expected, abs=1e-12)
        assert found.difference.low <= expected <= found.difference.high
    found = compare_head("calibration_error", "response", y, first, second)
    assert found.difference.value == pytest.approx(found.second - found.first, abs=1e-12)


def test_a_resampled_slope_is_nearly_one_that_is_fitted_anew(judged):
    y, first, _, _ = judged.outcome(made.HEADS[0])
    beta, influence = metrics.calibration_line(y, first)
    random = np.random.default_rng(3)
    for _ in range(5):
        rows = random.integers(0, len(y), len(y))
        moved = beta[1] + influence[rows, 1].mean()
        assert metrics.calibration_slope(y[rows], first[rows]) == pytest.approx(moved, abs=0.01)


def test_slices_are_those_with_enough_decisions(judged):
    slices, thin = compare_slices(judged, ("value", "auc"), 0.95)
    told = {(each.attribute, each.segment) for each in slices}
    assert {("segment", "loyal"), ("segment", "new"), ("vip", "True"), ("vip", "False")} <= told
    value = [each.compared for each in slices if each.compared.metric == "value"
             and each.attribute == "vip"]  # fmt: skip
    whole = compare_value(log_of(judged.rows, judged.scored))
    assert sum(each.n for each in value) == N
    together = sum(each.n * each.difference.value for each in value) / N
    assert together == pytest.approx(whole.difference.value, rel=1e-9)
    assert all(each.compared.adjusted >= each.compared.test.p_value for each in slices)
    few = judged.where((judged.rows["segment"] == "<b>rare</b>").to_numpy())
    assert len(few) < 60
    _, thin = compare_slices(few, ("value",), 0.95)
    assert any("decisions" in each.reason for each in thin)


def test_what_can_not_be_computed_is_told(judged):
    none = judged.where((judged.rows["response"] == 0).to_numpy())
    found, failed = compare_all(none, ("auc", "value"), 0.95)
    assert [each.name for each in failed] == ["auc (response)"]
    assert "0 successes" in failed[0].reason
    assert "value" in {each.name for each in found}
    with pytest.raises(DataError, match="1 decisions"):
        compare_value(log_of(judged.rows[:1], judged.scored[:1]))


def test_metrics_are_known_or_near():
    assert known(["auc", "value", "auc"]) == ("auc", "value")
    with pytest.raises(UsageError, match=r"'acu' \(did you mean auc\?\), 'zz'; there are value"):
        known(["acu", "zz"])


def test_two_versions_that_can_not_be_asked_together(rows, pair):
    import dataclasses

    from nextbest.decisions.arbitration import Arbitration

    other = dataclasses.replace(pair[1], arbitration=Arbitration(made.HEADS[:1]))
    with pytest.raises(DataError, match="same outcomes"):
        score_both(rows, pair[0], other)
    outside = rows.assign(eligible=[("none",)] * N)
    with pytest.raises(DataError, match="not in their eligible set"):
        score_both(outside, *pair)


def test_agreement_is_kappa_of_sklearn():
    from sklearn.metrics import cohen_kappa_score

    random = np.random.default_rng(4)
    one = random.choice(["a", "b", "c"], 200)
    other = np.where(random.random(200) < 0.6, one, random.choice(["a", "d"], 200))
    found = agreement(one, other, random.random(200))
    assert found.kappa == pytest.approx(cohen_kappa_score(one, other), abs=1e-12)
    assert found.share == np.mean(one == other)
    assert agreement(one, one, np.zeros(200)).kappa == pytest.approx(1.0)
    assert np.isnan(agreement(["a"] * 3, ["a"] * 3, np.zeros(3)).kappa)


def test_where_they_part(scored, judged):
    differ = (scored["prefers_first"] != scored["prefers_second"]).to_numpy()
    moved = instead_of(scored["prefers_first"], scored["prefers_second"])
    assert moved["decisions"].is_monotonic_decreasing
    assert moved["share"].sum() <= differ.mean() + 1e-12
    assert (moved["first"] != moved["second"]).all()
    found = by_segment(scored["apart"], differ, judged.rows[["segment", "vip"]])
    loyal = (judged.rows["segment"] == "loyal").to_numpy()
    row = found[(found["attribute"] == "segment") & (found["segment"] == "loyal")].iloc[0]
    assert row["apart"] == pytest.approx(scored["apart"][loyal].mean())
    assert row["disagreement"] == pytest.approx(differ[loyal].mean())
    assert by_segment([0.1], [True], pd.DataFrame({"a": ["x"]})).empty


def test_curves_hold_the_shares_that_were_seen(judged):
    y, first, _, _ = judged.outcome(made.HEADS[0])
    found = calibration_curve(y, first)
    assert found["decisions"].sum() == len(y)
    assert (found["seen"] * found["decisions"]).sum() == pytest.approx(y.sum())
    assert ((found["low"] <= found["seen"]) & (found["seen"] <= found["high"])).all()
    gap = (found["decisions"] * (found["seen"] - found["said"]).abs()).sum() / len(y)
    assert gap == pytest.approx(metrics.calibration_error(y, first), abs=1e-12)
    from statsmodels.stats.proportion import proportion_confint

    counts = (found["seen"] * found["decisions"]).round()
    low, high = proportion_confint(counts, found["decisions"], method="wilson")
    np.testing.assert_allclose([found["low"], found["high"]], [low, high], atol=1e-9)
