"""DeLong's comparison against its definition, and areas against scikit-learn's and our own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from nextbest.errors import DataError
from nextbest.evaluation.comparison.roc import delong
from nextbest.evaluation.metrics import auc

pytestmark = pytest.mark.unit

row = st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 5))
FIXED = [(True, 3, 2), (True, 1, 4), (False, 2, 2), (False, 0, 1)]
rows = st.lists(row, min_size=0, max_size=40).map(lambda more: np.array(FIXED + more, dtype=float))


def by_definition(y, scores):
    """Areas and the covariance of their parts, by all pairs (DeLong et al. 1988, section 3)."""
    v10, v01 = [], []
    for score in scores:
        over = score[y == 1][:, None] - score[y == 0][None, :]
        wins = (over > 0) + 0.5 * (over == 0)
        v10.append(wins.mean(axis=1))
        v01.append(wins.mean(axis=0))
    s10, s01 = np.cov(v10), np.cov(v01)
    return np.mean(v10, axis=1), s10 / (y == 1).sum() + s01 / (y == 0).sum()


@given(rows)
def test_it_is_what_all_pairs_say(told):
    y, first, second = told.T
    found = delong(y, first, second)
    areas, covariance = by_definition(y, (first, second))
    np.testing.assert_allclose([found.first, found.second], areas, rtol=0, atol=1e-9)
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    assert found.standard_error**2 == pytest.approx(variance, abs=1e-9)
    if variance > 1e-12:
        z = (areas[1] - areas[0]) / np.sqrt(variance)
        assert found.test.statistic == pytest.approx(z, rel=1e-6, abs=1e-9)
        assert found.test.p_value == pytest.approx(2 * stats.norm.sf(abs(z)), abs=1e-9)


@given(rows)
def test_areas_are_those_of_sklearn_and_of_the_gates(told):
    y, first, second = told.T
    found = delong(y, first, second)
    assert found.first == pytest.approx(roc_auc_score(y, first), abs=1e-9)
    assert found.second == pytest.approx(auc(y, second / 5), abs=1e-9)


def test_the_same_scores_are_no_different():
    y, first, _ = np.array(FIXED, dtype=float).T
    found = delong(y, first, first)
    assert (found.difference.value, found.test.p_value) == (0.0, 1.0)


def test_a_gap_without_spread_is_certain():
    found = delong([1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 0, 0])
    assert found.difference.value == 1.0
    assert found.test.p_value == 0.0


@pytest.mark.parametrize(
    ("y", "first", "told"),
    [([1, 0, 0], [1, 2, 3], "1 successes and 2 failures"), ([1, 1, 0, 2], [1, 2, 3, 4], "0 or 1"),
     ([1, 1, 0, 0], [1, 2, 3], "one finite each"), ([1, 1, 0, 0], [1, 2, 3, np.nan], "finite")],
)  # fmt: skip
def test_what_has_no_area_is_refused(y, first, told):
    with pytest.raises((DataError, ValueError), match=told):
        delong(y, first, np.arange(len(first)))


def test_its_chance_of_a_false_alarm_is_what_it_says():
    random = np.random.default_rng(8)
    p = []
    for _ in range(400):
        y = random.random(200) < 0.3
        base = y + random.normal(0, 1.5, 200)
        p.append(delong(y, base + random.normal(0, 1, 200), base + random.normal(0, 1, 200)))
    assert np.mean([each.test.p_value < 0.05 for each in p]) < 0.08
    assert np.mean([each.test.p_value < 0.5 for each in p]) == pytest.approx(0.5, abs=0.08)
