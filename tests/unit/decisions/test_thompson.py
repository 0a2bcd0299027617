import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from nextbest.decisions.thompson import best_shares, normal_samples, standard_error
from nextbest.errors import DataError

pytestmark = pytest.mark.unit

MEAN = np.array([[1.0, 1.3, 0.2, 1.1]])
DEVIATION = np.array([[0.5, 0.2, 1.5, 0.01]])
ELIGIBLE = np.array([[True, True, True, False]])


def ideal(k):
    """P(treatment k of the first three is the best), by quadrature."""
    others = [j for j in range(3) if j != k]

    def density(x):
        below = [norm.cdf(x, MEAN[0, j], DEVIATION[0, j]) for j in others]
        return norm.pdf(x, MEAN[0, k], DEVIATION[0, k]) * np.prod(below)

    return quad(density, -8, 10, limit=200)[0]


def test_shares_come_as_close_to_the_ideal_as_their_error_says():
    draws = 20_000
    found = best_shares(normal_samples(MEAN, DEVIATION, draws), ELIGIBLE)
    expected = np.array([[*(ideal(k) for k in range(3)), 0.0]])
    assert expected.sum() == pytest.approx(1.0, abs=1e-6)
    error = standard_error(expected, draws)
    assert (np.abs(found - expected) <= 4 * error + 1e-12).all()
    assert (error[0, :3] > 0.002).all()


@given(st.integers(0, 2**32 - 1))
def test_shares_are_a_distribution_that_knows_no_other_row(seed):
    rng = np.random.default_rng(seed)
    n, k = rng.integers(1, 20), rng.integers(1, 8)
    mean, deviation = rng.normal(size=(n, k)), rng.uniform(0, 2, size=(n, k))
    eligible = rng.uniform(size=(n, k)) < 0.5
    eligible[np.arange(n), rng.integers(0, k, n)] = True
    mean[~eligible] = np.nan
    found = best_shares(normal_samples(mean, deviation, 50), eligible)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-12)
    assert (found[~eligible] == 0).all()
    order = rng.permutation(n)[: n // 2 + 1]
    part = best_shares(normal_samples(mean[order], deviation[order], 50), eligible[order])
    np.testing.assert_array_equal(part, found[order])


def test_certainty_is_greedy():
    found = best_shares(normal_samples(MEAN, np.zeros((1, 4)), 10), ELIGIBLE)
    assert found.tolist() == [[0, 1, 0, 0]]


def test_what_cannot_be_sampled_is_refused():
    with pytest.raises(DataError, match="0 samples"):
        best_shares([], ELIGIBLE)
    with pytest.raises(DataError, match="in 1 of 1 rows nothing is eligible or"):
        best_shares([MEAN], ELIGIBLE & False)
    with pytest.raises(DataError, match="in 1 of 1 rows nothing is eligible or"):
        best_shares([MEAN * [np.nan, 1, 1, 1]], ELIGIBLE)
