"""Platt's scaling on a later time slice, held by priors when positives are few."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit


def fit_platt(logit: np.ndarray, outcome: np.ndarray) -> tuple[float, float]:
    """Intercept a and slope b > 0 of calibrated logit = a + b·(logit − mean) + mean.

    Returns (a, b) for the form a + b·logit. Priors a ~ N(0, 1) at the mean logit and
    log b ~ N(0, ½²): 200 positives overrule them, 5 don't. A positive slope keeps the ranking.
    """
    centre = float(logit.mean())
    away = logit - centre

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        a, log_slope = theta
        b = np.exp(log_slope)
        scaled = centre + a + b * away
        residual = expit(scaled) - outcome
        loss = np.logaddexp(0.0, scaled).sum() - outcome @ scaled
        loss += 0.5 * a**2 + 0.5 * (log_slope / 0.5) ** 2
        slope = np.array([residual.sum() + a, b * (residual @ away) + log_slope / 0.25])
        return float(loss), slope

    a, log_slope = minimize(objective, np.zeros(2), jac=True, method="L-BFGS-B").x
    b = float(np.exp(log_slope))
    return float(a + centre * (1.0 - b)), b
