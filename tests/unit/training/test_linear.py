import numpy as np
import pytest
from scipy.special import expit

from nextbest.training import linear
from nextbest.training.linear import grouped

pytestmark = pytest.mark.unit


def fit_pooled(rows, width, start=None):
    return linear.fit_pooled(rows, linear.prior(rows, width), start).model


def log(n, rng, offset=0.0):
    design = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    action, channel = rng.integers(0, 3, n), rng.integers(0, 2, n)
    slope = np.array([[0.5, 0.0], [0.5, 0.0], [-0.5, 1.0]])[action]
    logit = -2 + offset + (design[:, 1:] * slope).sum(axis=1) + 0.4 * channel
    return design, action, channel, (rng.uniform(size=n) < expit(logit)).astype(float)


def test_coefficients_are_found_and_the_gradient_vanishes():
    parts = log(60_000, np.random.default_rng(1))
    model = fit_pooled(grouped(*parts, (3, 2)), 1.0)
    found = model.coefficients(np.array([0, 2]), np.array([0, 1]))
    np.testing.assert_allclose(found, [[-2, 0.5, 0], [-1.6, -0.5, 1]], atol=0.12)
    design, action, channel, outcome = parts
    each = model.coefficients(action, channel)
    error = expit((design * each).sum(axis=1)) - outcome
    # At the maximum the data's pull on β equals the prior's, β/σ².
    np.testing.assert_allclose(error @ design[:, 1:], -model.base[1:], atol=0.05)


def test_narrow_priors_pool_and_few_rows_borrow():
    design, action, channel, outcome = log(4_000, np.random.default_rng(2))
    rows = grouped(design, action, channel, outcome, (3, 2))
    wide, narrow = fit_pooled(rows, 1.0), fit_pooled(rows, 0.01)
    spread = [np.ptp(m.coefficients(np.arange(3), np.zeros(3, int))[:, 2]) for m in (wide, narrow)]
    assert spread[0] > 0.5
    assert spread[1] < 0.05
    few = (action != 2) | (np.arange(len(action)) < 60)
    lean = fit_pooled(grouped(design[few], action[few], channel[few], outcome[few], (3, 2)), 1.0)
    assert abs(lean.action[2, 1]) < abs(wide.action[2, 1])


def test_unknown_treatments_get_the_population():
    model = fit_pooled(grouped(*log(2_000, np.random.default_rng(3)), (3, 2)), 1.0)
    unknown = model.coefficients(np.array([-1, -1, 1]), np.array([-1, 1, -1]))
    np.testing.assert_array_equal(unknown[0], model.base)
    np.testing.assert_array_equal(unknown[1], model.base + model.channel[1])
    np.testing.assert_array_equal(unknown[2], model.base + model.action[1])


def test_where_it_starts_and_the_order_of_rows_do_not_matter():
    parts = log(3_000, np.random.default_rng(4))
    rows = grouped(*parts, (3, 2))
    cold = fit_pooled(rows, 0.5)
    warm = fit_pooled(rows, 0.5, fit_pooled(rows, 0.1))
    order = np.random.default_rng(0).permutation(3_000)
    shuffled = fit_pooled(grouped(*(part[order] for part in parts), (3, 2)), 0.5)
    for other in (warm, shuffled):
        np.testing.assert_allclose(other.action, cold.action, atol=1e-3)
