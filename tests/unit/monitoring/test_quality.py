"""Quality of predictions against scikit-learn, whole and added up from parts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from nextbest.monitoring import quality
from nextbest.monitoring.rounding import EXACT

pytestmark = pytest.mark.unit
LABELS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcd")), min_size=1)


def _rows(seed, size, digits=None):
    random = np.random.default_rng(seed)
    p = random.beta(1, 4, size)
    came = random.random(size) < p
    return (p if digits is None else p.round(digits)), came


@given(st.integers(0, 10**6), st.integers(2, 500), st.sampled_from([1, 2, None]))
def test_few_predictions_measure_as_scikit_learn_does(seed, size, digits):
    p, came = _rows(seed, size, digits)
    halves = [
        quality.probabilities_of(p[part], came[part]) for part in (slice(0, 9), slice(9, None))
    ]
    told = quality.measured(quality.merged(halves))
    clipped = np.clip(p, quality.CLIP, 1 - quality.CLIP)
    assert told["log_loss"] == pytest.approx(
        metrics.log_loss(came, clipped, labels=[False, True]), rel=1e-9
    )
    assert told["brier_score"] == pytest.approx(np.mean((p - came) ** 2), rel=1e-9)
    if 0 < came.sum() < size:
        assert told["roc_auc_score"] == pytest.approx(metrics.roc_auc_score(came, p), rel=1e-9)
    else:
        assert told["roc_auc_score"] is None


@pytest.mark.parametrize("seed", range(3))
def test_the_area_of_many_predictions_is_within_its_bound(seed):
    p, came = _rows(seed, 60_000)
    parts = [quality.probabilities_of(*each) for each in zip(
        np.array_split(p, 5), np.array_split(came, 5), strict=True)]  # fmt: skip
    found = quality.merged(parts)
    assert found.yes.total > EXACT
    bound = sum(side.error / side.total for side in (found.yes, found.no))
    exact = metrics.roc_auc_score(came, p)
    assert abs(quality.measured(found)["roc_auc_score"] - exact) <= min(bound, 1e-4)


def test_nothing_predicted_measures_nothing():
    told = quality.measured(quality.probabilities_of(np.empty(0), np.empty(0, bool)))
    assert set(told.values()) == {None}
    assert set(quality.class_quality({}).values()) == {None}
    with pytest.raises(ValueError, match="2 predictions are no probability"):
        quality.probabilities_of(np.array([0.5, np.nan, 1.1]), np.array([True, True, False]))


@given(LABELS)
def test_classes_measure_as_scikit_learn_does(pairs):
    told = quality.class_quality({pair: pairs.count(pair) for pair in set(pairs)})
    real, predicted = zip(*pairs, strict=True)
    assert told["accuracy_score"] == pytest.approx(metrics.accuracy_score(real, predicted))
    names = sorted({*real, *predicted})
    for average in ("macro", "weighted", None):
        found = metrics.precision_recall_fscore_support(
            real, predicted, labels=names, average=average, zero_division=0
        )
        for key, values in zip(("precision", "recall", "f1_score"), found, strict=False):
            ours = told[key][average or "one_vs_all"]
            ours = [ours[name] for name in names] if average is None else ours
            assert ours == pytest.approx(values, rel=1e-9, abs=1e-12)
