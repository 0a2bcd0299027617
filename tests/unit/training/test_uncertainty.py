import numpy as np
import pytest
from scipy.special import expit

from nextbest.training.linear import fit_pooled, grouped, prior
from nextbest.training.uncertainty import added, roots

pytestmark = pytest.mark.integration
SIZES = (3, 2)


def log(n, seed):
    """Rows of three actions on two channels whose coefficients come from the prior itself."""
    rng = np.random.default_rng(seed)
    action, channel = rng.integers(0, 3, n), rng.integers(0, 2, n)
    action[:3], channel[:2] = range(3), range(2)
    design = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    widths = prior(grouped(design, action, channel, np.zeros(n), SIZES), 1.0)
    widths.base[0] = 1.0
    truth = type(widths)(*(rng.normal(size=part.shape) * part for part in vars(widths).values()))
    chance = expit((design * truth.coefficients(action, channel)).sum(axis=1))
    outcome = (rng.random(n) < chance).astype(float)
    return grouped(design, action, channel, outcome, SIZES), widths, truth


def test_the_truth_lies_within_the_posterior_as_often_as_it_says():
    scores = []
    for seed in range(60):
        rows, widths, truth = log(400, seed)
        fit = fit_pooled(rows, widths)
        found = roots(rows, fit, widths)
        x = np.array([1.0, 0.5, -1.0])
        for action, channel in zip(rows.action, rows.channel, strict=True):
            codes = np.array([action]), np.array([channel])
            gap = (fit.model.coefficients(*codes) - truth.coefficients(*codes))[0] @ x
            scores.append(gap / np.linalg.norm(x @ found[action, channel]))
    assert 0.9 < np.std(scores) < 1.1
    assert 0.92 < (np.abs(scores) < 1.96).mean() < 0.98


def test_rows_make_sure_and_unknown_treatments_are_least_known():
    few, widths, _ = log(100, 1)
    many, _, _ = log(10_000, 1)
    x = np.array([1.0, 0.5, -1.0])
    little, much = (
        np.linalg.norm(x @ roots(rows, fit_pooled(rows, widths), widths), axis=-1)
        for rows in (few, many)
    )
    assert (much[:3, :2] < little[:3, :2] / 1.5).all()
    assert (much[-1, :2] > much[:3, :2].max()).all()
    assert much[-1, -1] > max(much[-1, 0], much[0, -1])
    # A new action is as wide as the prior of its own part, beside what all share.
    own = x @ np.diag(widths.action[0] ** 2) @ x + widths.pair[0, 0] ** 2
    assert np.sqrt(own) < much[-1, 0] < 1.5 * np.sqrt(own)  # which three actions tell little of


def test_it_is_the_inverse_of_the_curvature():
    rows, widths, _ = log(300, 2)
    fit = fit_pooled(rows, widths)
    # The same posterior in one dense design, differentiated numerically.
    shape = [part.shape for part in vars(widths).values()]
    flat = np.concatenate([part.ravel() for part in vars(fit.model).values()])
    spread = np.concatenate([part.ravel() for part in vars(widths).values()])
    cuts = np.cumsum([int(np.prod(each)) for each in shape])[:-1]

    def slope(theta):
        parts = [p.reshape(s) for p, s in zip(np.split(theta, cuts), shape, strict=True)]
        model = type(widths)(*parts)
        made = [np.zeros(each) for each in shape]
        w = model.coefficients(rows.action, rows.channel)
        for at, part in enumerate(rows.slices):
            g = (expit(rows.design[part] @ w[at]) - rows.outcome[part]) @ rows.design[part]
            made[0] += g
            made[1][rows.action[at]] += g
            made[2][rows.channel[at]] += g
            made[3][rows.action[at], rows.channel[at]] += g[0]
        return np.concatenate([each.ravel() for each in made]) + theta / spread**2

    step = 1e-5
    curvature = np.array(
        [(slope(flat + step * e) - slope(flat - step * e)) / (2 * step) for e in np.eye(len(flat))]
    )
    covariance = np.linalg.inv((curvature + curvature.T) / 2)
    picks = np.zeros((3, len(flat)))
    picks[range(3), range(3)] = 1  # β
    picks[range(3), 3 + 3 * 2 + np.arange(3)] = 1  # of action 2
    picks[range(3), 3 + 9 + 3 * 1 + np.arange(3)] = 1  # of channel 1
    picks[0, 3 + 9 + 6 + 2 * 2 + 1] = 1  # of the pair
    root = roots(rows, fit, widths)[2, 1]
    np.testing.assert_allclose(root @ root.T, picks @ covariance @ picks.T, rtol=1e-4, atol=1e-6)


def test_variances_of_a_sum_add_up():
    rng = np.random.default_rng(3)
    one, other = np.tril(rng.normal(size=(2, 4, 3, 5, 5)))
    root = added(one, other)
    wanted = one @ one.swapaxes(-1, -2) + other @ other.swapaxes(-1, -2)
    np.testing.assert_allclose(root @ root.swapaxes(-1, -2), wanted, rtol=1e-12, atol=1e-12)
