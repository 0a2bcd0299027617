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
from nextbest.monitoring.points import cut
from nextbest.monitoring.rounding import points_of

pytestmark = pytest.mark.unit
NUMBERS = st.lists(st.none() | st.integers(-20, 20).map(float), max_size=60)
ITEMS = st.lists(st.sampled_from([None, "a", "b", "ü", ""]), max_size=60)


def _counts(items):
    return s.Counts({item: items.count(item) for item in set(items)})


def _numbers(values, rounded=False):
    """Exact for few values; `rounded` and cut as a stored sketch of many rows is."""
    array = np.array([math.nan if value is None else value for value in values], dtype=float)
    known = array[~np.isnan(array)] + 0.0
    points = points_of(known)
    return s.Numbers(cut(points) if rounded else points, len(array) - len(known))


@given(ITEMS, ITEMS)
def test_counts_added_are_the_counts_of_all(left, right):
    assert _counts(left) + _counts(right) == _counts(left + right)


@given(
    st.lists(st.integers(-9, 9).map(float), min_size=2, max_size=50),
    st.lists(st.integers(-9, 9).map(float), min_size=2, max_size=50),
)
def test_numbers_match_scipy_on_exact_data(now, base):
    ours = _numbers(now), _numbers(base)
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


SHAPES = {
    "normal": lambda random, n, shift: random.normal(shift, 1, n),
    "heavy tails": lambda random, n, shift: random.lognormal(shift, 1, n),
    "far from zero": lambda random, n, shift: 1e9 + random.normal(shift, 1, n),
    "zeros between": lambda random, n, shift: np.where(
        random.random(n) < 0.3 + shift / 10, 0, random.lognormal(size=n)
    ),
    "two places": lambda random, n, shift: np.where(
        random.random(n) < 0.5, 1e6 + random.normal(shift, 1, n), random.normal(size=n)
    ),
    "numbers of customers": lambda random, n, shift: random.integers(0, 10**6, n) + shift,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("shift", [0.0, 0.3])
@pytest.mark.parametrize("rounded", [False, True])
def test_sketched_numbers_stay_within_the_stated_error(shape, shift, rounded):
    random = np.random.default_rng(7)
    base, now = (SHAPES[shape](random, n, by) for n, by in ((60_000, 0.0), (30_000, shift)))
    ours = [_numbers(values, rounded) for values in (now, base)]
    assert not ours[0].points.exact
    exact = stats.ks_2samp(now, base, method="asymp")
    stated = sum(side.points.error / side.rows for side in ours)
    assert 0 < stated < 0.008  # of few rows, a group of two of them is a larger share
    statistic, pvalue = s.kolmogorov_smirnov(*ours)
    assert abs(statistic - exact.statistic) <= stated
    assert statistic == pytest.approx(exact.statistic, abs=1e-3)  # what it is in practice
    assert pvalue == pytest.approx(exact.pvalue, abs=0.1)
    moved = sum(side.points.moved / side.rows for side in ours)
    # In practice: a thousandth of the numbers' spread.
    distance = stats.wasserstein_distance(now, base)
    assert abs(s.wasserstein(*ours) - distance) <= max(moved, 1e-3 * np.std(base))
    index = s.stability(_numbers(now[:2000]), _numbers(base[:2000]))
    assert s.stability(*[_numbers(x[:2000], rounded) for x in (now, base)]) == pytest.approx(
        index, abs=0.02
    )


@pytest.mark.parametrize("rows", [6_000, 100_000])
@pytest.mark.parametrize("scaled", [0.3, 0.6, 1.0, 1.5, 2.5])
def test_the_chance_of_a_gap_among_many_rows_is_that_of_the_law(rows, scaled):
    gap = scaled / math.sqrt(rows)
    assert s._chance(gap, rows) == pytest.approx(stats.kstwo.sf(gap, rows), abs=1e-5)


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
    assert s.stability(_numbers(now), _numbers(base)) > 1


def test_the_index_equals_its_formula_on_bins_that_stand_alone():
    now, base = _numbers([0.0] * 300 + [1.0] * 700), _numbers([0.0] * 500 + [1.0] * 500)
    p, q = np.array([300.5, 700.5]) / 1001, np.array([0.5, 0.5])
    assert s.stability(now, base) == pytest.approx(np.sum((p - q) * np.log(p / q)), rel=1e-12)


@given(st.integers(0, 10**6), st.sampled_from([20, 60, 200, 2000]))
def test_the_index_of_noise_is_small_at_any_size(seed, rows):
    random = np.random.default_rng(seed)
    now, base = random.normal(size=rows), random.normal(size=4 * rows)
    index = s.stability(_numbers(now), _numbers(base))
    # About χ²(bins − 1) (1/n + 1/m): 1e-9 of the time beyond, with the prior's slack.
    bins = min(10, rows // s.BIN_ROWS) + 2
    assert index <= 1.5 * stats.chi2.isf(1e-9, bins - 1) * (1 / rows + 1 / (4 * rows))


@pytest.mark.parametrize(
    "statistic", [s.stability, s.wasserstein, lambda now, base: s.kolmogorov_smirnov(now, base)[0]]
)
def test_no_values_give_no_number(statistic):
    assert math.isnan(statistic(_numbers([]), _numbers([1.0])))
    assert math.isnan(statistic(_numbers([1.0]), _numbers([])))
    if statistic is not s.stability:  # that one knows missing values: all on both sides is equal
        assert math.isnan(statistic(_numbers([None]), _numbers([None])))


@pytest.mark.parametrize("statistic", [s.jensen_shannon, s.total_variation, s.l_infinity])
def test_no_categories_give_no_number(statistic):
    assert math.isnan(statistic(s.Counts({}), s.Counts({"a": 1})))
    assert math.isnan(s.chi_squared(s.Counts({"a": 1}), s.Counts({}))[0])
