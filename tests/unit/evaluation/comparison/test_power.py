"""Power and sample sizes against statsmodels; corrections against statsmodels, too."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import NormalIndPower, TTestIndPower, TTestPower
from statsmodels.stats.proportion import proportion_effectsize

from nextbest.errors import DataError
from nextbest.evaluation.comparison import power
from nextbest.evaluation.comparison.correction import benjamini_hochberg, holm

pytestmark = pytest.mark.unit

effects = st.floats(0.01, 2.0)
levels = st.sampled_from([0.8, 0.9, 0.95, 0.99])


@given(effects, st.floats(0.1, 5.0), st.integers(2, 400), levels)
def test_power_is_that_of_statsmodels(effect, sd, n, confidence):
    theirs = TTestPower().power(effect / sd, n, 1 - confidence, alternative="two-sided")
    if math.isfinite(theirs):
        assert power.paired_power(effect, sd, n, confidence) == pytest.approx(theirs, abs=1e-9)
    assert power.paired_power(-effect, sd, n, confidence) == pytest.approx(
        power.paired_power(effect, sd, n, confidence), abs=1e-9
    )


@given(effects, levels, st.sampled_from([0.5, 0.8, 0.95]))
def test_decisions_needed_are_those_of_statsmodels(effect, confidence, wanted):
    n = power.decisions_needed(effect, 1.0, confidence, wanted)
    assert power.paired_power(effect, 1.0, n, confidence) >= wanted - 1e-9
    if n > 2:
        theirs = TTestPower().power(effect, n - 1, 1 - confidence)
        assert theirs < wanted + 1e-9


@given(effects, levels)
def test_arms_of_a_mean_are_those_of_statsmodels(effect, confidence):
    n = power.arm_for_mean(effect, 1.0, confidence)
    theirs = TTestIndPower()
    assert theirs.power(effect, n, 1 - confidence) >= power.POWER - 1e-9
    if n > 2:
        assert theirs.power(effect, n - 1, 1 - confidence) < power.POWER


@given(st.floats(0.01, 0.5), st.floats(0.01, 0.4), levels)
def test_arms_of_proportions_are_those_of_statsmodels(first, more, confidence):
    second = first + more
    n = power.arm_for_proportion(first, second, confidence)
    theirs = NormalIndPower()
    h = proportion_effectsize(second, first)
    assert theirs.power(h, n, 1 - confidence) >= power.POWER - 1e-6
    if n > 2:
        assert theirs.power(h, n - 1, 1 - confidence) < power.POWER + 1e-6


@given(st.floats(0.01, 100.0), st.integers(3, 100_000), levels)
@example(1.0, 3, 0.99)  # between sizes where scipy's far tail is not a number
def test_what_is_detectable_is_detected(sd, n, confidence):
    least = power.detectable(sd, n, confidence)
    assert power.paired_power(least, sd, n, confidence) == pytest.approx(0.8, abs=1e-6)


def test_far_out_power_is_1_and_nothing_needs_no_sample():
    assert power.paired_power(100.0, 1.0, 1_000_000) == 1.0
    assert power.paired_power(1e9, 1.0, 1_000_000) == 1.0
    assert power.paired_power(0.0, 1.0, 50) == pytest.approx(0.05)
    assert power.paired_power(1.0, 0.0, 50) == 1.0
    assert power.paired_power(0.0, 0.0, 50) == pytest.approx(0.05)
    assert power.decisions_needed(0.0, 1.0) is None
    assert power.arm_for_mean(0.0, 1.0) is None
    assert power.arm_for_proportion(0.1, 0.1) is None
    assert power.decisions_needed(1e-9, 1.0) is None or power.decisions_needed(1e-9, 1.0) > 1e15
    with pytest.raises(DataError, match="at least 2"):
        power.paired_power(1.0, 1.0, 1)


p_values = st.lists(st.floats(0, 1), min_size=1, max_size=20)


@settings(max_examples=min(30, settings().max_examples))  # statsmodels collects garbage each time
@given(p_values)
def test_corrections_are_those_of_statsmodels(p):
    for ours, theirs in ((holm, "holm"), (benjamini_hochberg, "fdr_bh")):
        np.testing.assert_allclose(ours(p), multipletests(p, method=theirs)[1], rtol=0, atol=1e-9)


def test_nothing_to_correct():
    assert len(holm([])) == len(benjamini_hochberg([])) == 0
