"""Sketches against the rows themselves: exact while few, within their own bound beyond."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.errors import DataError
from nextbest.monitoring import distinct, items, points
from nextbest.monitoring.profile import measured
from nextbest.monitoring.rounding import EXACT, points_of
from nextbest.monitoring.sketches import category_sketch, merged, number_sketch
from nextbest.monitoring.stored import from_bytes, to_bytes

pytestmark = pytest.mark.unit
FLOATS = st.floats(allow_nan=False, width=64) | st.sampled_from([0.0, -0.0, 1e-320, math.inf])
CELLS = st.none() | st.integers(-5, 5).map(float) | st.floats(-1e6, 1e6) | st.just(math.nan)
SIZES = st.integers(EXACT + 1, 20_000)


def _sketch(values):
    return number_sketch(pa.array(values, pa.float64(), from_pandas=False), "double")


def _worst(found, values):
    """By how many rows the distribution function is wrong anywhere, at most."""
    ordered = np.sort(values)
    places = np.unique(np.concatenate([found.values, ordered]))
    reached = np.append(0, np.cumsum(found.rows))
    ours = reached[np.searchsorted(found.values, places, side="right")]
    return int(np.abs(ours - np.searchsorted(ordered, places, side="right")).max())


@given(st.lists(FLOATS, max_size=200))
def test_few_numbers_are_kept_as_they_are(values):
    known = np.array(values, dtype=float) + 0.0
    found = points_of(known)
    different, rows = np.unique(known, return_counts=True)
    assert found.exact
    assert (found.values.tolist(), found.rows.tolist()) == (different.tolist(), rows.tolist())


@given(
    st.integers(0, 2**32),
    SIZES,
    st.sampled_from([-1e12, 0.0, 3.0, 1e9]),
    st.floats(1e-3, 50),
    st.floats(0, 1),
)
def test_many_numbers_stay_within_the_bound_they_carry(seed, size, place, wide, zeros):
    random = np.random.default_rng(seed)
    values = place + np.exp(random.normal(0, wide, size)) * random.choice([-1.0, 1.0], size)
    values[random.random(size) < zeros] = 0.0
    found = points_of(values)
    assert found.total == size
    assert _worst(found, values) <= found.error <= size / 1024
    short = points.cut(found)
    assert short.total == size
    assert _worst(short, values) <= short.error
    assert len(short.values) <= points.KEPT + 2


@given(st.integers(0, 2**32), st.lists(SIZES, min_size=2, max_size=5))
def test_parts_added_up_are_within_the_bound_of_the_whole(seed, sizes):
    random = np.random.default_rng(seed)
    parts = [random.gamma(2, 3, size) for size in sizes]
    whole = np.concatenate(parts)
    together = points.merged([points.cut(points_of(part)) for part in parts])
    assert together.total == len(whole)
    assert _worst(together, whole) <= together.error <= 0.02 * len(whole)


@given(st.lists(CELLS, max_size=60), st.lists(CELLS, max_size=60))
def test_a_merge_of_parts_measures_what_the_whole_does(left, right):
    whole = measured(_sketch(left + right))
    both = measured(merged([_sketch(left), _sketch(right)], "x"))
    assert both.keys() == whole.keys()
    for name, value in whole.items():
        assert both[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name


@given(st.lists(CELLS, max_size=60))
def test_a_profile_equals_numpy(values):
    told = measured(_sketch(values))
    array = np.array([math.nan if value is None else value for value in values], dtype=float)
    known = array[~np.isnan(array)]
    assert told["num_nulls"] == values.count(None)
    assert told["num_nan"] == len(array) - len(known) - values.count(None)
    assert told["distinct_count"] == len(np.unique(known + 0.0))
    assert told["num_zeros"] == (known == 0).sum()
    if len(known):
        assert told["quantiles"] == pytest.approx(
            np.quantile(known, np.arange(101) / 100), rel=1e-9, abs=1e-9
        )
        assert told["avg"] == pytest.approx(known.mean(), rel=1e-9, abs=1e-9)
    if len(known) > 1:
        assert told["stddev"] == pytest.approx(known.std(ddof=1), rel=1e-9, abs=1e-6)


def test_moments_survive_a_large_offset_over_a_thousand_merges():
    values = 1e9 + np.random.default_rng(1).normal(size=100_000)
    told = measured(merged([_sketch(part) for part in np.array_split(values, 1000)], "x"))
    assert told["stddev"] == pytest.approx(values.std(ddof=1), rel=1e-9)


@pytest.mark.parametrize("different", [500, 1024, 20_000, 400_000])
def test_distinct_values_are_estimated_within_five_standard_errors(different):
    values = np.random.default_rng(different).permutation(np.arange(800_000) % different) + 0.5
    found = distinct.distinct_numbers(values)
    assert abs(found.count - different) <= 5 * distinct.DISTINCT_ERROR * different
    if different < distinct.KEPT:
        assert found.count == different
    halves = [distinct.distinct_numbers(half) for half in np.array_split(values, 2)]
    assert distinct.merged(halves).hashes.tolist() == found.hashes.tolist()


@given(
    st.integers(0, 2**32), st.integers(1, 4000), st.integers(1, 5), st.sampled_from([1.1, 1.5, 3])
)
def test_frequent_items_miss_no_more_than_stated(seed, rows, parts, tail):
    random = np.random.default_rng(seed)
    found, truth = [], {}
    for _ in range(parts):
        names = np.array([f"n{n % 10**7}" for n in random.zipf(tail, rows)], dtype=object)
        different, counts = np.unique(names, return_counts=True)
        found.append(items.items_of(different, counts))
        for name, count in zip(different, counts, strict=True):
            truth[name] = truth.get(name, 0) + int(count)
    together = items.merged(found)
    every = parts * rows
    assert together.lost <= every * items.ITEM_ERROR
    kept = dict(zip(together.names, together.rows, strict=True))
    for name, count in truth.items():
        assert 0 <= count - kept.get(name, 0) <= together.lost
    assert together.exact == (len(truth) <= items.MOST)
    assert together.hashed().sum() == every


@pytest.mark.parametrize(
    "sketch",
    [
        _sketch([None, math.nan, -0.0, 1.5, math.inf]),
        _sketch(np.random.default_rng(1).normal(size=50_000)),
        category_sketch(pa.array(["ü", None, "", "a" * 99]), "string"),
        category_sketch(pa.array([f"k{n}" for n in range(5000)]), "string"),
        category_sketch(pa.array([], pa.string()), "string"),
    ],
)
def test_a_stored_sketch_measures_what_it_did(sketch):
    stored = to_bytes(sketch)
    assert len(stored) < 50_000
    back = from_bytes(stored)
    assert to_bytes(back) == stored
    assert measured(back).keys() == measured(sketch).keys()
    if isinstance(measured(sketch).get("avg"), float):
        assert measured(back)["avg"] == measured(sketch)["avg"]


def test_a_column_that_changed_its_type_within_a_window_is_named():
    numbers, texts = _sketch([1.0]), category_sketch(pa.array(["1"]), "string")
    with pytest.raises(DataError, match="column spend is double and string within one window"):
        merged([numbers, texts], "spend")
