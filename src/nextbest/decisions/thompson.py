"""Thompson sampling: each treatment as likely as it is to be the best one, by Monte Carlo."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from nextbest.errors import DataError


def best_shares(samples: Iterable[np.ndarray], eligible: np.ndarray) -> np.ndarray:
    """How often each eligible treatment is the best, [n, K], over samples of the scores [n, K].

    Rows sum to 1 and are 0 where `eligible` (bool [n, K]) is False; of equal best scores the first
    column counts. `samples` are draws from a posterior, such as those of `normal_samples` or the
    members of a bootstrap. Raises DataError without a sample, and for rows without an eligible
    treatment or with an eligible one whose score is not finite.
    """
    wins = np.zeros(eligible.shape)
    rows, bad, count = np.arange(len(eligible)), ~eligible.any(axis=1), 0
    for sample in samples:
        masked = np.where(eligible, sample, -np.inf)
        bad |= (eligible & ~np.isfinite(masked)).any(axis=1)
        wins[rows, masked.argmax(axis=1)] += 1.0
        count += 1
    if bad.any() or not count:
        raise DataError(
            f"Thompson sampling: {count} samples of the scores; in {int(bad.sum())} of "
            f"{len(eligible)} rows nothing is eligible or a score is not a finite number"
        )
    return wins / count


def normal_samples(mean: np.ndarray, deviation: np.ndarray, draws: int) -> Iterator[np.ndarray]:
    """`draws` samples [n, K] of independent normal scores from mean and deviation [n, K].

    All customers share the standard normal numbers, which depend on K and the draw only: what a
    customer gets depends neither on the other rows nor on a day's seed.
    """
    for normal in np.random.default_rng(0).standard_normal((draws, mean.shape[1])):
        yield mean + deviation * normal


def standard_error(shares: np.ndarray, draws: int) -> np.ndarray:
    """How far shares from so many draws may be from ideal Thompson sampling: √(p(1 − p)/draws)."""
    return np.sqrt(shares * (1.0 - shares) / draws)
