import numpy as np
import pytest
from scipy.special import expit

from nextbest.training.calibration import fit_platt

pytestmark = pytest.mark.unit


def test_a_distorted_logit_is_undone():
    rng = np.random.default_rng(1)
    true = rng.normal(-3, 1, 200_000)
    outcome = (rng.uniform(size=len(true)) < expit(true)).astype(float)
    distorted = 2.0 * true + 3.0
    a, b = fit_platt(distorted, outcome)
    assert b == pytest.approx(0.5, abs=0.03)
    assert abs(expit(a + b * distorted).mean() - outcome.mean()) < 2e-4


def test_few_positives_hardly_move_it_and_none_keeps_it_finite():
    logit = np.linspace(-6, -3, 500)
    for outcome in (np.zeros(500), np.where(np.arange(500) < 2, 1.0, 0.0)):
        a, b = fit_platt(logit, outcome)
        assert np.isfinite([a, b]).all()
        assert 0.3 < b < 2
