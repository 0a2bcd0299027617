"""Intervals by resampling decisions: both versions keep the same ones, so pairs stay pairs."""

from __future__ import annotations

import numpy as np
from scipy import stats

from nextbest.evaluation.comparison.paired import Interval, Test, checked

RESAMPLES = 2000


def resampled_means(columns: np.ndarray, seed: int = 0, resamples: int = RESAMPLES) -> np.ndarray:
    """Means of columns (n, c) over n rows drawn with replacement, (resamples, c)."""
    n = len(columns)
    random = np.random.default_rng(seed)
    found = np.empty((resamples, columns.shape[1]))
    for at in range(resamples):
        counts = np.bincount(random.integers(0, n, n), minlength=n)
        found[at] = counts @ columns / n
    return found


def bca_interval(
    differences: object, confidence: float = 0.95, *, seed: int = 0, resamples: int = RESAMPLES
) -> Interval:
    """Bias-corrected and accelerated interval of a mean difference (Efron 1987).

    As scipy.stats.bootstrap(method="BCa") with the same seed, whose jackknife would take n² steps;
    that of a mean is known: its acceleration is Σu³ / 6(Σu²)^1.5, u the differences less their
    mean.
    """
    d = checked(differences)
    mean = float(d.mean())
    u = d - mean
    if np.ptp(d) == 0:
        return Interval(mean, mean, mean)
    random, n = np.random.default_rng(seed), len(d)
    # Summed as scipy does: the rounding decides which means are ties of the whole's.
    means = np.array([d[random.integers(0, n, n)].mean() for _ in range(resamples)])
    below = (np.count_nonzero(means < mean) + np.count_nonzero(means <= mean)) / (2 * resamples)
    if below in (0.0, 1.0):
        return percentile_interval(mean, means, confidence)
    bias = stats.norm.ppf(below)
    acceleration = (u**3).sum() / (6 * (u**2).sum() ** 1.5)
    z = bias + stats.norm.ppf([(1 - confidence) / 2, (1 + confidence) / 2])
    low, high = np.quantile(means, stats.norm.cdf(bias + z / (1 - acceleration * z)))
    return Interval(mean, float(low), float(high))


def percentile_interval(value: float, resampled: np.ndarray, confidence: float = 0.95) -> Interval:
    """What lies between the quantiles of resampled differences (Efron 1979)."""
    low, high = np.quantile(resampled, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(value, float(low), float(high))


def bootstrap_test(value: float, resampled: np.ndarray, n: int) -> Test:
    """Twice the smaller share of resampled differences beyond 0 (Efron and Tibshirani 1993, 15).

    That is the least 1 − confidence whose percentile interval leaves 0 out. A resample that
    changed nothing at all counts on both sides.
    """
    beyond = min(np.count_nonzero(resampled <= 0), np.count_nonzero(resampled >= 0))
    p = min(1.0, 2 * (1 + beyond) / (1 + len(resampled)))
    return Test("paired bootstrap", value, p, n)
