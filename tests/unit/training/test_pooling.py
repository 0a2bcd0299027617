import numpy as np
import pytest
from scipy.special import expit

from nextbest.training import linear
from nextbest.training.pooling import fit_hierarchical

pytestmark = pytest.mark.integration

ACTIONS, CHANNELS = 8, 3


def world(n, rng, action=None):
    """Offers differ (deviation .8) by the first feature only; the second acts on all alike."""
    effect = np.random.default_rng(0).normal(0, 0.8, ACTIONS)
    x = np.column_stack([np.ones(n), rng.normal(size=(n, 3))])
    action = rng.integers(0, ACTIONS, n) if action is None else action
    channel = rng.integers(0, CHANNELS, n)
    logit = -2.5 + effect[action] * x[:, 1] + 0.5 * x[:, 2]
    outcome = (rng.uniform(size=n) < expit(logit)).astype(float)
    return linear.grouped(x, action, channel, outcome, (ACTIONS, CHANNELS)), effect


def test_it_learns_by_which_feature_offers_differ():
    rows, effect = world(40_000, np.random.default_rng(1))
    fit, deviations = fit_hierarchical(rows)
    differing, same, noise = deviations.action[0, 1:]
    assert 0.4 < differing < 1.4
    assert max(same, noise) < differing / 2.5
    assert deviations.channel[0, 1:].max() < 0.1
    assert deviations.pair.max() < 0.15
    found = fit.model.coefficients(np.arange(ACTIONS), np.zeros(ACTIONS, int))
    np.testing.assert_allclose(found[:, 1], effect, atol=0.2)
    np.testing.assert_allclose(found[:, 2], 0.5, atol=0.15)
    np.testing.assert_allclose(found[:, 0], -2.5, atol=0.2)


def test_a_treatment_with_forty_conversions_borrows():
    """Its error is far below that of a model of its own, in the mean over logs."""
    errors = {"pooled": [], "alone": []}
    for seed in range(4):
        rng = np.random.default_rng(seed)
        action = np.where(np.arange(20_000) < 400, 0, rng.integers(1, ACTIONS, 20_000))
        rows, effect = world(20_000, rng, action)
        truth = np.array([-2.5, effect[0], 0.5, 0.0])
        conversions = sum(
            rows.outcome[part].sum()
            for part, at in zip(rows.slices, rows.action, strict=True)
            if at == 0
        )
        assert 25 < conversions < 80
        wide = linear.fit_pooled(rows, linear.prior(rows, 3.0)).model
        for name, model in (("pooled", fit_hierarchical(rows)[0].model), ("alone", wide)):
            each = model.coefficients(np.zeros(CHANNELS, int), np.arange(CHANNELS)) - truth
            errors[name].append((each**2).sum(axis=1).mean())
    assert np.mean(errors["pooled"]) < 0.6 * np.mean(errors["alone"])


def test_it_is_deterministic_and_does_not_mind_the_order_of_rows():
    rng = np.random.default_rng(3)
    rows, _ = world(5_000, rng)
    one, other = fit_hierarchical(rows), fit_hierarchical(rows)
    np.testing.assert_array_equal(one[0].model.action, other[0].model.action)
    np.testing.assert_array_equal(one[1].action, other[1].action)


def test_equal_treatments_are_pooled_and_stay_finite():
    rng = np.random.default_rng(4)
    x = np.column_stack([np.ones(3_000), rng.normal(size=(3_000, 2))])
    outcome = (rng.uniform(size=3_000) < 0.05).astype(float)
    for actions in (1, 6):
        action = rng.integers(0, actions, 3_000)
        rows = linear.grouped(x, action, np.zeros(3_000, int), outcome, (actions, 1))
        fit, deviations = fit_hierarchical(rows)
        assert np.isfinite(deviations.action).all()
        assert np.ptp(fit.model.action[:, 1:]) < 0.3
