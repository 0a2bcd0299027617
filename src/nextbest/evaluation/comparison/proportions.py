"""Two versions that each succeed or fail on the same decisions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from nextbest.errors import DataError
from nextbest.evaluation.comparison.paired import Test

FEW = 25  # discordant decisions below which the exact test is taken


@dataclass(frozen=True)
class Discordant:
    """How many decisions only the first, only the second version got right, of n."""

    only_first: int
    only_second: int
    n: int


def discordant(first: object, second: object) -> Discordant:
    """Count where only one of two versions succeeded; bool (n,) each.

    Raises DataError when they differ in length or are empty.
    """
    one, other = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if one.shape != other.shape or one.ndim != 1 or not len(one):
        raise DataError(
            f"McNemar: {one.shape} and {other.shape} successes; give one of each per decision"
        )
    return Discordant(
        int(np.count_nonzero(one & ~other)), int(np.count_nonzero(other & ~one)), len(one)
    )


def mcnemar(pairs: Discordant) -> Test:
    """The exact test below 25 discordant decisions, else the one corrected for continuity."""
    few = pairs.only_first + pairs.only_second < FEW
    return mcnemar_exact(pairs) if few else mcnemar_corrected(pairs)


def mcnemar_exact(pairs: Discordant) -> Test:
    """Are the discordant decisions a fair coin? The statistic is the smaller of both counts.

    As statsmodels' mcnemar(exact=True); without a discordant decision p is 1.
    """
    b, c = pairs.only_first, pairs.only_second
    p = min(1.0, 2 * float(stats.binom.cdf(min(b, c), b + c, 0.5))) if b + c else 1.0
    return Test("McNemar exact", float(min(b, c)), p, pairs.n)


def mcnemar_corrected(pairs: Discordant) -> Test:
    """χ² = (|b − c| − 1)²/(b + c), one degree of freedom (McNemar 1947, Edwards 1948).

    As statsmodels' mcnemar(exact=False, correction=True); without a discordant decision p is 1.
    """
    b, c = pairs.only_first, pairs.only_second
    if not b + c:
        return Test("McNemar corrected", 0.0, 1.0, pairs.n)
    statistic = (abs(b - c) - 1) ** 2 / (b + c)
    return Test("McNemar corrected", statistic, float(stats.chi2.sf(statistic, 1)), pairs.n)


def odds_ratio(pairs: Discordant) -> float:
    """Successes of the second version alone over those of the first alone; nan without either."""
    b, c = pairs.only_first, pairs.only_second
    if not b:
        return math.inf if c else math.nan
    return c / b
