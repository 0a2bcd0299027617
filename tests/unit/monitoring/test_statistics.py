"""Distances against scipy, addition against counting at once, noise against its bound."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from nextbest.monitoring import statistics as s

pytestmark = pytest.mark.unit
NUMBERS = st.lists(st.none() | st.integers(-20, 20).map(float), max_size=60)
EDGES = st.none() | st.lists(st.integers(-15, 15).map(float), unique=True, max_size=9).map(sorted)
ITEMS = st.lists(st.sampled_from([None, "a", "b", "ü", ""]), max_size=60)


def _counts(items):
    return s.Counts({item: items.count(item) for item in set(items)})


@given(NUMBERS, NUMBERS, EDGES)
def test_histograms_added_are_the_histogram_of_all(left, right, edges):
    assert s.histogram(left, edges) + s.histogram(right, edges) == s.histogram(left + right, edges)


@given(ITEMS, ITEMS)
def test_counts_added_are_the_counts_of_all(left, right):
    assert _counts(left) + _counts(right) == _counts(left + right)


@given(
    st.lists(st.integers(-9, 9).map(float), min_size=2, max_size=50),
    st.lists(st.integers(-9, 9).map(float), min_size=2, max_size=50),
)
def test_numbers_match_scipy_on_exact_data(now, base):
    ours = s.histogram(now), s.histogram(base)
    expected = stats.ks_2samp(now, base, method="asymp")
    assert s.kolmogorov_smirnov(*ours) == pytest.approx(
        (expected.statistic, expected.pvalue), rel=1e-9, abs=1e-9
    )
    assert s.wasserstein(*ours) == pytest.approx(
        stats.wasserstein_distance(now, base), rel=1e-9, abs=1e-9
    )


@given(ITEMS.filter(bool), ITEMS.filter(bool))
def test_categories_match_scipy(now, base):
    items = sorted({*now, *base}, key=str)
    table = np.array([[side.count(item) for item in items] for side in (now, base)])
    p, q = table / table.sum(axis=1, keepdims=True)
    ours = _counts(now), _counts(base)
    # The root of a difference of nearly equal numbers: 1e-9 holds for its square.
    assert s.jensen_shannon(*ours) ** 2 == pytest.approx(
        np.nan_to_num(jensenshannon(p, q, base=2)) ** 2, abs=1e-9
    )
    assert s.total_variation(*ours) == pytest.approx(np.abs(p - q).sum() / 2, abs=1e-12)
    assert s.l_infinity(*ours) == pytest.approx(np.abs(p - q).max(), abs=1e-12)
    expected = stats.chi2_contingency(table, correction=False)
    assert s.chi_squared(*ours) == pytest.approx((expected.statistic, expected.pvalue), abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_binned_numbers_stay_within_the_stated_error(seed, shift):
    random = np.random.default_rng(seed)
    base, now = random.lognormal(size=6000), random.lognormal(shift, size=3000)
    edges = sorted(set(np.quantile(base, np.arange(101) / 100)))
    ours = s.histogram(now, edges), s.histogram(base, edges)
    exact = stats.ks_2samp(now, base, method="asymp").statistic
    largest = max(max(n for n, _ in side.bins.values()) / side.rows for side in ours)
    assert exact - largest <= s.kolmogorov_smirnov(*ours)[0] <= exact + 1e-12
    spread = 0.0
    for values, side in zip((now, base), ours, strict=True):
        at = np.append(edges, np.inf)[np.searchsorted(edges, values)]
        means = np.array([side.bins[float(edge)][1] / side.bins[float(edge)][0] for edge in at])
        spread += float(np.mean(np.abs(values - means)))
    exact = stats.wasserstein_distance(now, base)
    assert abs(s.wasserstein(*ours) - exact) <= spread


@pytest.mark.parametrize(
    ("now", "base"),
    [
        ([1.0] * 500, [0.0] * 500),  # a constant that changed
        ([1.0] * 500, [0.0] * 25 + [2.0] * 475),  # a value between those of the baseline
        ([-5.0] * 500, list(range(500))),  # below all of them
        ([None] * 250 + [1.0] * 250, [1.0] * 500),  # half the values went missing
        ([math.nan] * 500, [1.0] * 500),
    ],
)
def test_the_index_sees_what_the_baseline_never_held(now, base):
    assert s.stability(s.histogram(now), s.histogram(base)) > 1


def test_the_index_equals_its_formula_on_bins_that_stand_alone():
    now, base = s.histogram([0.0] * 300 + [1.0] * 700), s.histogram([0.0] * 500 + [1.0] * 500)
    p, q = np.array([300.5, 700.5]) / 1001, np.array([0.5, 0.5])
    assert s.stability(now, base) == pytest.approx(np.sum((p - q) * np.log(p / q)), rel=1e-12)


@given(st.integers(0, 10**6), st.sampled_from([20, 60, 200, 2000]))
def test_the_index_of_noise_is_small_at_any_size(seed, rows):
    random = np.random.default_rng(seed)
    now, base = random.normal(size=rows), random.normal(size=4 * rows)
    edges = sorted(set(np.quantile(base, np.arange(101) / 100)))
    index = s.stability(s.histogram(now, edges), s.histogram(base, edges))
    # About χ²(bins − 1) (1/n + 1/m): 1e-9 of the time beyond, with the prior's slack.
    bins = min(10, rows // s.BIN_ROWS) + 2
    assert index <= 1.5 * stats.chi2.isf(1e-9, bins - 1) * (1 / rows + 1 / (4 * rows))


@pytest.mark.parametrize(
    "statistic", [s.stability, s.wasserstein, lambda now, base: s.kolmogorov_smirnov(now, base)[0]]
)
def test_no_values_give_no_number(statistic):
    assert math.isnan(statistic(s.histogram([]), s.histogram([1.0])))
    assert math.isnan(statistic(s.histogram([1.0]), s.histogram([])))
    if statistic is not s.stability:  # that one knows missing values: all on both sides is equal
        assert math.isnan(statistic(s.histogram([None]), s.histogram([None])))


@pytest.mark.parametrize("statistic", [s.jensen_shannon, s.total_variation, s.l_infinity])
def test_no_categories_give_no_number(statistic):
    assert math.isnan(statistic(s.Counts({}), s.Counts({"a": 1})))
    assert math.isnan(s.chi_squared(s.Counts({"a": 1}), s.Counts({}))[0])
