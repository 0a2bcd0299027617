"""Every test of paired differences against scipy and statsmodels, to 1e-9."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.weightstats import DescrStatsW

from nextbest.errors import DataError
from nextbest.evaluation.comparison import paired, proportions
from nextbest.evaluation.comparison.bootstrap import bca_interval, resampled_means

pytestmark = pytest.mark.unit

# Whole numbers make ties and zeros, the others none.
ties = st.lists(st.integers(-4, 4).map(float), min_size=2, max_size=60)
reals = st.lists(
    st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda x: round(x, 6)), min_size=2, max_size=80
)
differences = st.one_of(ties, reals).map(np.array)


def near(ours, theirs):
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9)


@given(differences)
def test_paired_t_is_that_of_scipy_and_statsmodels(d):
    assume(np.ptp(d) > 1e-3)
    first = np.arange(len(d), dtype=float)
    ours = paired.paired_t(first + d - first)
    theirs = stats.ttest_rel(first + d, first)
    near(ours.statistic, theirs.statistic)
    near(ours.p_value, theirs.pvalue)
    statistic, p, _ = DescrStatsW(d).ttest_mean(0.0)
    near(paired.paired_t(d).statistic, statistic)
    near(paired.paired_t(d).p_value, p)


@given(differences, st.sampled_from([0.8, 0.95, 0.99]))
def test_the_analytic_interval_is_that_of_scipy_and_statsmodels(d, confidence):
    assume(np.ptp(d) > 1e-3)
    ours = paired.analytic_interval(d, confidence)
    theirs = stats.ttest_1samp(d, 0.0).confidence_interval(confidence)
    near([ours.low, ours.high], [theirs.low, theirs.high])
    near([ours.low, ours.high], DescrStatsW(d).tconfint_mean(1 - confidence))


@settings(max_examples=min(30, settings().max_examples))  # scipy's exact one takes half a second
@given(differences)
def test_wilcoxon_is_that_of_scipy_with_ties_and_zeros(d):
    assume(d.any())
    ours, theirs = paired.wilcoxon(d), stats.wilcoxon(d, zero_method="pratt")
    near(ours.statistic, theirs.statistic)
    near(ours.p_value, theirs.pvalue)


@given(st.lists(st.integers(-3, 3).map(float), min_size=2, max_size=10).map(np.array))
def test_all_signs_are_those_of_scipy(d):
    theirs = stats.permutation_test(
        (d,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    )
    ours = paired.sign_flip(d)
    near(ours.statistic, theirs.statistic)
    near(ours.p_value, theirs.pvalue)


def test_random_signs_come_near_all_of_them():
    d = np.random.default_rng(0).normal(0.3, 1.0, 13)
    whole = paired.sign_flip(d).p_value
    twice = np.tile(d, 5) + np.random.default_rng(1).normal(0, 1e-9, 65)
    theirs = stats.permutation_test(
        (twice,), np.mean, permutation_type="samples", n_resamples=9999, rng=2
    )
    ours = paired.sign_flip(twice, seed=3)
    assert 0 < whole < 1
    assert ours.p_value == pytest.approx(theirs.pvalue, abs=4 * math.sqrt(0.25 / 9999))
    assert ours.p_value == paired.sign_flip(twice, seed=3).p_value  # seeded


@given(differences)
def test_rank_biserial_is_what_the_ranks_of_wilcoxon_say(d):
    nonzero = d[d != 0]
    assume(len(nonzero) >= 2)
    ranks = stats.rankdata(np.abs(nonzero))
    simple = (ranks[nonzero > 0].sum() - ranks[nonzero < 0].sum()) / ranks.sum()
    if len(nonzero) == len(d):
        near(paired.rank_biserial(d), simple)
    assert -1 <= paired.rank_biserial(d) <= 1
    near(paired.rank_biserial(-d), -paired.rank_biserial(d))


@given(differences)
def test_cohens_dz_is_t_over_root_n(d):
    assume(np.ptp(d) > 1e-3)
    near(paired.cohens_dz(d), paired.paired_t(d).statistic / math.sqrt(len(d)))


@pytest.mark.parametrize("value", [0.0, 2.5])
def test_differences_that_are_all_the_same(value):
    d = np.full(20, value)
    p = 1.0 if value == 0 else 0.0
    assert paired.paired_t(d).p_value == p
    assert paired.wilcoxon(np.zeros(5)).p_value == 1.0
    assert paired.analytic_interval(d) == paired.Interval(value, value, value)
    assert paired.cohens_dz(d) == (0.0 if value == 0 else math.inf)
    assert bca_interval(d) == paired.Interval(value, value, value)
    assert paired.sign_flip(d).p_value == (1.0 if value == 0 else 1e-4)


@pytest.mark.parametrize("d", [[1.0], [], [[1.0, 2.0]], [1.0, math.nan], [1.0, math.inf]])
def test_what_can_not_be_compared_is_refused(d):
    for test in (paired.paired_t, paired.wilcoxon, paired.sign_flip, paired.analytic_interval,
                 paired.cohens_dz, bca_interval):  # fmt: skip
        with pytest.raises(DataError, match="paired differences"):
            test(d)


counts = st.integers(0, 60)


@given(counts, counts, counts, counts)
def test_mcnemar_is_that_of_statsmodels(both, only_first, only_second, neither):
    assume(only_first + only_second)
    pairs = proportions.Discordant(only_first, only_second, both + neither)
    table = [[both, only_first], [only_second, neither]]
    for ours, exact in ((proportions.mcnemar_exact, True), (proportions.mcnemar_corrected, False)):
        theirs = statsmodels_mcnemar(table, exact=exact, correction=True)
        near(ours(pairs).statistic, theirs.statistic)
        near(ours(pairs).p_value, theirs.pvalue)
    few = only_first + only_second < 25
    assert proportions.mcnemar(pairs).name == ("McNemar exact" if few else "McNemar corrected")


def test_who_succeeded_alone_is_counted():
    first = [True, True, False, False, True]
    second = [True, False, True, False, False]
    pairs = proportions.discordant(first, second)
    assert pairs == proportions.Discordant(2, 1, 5)
    assert proportions.odds_ratio(pairs) == 0.5
    assert proportions.odds_ratio(proportions.Discordant(0, 3, 5)) == math.inf
    assert math.isnan(proportions.odds_ratio(proportions.Discordant(0, 0, 5)))
    same = proportions.discordant(first, first)
    assert proportions.mcnemar(same).p_value == proportions.mcnemar_corrected(same).p_value == 1
    with pytest.raises(DataError, match="McNemar"):
        proportions.discordant(first, second[:-1])


@given(reals.map(np.array), st.integers(0, 5), st.sampled_from([0.8, 0.95]))
def test_bca_is_that_of_scipy_with_the_same_seed(d, seed, confidence):
    assume(len(d) > 5 and np.ptp(d) > 1e-3)
    theirs = stats.bootstrap(
        (d,), np.mean, confidence_level=confidence, n_resamples=200, method="BCa",
        rng=np.random.default_rng(seed),
    ).confidence_interval  # fmt: skip
    ours = bca_interval(d, confidence, seed=seed, resamples=200)
    scale = np.ptp(d)
    near([ours.low / scale, ours.high / scale], [theirs.low / scale, theirs.high / scale])


def test_columns_are_resampled_by_the_same_rows():
    a = np.random.default_rng(5).normal(size=50)
    found = resampled_means(np.column_stack([a, 2 * a + 1]), seed=1, resamples=20)
    near(found[:, 1], 2 * found[:, 0] + 1)
    assert len(np.unique(found[:, 0])) == 20
