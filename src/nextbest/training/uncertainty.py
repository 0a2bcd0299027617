"""How sure the pooled model is: Laplace's approximation of its posterior, treatment by treatment.

Around its maximum the posterior of all coefficients θ is normal, with the inverse of the curvature
as covariance: that of the log likelihood, one Gram matrix per treatment, plus that of the priors
(MacKay 1992, "The evidence framework applied to classification networks"). A treatment's logit is
x·w with w = β + β_action + β_channel + γ, linear in θ, so w is normal, too. A few hundred
coefficients make one dense matrix. Trees and calibration are taken as certain. What recency adds
to the coefficients is as unsure as its own rows leave it, and taken as independent of the rest.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from nextbest.training.linear import Fit, Grouped, Pooled


def roots(rows: Grouped, fit: Fit, deviations: Pooled) -> np.ndarray:
    """Matrices R with R·Rᵀ the covariance of w, [A + 1, C + 1, p, p] by action and channel.

    The last action and channel are the unknown ones: their own part is as wide as its prior.
    `deviations` are the prior's, of the same rows and fit.
    """
    (actions, channels), p = rows.sizes, rows.design.shape[1]
    prior = np.concatenate(
        [part.ravel() for part in
         (deviations.base, deviations.action, deviations.channel, deviations.pair)]
    )  # fmt: skip
    precision = np.zeros((len(prior) + 1, len(prior) + 1))  # the last is nothing's place
    for action, channel, gram in zip(rows.action, rows.channel, fit.grams, strict=True):
        parts = _parts(action, channel, rows.sizes, p)
        for one in parts:
            for other in parts:
                precision[np.ix_(one, other)] += gram
    precision = precision[:-1, :-1] + np.diag(prior**-2.0)
    covariance = np.zeros((len(prior) + 1, len(prior) + 1))
    covariance[:-1, :-1] = cho_solve(cho_factor(precision), np.eye(len(prior)))
    found = np.empty((actions + 1, channels + 1, p, p))
    for action in range(-1, actions):
        for channel in range(-1, channels):
            parts = _parts(action, channel, rows.sizes, p)
            own = covariance[parts[:, None, :, None], parts[None, :, None, :]].sum(axis=(0, 1))
            diagonal = np.einsum("ii->i", own)
            diagonal += deviations.action[0] ** 2 * (action < 0)
            diagonal += deviations.channel[0] ** 2 * (channel < 0)
            diagonal[0] += deviations.pair[0, 0] ** 2 * (action < 0 or channel < 0)
            found[action, channel] = np.linalg.cholesky((own + own.T) / 2)
    return found


def added(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Roots of the covariance of a sum of two independent w, from the roots of both."""
    covariance = sum(root @ root.swapaxes(-1, -2) for root in (one, other))
    return np.linalg.cholesky(covariance)


def _parts(action: int, channel: int, sizes: tuple[int, int], p: int) -> np.ndarray:
    """The coefficients that add up to w, [parts, p] places in θ; −1 is unknown.

    A treatment's own part is one number, for the constant: nothing's place stands for the others.
    """
    actions, channels = sizes
    pairs = p * (1 + actions + channels)
    known = [True, action >= 0, channel >= 0]
    blocks = np.array([0, 1 + action, 1 + actions + channel])[known]
    found = blocks[:, None] * p + np.arange(p)
    if all(known):
        own = np.full(p, pairs + actions * channels)
        own[0] = pairs + action * channels + channel
        found = np.vstack([found, own])
    return found
