from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss

from nextbest.errors import DataError
from nextbest.evaluation.metrics import (
    METRICS,
    auc,
    brier,
    calibration_error,
    calibration_ratio,
    calibration_slope,
    log_loss,
    probability_metrics,
)

pytestmark = pytest.mark.unit


def draw(n, seed, slope=1.0):
    """Outcomes whose true slope on the logit of p is `slope`; p in steps, so with ties."""
    rng = np.random.default_rng(seed)
    logit = np.round(rng.normal(-1, 1.2, n), 1)
    happened = (rng.random(n) < 1 / (1 + np.exp(-slope * logit))).astype(float)
    return happened, 1 / (1 + np.exp(-logit)), rng.uniform(0.1, 3, n)


@given(st.integers(0, 10_000), st.booleans())
def test_the_classics_agree_with_scikit_learn(seed, weighted):
    y, p, w = draw(60, seed)
    y[:2] = 0, 1
    w = w if weighted else None
    assert auc(y, p, w) == pytest.approx(roc_auc_score(y, p, sample_weight=w), rel=1e-10)
    assert log_loss(y, p, w) == pytest.approx(sklearn_log_loss(y, p, sample_weight=w), rel=1e-10)
    assert brier(y, p, w) == pytest.approx(brier_score_loss(y, p, sample_weight=w), rel=1e-10)


@pytest.mark.parametrize("slope", [0.5, 1.0, 2.0])
def test_the_slope_is_that_of_the_logistic_regression(slope):
    y, p, w = draw(20_000, 1, slope)
    logit = np.log(p / (1 - p))[:, None]
    expected = LogisticRegression(C=np.inf, tol=1e-10, max_iter=500).fit(logit, y, w)
    assert calibration_slope(y, p, w) == pytest.approx(expected.coef_[0, 0], rel=1e-5)
    assert calibration_slope(y, p) == pytest.approx(slope, rel=0.06)


def test_the_slope_is_found_from_afar():
    y, p, _ = draw(5000, 2)
    logit = np.log(p / (1 - p))
    far = 1 / (1 + np.exp(-(8 * logit + 20)))
    inside = (far > 0) & (far < 1)
    assert calibration_slope(y[inside], far[inside]) == pytest.approx(1 / 8, rel=0.1)


def test_calibrated_probabilities_have_little_error_and_shifted_ones_their_shift():
    y, p, w = draw(50_000, 3)
    assert calibration_error(y, p, w) < 0.01
    assert calibration_ratio(y, p, w) == pytest.approx(1, abs=0.03)
    assert calibration_error(y, np.full(len(y), y.mean() + 0.2)) == pytest.approx(0.2, abs=1e-12)
    assert calibration_ratio(y, p / 2) == pytest.approx(2 * calibration_ratio(y, p), rel=1e-12)


def test_rare_events_are_still_told_apart_by_the_bins():
    rng = np.random.default_rng(4)
    p = np.repeat([0.001, 0.02], 20_000)
    y = (rng.random(40_000) < p[::-1]).astype(float)
    assert calibration_error(y, p) == pytest.approx(0.019, abs=0.002)


def test_a_weight_of_two_is_a_row_twice():
    y, p, _ = draw(200, 5)
    w = np.where(np.arange(200) % 3 == 0, 2.0, 1.0)
    twice = np.repeat(np.arange(200), w.astype(int))
    for name, metric in METRICS.items():
        assert metric(y, p, w) == pytest.approx(metric(y[twice], p[twice]), rel=1e-9), name


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
@pytest.mark.parametrize(
    ("y", "p", "w", "message"),
    [
        ([0, 1, np.nan], [0.1, 0.2, 0.3], None, "1 of 3 outcomes are not 0 or 1, .* row 2"),
        ([0, 1, 2], [0.1, 0.2, 0.3], None, "1 of 3 outcomes are not 0 or 1, .* row 2"),
        ([0, 1, 1], [0.1, np.nan, 0.3], None, "1 of 3 probabilities are not within .* row 1"),
        ([0, 1, 1], [0.1, 1.2, -1], None, "2 of 3 probabilities are not within .* row 1"),
        ([0, 1, 1], [0.1, 0.2, 0.3], [1, 0, 1], "1 of 3 weights are not finite and above 0"),
        ([0, 1, 1], [0.1, 0.2, 0.3], [1, 1, np.inf], "1 of 3 weights are not finite"),
        ([1, 1, 1], [0.1, 0.2, 0.3], None, "all 3 outcomes are 1; both kinds are needed"),
        ([0, 0, 0], [0.1, 0.2, 0.3], None, "all 3 outcomes are 0; both kinds are needed"),
        ([0, 1], [0.1, 0.2, 0.3], None, "columns of one length"),
        ([], [], None, "there are no rows"),
        (["yes", "no"], [0.1, 0.2], None, "not numbers"),
    ],
)
def test_what_can_not_be_computed_is_an_error(metric, y, p, w, message):
    with pytest.raises(DataError, match=message):
        metric(y, p, w)


def test_each_metric_names_its_own_limits():
    with pytest.raises(DataError, match="2 of 3 outcomes were given no chance .* row 0"):
        log_loss([1, 0, 0], [0.0, 1.0, 0.5])
    with pytest.raises(DataError, match="1 of 3 probabilities are 0 or 1"):
        calibration_slope([1, 0, 0], [0.2, 1.0, 0.5])
    with pytest.raises(DataError, match="all probabilities are the same"):
        calibration_slope([1, 0, 0], [0.2, 0.2, 0.2])
    with pytest.raises(DataError, match="separate the outcomes"):
        calibration_slope([1, 1, 0, 0], [0.9, 0.8, 0.2, 0.1])
    with pytest.raises(DataError, match="every probability is 0"):
        calibration_ratio([1, 0], [0.0, 0.0])


def test_all_metrics_at_once_keep_the_errors_of_those_without_a_value():
    y, p, _ = draw(500, 6)
    assert all(isinstance(value, float) for value in probability_metrics(y, p).values())
    found = probability_metrics([1, 0, 1], [0.5, 0.5, 0.5])
    assert found["auc"] == 0.5
    assert isinstance(found["calibration_slope"], DataError)
