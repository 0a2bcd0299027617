"""Bins are made once, of a baseline; every value of any later day has one."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.monitoring.binning import DIRECTIONS, FEATURES, Bins, binned, bins_of, scored

pytestmark = pytest.mark.unit


def made(values, name="x"):
    found = bins_of(pd.DataFrame({name: values}), {name: 1.0})
    return found[0] if found else None


def names(values, bins):
    return list(binned(pd.Series(values), bins))


def test_numbers_are_cut_into_thirds_and_say_so():
    bins = made(np.arange(9.0))
    assert bins == Bins("x", edges=(3.0, 6.0), ranks=tuple(np.arange(1.0, 9.0)))
    assert names([-1e9, 2.9, 3, 6.4, np.inf, None], bins) == [
        "x below 3", "x below 3", "x from 3 to 6", "x from 6",
        "x from 6", "x none",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (np.arange(1, 4) * 1_000_000 + 20_000_000, "from 22000000 to 23000000"),
        ([2019, 2020, 2024, 2026], "from 2020 to 2024"),
        (np.arange(90) / 7, "from 4.28 to 8.57"),
        ([0.0, 1e-9, 2e-9, 3.0], "from 1e-09 to 2e-09"),
    ],
)
def test_names_have_no_more_digits_than_tell_bins_apart(values, told):
    assert f"x {told}" in binned(pd.Series([1.0]), made(values)).categories


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True) | st.none(), max_size=30),
       st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1,
                max_size=30))  # fmt: skip
def test_every_number_has_a_bin_that_its_name_tells(values, baseline):
    bins = made(baseline)
    if bins is None:
        assert len(set(baseline)) == 1
        return
    for value, name in zip(values, binned(pd.Series(values, dtype=object), bins), strict=True):
        if value is None or np.isnan(value):
            assert name == "x none"
        elif name.startswith("x below"):
            assert value < bins.edges[0]
        elif " to " in name:
            assert bins.edges[0] <= value < bins.edges[-1]
        else:
            assert value >= bins.edges[-1]
    told = {str(name) for name in binned(pd.Series(baseline), bins)}
    assert len(told) == len(bins.edges) + 1  # no bin is empty where it was made


@pytest.mark.parametrize(
    ("values", "edges"),
    [
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 7], (7.0,)),  # nearly all are zero: those, and the others
        ([0, 0, 1, 1, 1, 1], (1.0,)),
        ([0.0, np.nan, np.inf, -np.inf, 1.0, 2.0], (1.0, 2.0)),
        ([Decimal(1), Decimal(2), Decimal(3), None], (2.0, 3.0)),
    ],
)
def test_edges_part_what_is_there(values, edges):
    assert made(pd.Series(values)).edges == edges


@pytest.mark.parametrize(
    "values",
    [[3, 3, 3], [None, None], [np.nan, np.nan], ["a", "a"], [True, True], [],
     [dt.date(2026, 1, day) for day in (1, 2, 3)]],
)  # fmt: skip
def test_what_does_not_part_decisions_has_no_bins(values):
    assert made(pd.Series(values)) is None


def test_a_category_has_its_commonest_values():
    bins = made(list("aaaabbbccddeeffg") + [None])
    assert bins.values == ("a", "b", "c", "d", "e")
    assert names(["a", "g", "new", None], bins) == ["x = a", "x another", "x another", "x none"]
    odd = made(["another", "none", "none"])
    assert names(["none", "another", "third", None], odd) == [
        "x = none", "x = another", "x another", "x none",
    ]  # fmt: skip


def test_truth_values_are_a_category():
    assert names([True, None, False], made([True, False, True])) == [
        "x = True", "x none", "x = False",
    ]  # fmt: skip


def test_a_type_that_changed_since_the_baseline_is_seen_not_fatal():
    assert names(["1", "2"], made([1.0, 2.0, 3.0])) == ["x none", "x none"]
    assert names([1.0, 2.0], made(["a", "b"])) == ["x another", "x another"]


def test_only_features_that_scores_lean_on_most_are_told_apart():
    frame = pd.DataFrame({f"x{at:02d}": np.arange(9.0) for at in range(FEATURES + 5)})
    found = bins_of(frame, {name: at for at, name in enumerate(frame)})
    assert [each.feature for each in found] == [f"x{at:02d}" for at in range(24, 4, -1)]


def test_scores_are_ranks_that_no_outlier_stretches():
    bins = made(np.arange(101.0))
    found = scored(pd.DataFrame({"c": [-1e9, 5.0, 50.0, 95.0, np.inf, np.nan]}), {"c": bins})
    assert found["x"].tolist() == pytest.approx([-1, -1, 1 / 9, 1, 1, 0])
    strange = scored(pd.DataFrame({"c": ["1", "2"]}), {"c": bins})
    assert strange["x"].tolist() == [0, 0]


def test_a_category_has_a_score_per_value():
    frame = pd.DataFrame({"c": ["a", "b", None, "new"]})
    found = scored(frame, {"c": made(["a", "b", "b"])})
    assert found.to_dict("list") == {"x = b": [0, 1, 0, 0], "x = a": [1, 0, 0, 0]}


def test_no_more_scores_than_pairs_of_them_can_be_kept():
    frame = pd.DataFrame(
        {f"n{at:02d}": np.arange(9.0) for at in range(18)} | {"c": list("abcdeabcd")}
    )
    leans = dict.fromkeys(frame, 0.0) | {"c": 1.0}
    apart = {each.feature: each for each in bins_of(frame, leans)}
    found = scored(frame, apart)
    assert len(found.columns) == DIRECTIONS
    assert [name for name in found if "=" in name] == [f"c = {each}" for each in "abcde"]


@given(st.lists(st.floats(allow_nan=False, width=32), min_size=2, max_size=30))
def test_scores_are_between_minus_one_and_one_and_grow(values):
    bins = made([0.0, 1.0, 1.0, 2.0, 5.0, 80.0])
    found = scored(pd.DataFrame({"c": sorted(values)}), {"c": bins})["x"]
    assert found.between(-1, 1).all()
    assert found.is_monotonic_increasing
