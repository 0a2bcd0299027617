"""How much treatments differ, learned from the log: empirical Bayes for the pooled model's priors.

Coefficients fall into families that share one prior variance v: all of β but its level; of the
actions and of the channels, each feature by itself and the levels; the pairs. At the maximum of
the posterior, with s² the posterior variances,

    v = Σ c² / Σ (1 − s²/v)

over a family (MacKay 1992, "Bayesian interpolation"): the sum below counts the coefficients that
the data, and not the prior, determine. A feature that moves no offer more than another is pooled
nearly away, one that does is hardly shrunk. A feature has as many coefficients as there are
actions, which may be few, so its variance is held near that of all features by pseudo-counts.
Posterior covariances between parts are left out (as in mean-field variational inference), so
p × p blocks are all there is to invert. This makes s² a little too small, and pooling stronger.
"""

from __future__ import annotations

import numpy as np

from nextbest.training.linear import Fit, Grouped, Pooled, fit_pooled, prior

ROUNDS = 4
PSEUDO = 2.0  # coefficients by which a feature's variance is held to that of all features
LEAST = 0.01  # a standard deviation in logits: below it nothing differs
FIRST_WIDTH = 0.5


def fit_hierarchical(
    rows: Grouped, first: Pooled | None = None, start: Pooled | None = None
) -> tuple[Fit, Pooled]:
    """The pooled model with prior deviations learned from the same rows; both are given.

    `first` are the deviations to begin with; that of the level stays as it is. Deterministic.
    Raises DataError as `fit_pooled` does.
    """
    deviations = prior(rows, FIRST_WIDTH) if first is None else first
    fit = fit_pooled(rows, deviations, start)
    for _ in range(ROUNDS):
        deviations = _learned(fit, _variances(rows, fit, deviations), deviations)
        fit = fit_pooled(rows, deviations, fit.model)
    return fit, deviations


def _learned(fit: Fit, variance: Pooled, old: Pooled) -> Pooled:
    base = old.base.copy()
    base[1:] = _spread(fit.model.base[1:], variance.base[1:], old.base[1:])
    pair = np.full_like(old.pair, _spread(fit.model.pair, variance.pair, old.pair))
    return Pooled(
        base,
        _by_feature(fit.model.action, variance.action, old.action),
        _by_feature(fit.model.channel, variance.channel, old.channel),
        pair,
    )


def _by_feature(coefficient: np.ndarray, variance: np.ndarray, old: np.ndarray) -> np.ndarray:
    squares, known = _sums(coefficient, variance, old, axis=0)
    shared = squares[1:].sum() / max(known[1:].sum(), PSEUDO)
    variances = (squares + PSEUDO * shared) / (known + PSEUDO)
    variances[0] = squares[0] / max(known[0], 0.5)
    return np.tile(np.maximum(np.sqrt(variances), LEAST), (len(old), 1))


def _spread(coefficient: np.ndarray, variance: np.ndarray, old: np.ndarray) -> float:
    squares, known = _sums(coefficient, variance, old, axis=None)
    return max(float(np.sqrt(squares / max(known, 0.5))), LEAST)


def _sums(
    coefficient: np.ndarray, variance: np.ndarray, old: np.ndarray, axis: int | None
) -> tuple[np.ndarray, np.ndarray]:
    known = np.clip(1.0 - variance / old**2, 0.0, 1.0)
    return (coefficient**2).sum(axis=axis), known.sum(axis=axis)


def _variances(rows: Grouped, fit: Fit, deviations: Pooled) -> Pooled:
    """Posterior variance of every coefficient, each part for itself."""
    (actions, channels), p = rows.sizes, rows.design.shape[1]
    action, channel = np.zeros((actions, p, p)), np.zeros((channels, p, p))
    pair = np.zeros(rows.sizes)
    np.add.at(action, rows.action, fit.grams)
    np.add.at(channel, rows.channel, fit.grams)
    np.add.at(pair, (rows.action, rows.channel), fit.grams[:, 0, 0])
    return Pooled(
        _inverse_diagonal(fit.grams.sum(axis=0), deviations.base),
        _inverse_diagonal(action, deviations.action),
        _inverse_diagonal(channel, deviations.channel),
        1.0 / (pair + deviations.pair**-2.0),
    )


def _inverse_diagonal(gram: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    precision = deviation[..., None] ** -2.0 * np.eye(gram.shape[-1])
    return np.diagonal(np.linalg.inv(gram + precision), axis1=-2, axis2=-1)
