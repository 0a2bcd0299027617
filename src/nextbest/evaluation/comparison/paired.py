"""Tests and intervals of a mean difference on the same decisions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from nextbest.errors import DataError

RESAMPLES = 9999
EXACT = 13  # differences of which all 2¹³ signs are fewer than RESAMPLES
_ROUNDING = 1e-12  # relative: two sums of the same numbers in another order are a tie


@dataclass(frozen=True)
class Test:
    """A two-sided test of "no difference": its name, statistic and p-value over n rows."""

    __test__ = False  # pytest collects what begins with Test

    name: str
    statistic: float
    p_value: float
    n: int


@dataclass(frozen=True)
class Interval:
    """A difference with its confidence interval, in the metric's unit."""

    value: float
    low: float
    high: float


def checked(differences: object) -> np.ndarray:
    """Differences (n,) as floats; raises DataError unless there are two or more, all finite."""
    found = np.asarray(differences, dtype="float64")
    if found.ndim != 1 or len(found) < 2:
        raise DataError(
            f"{len(found) if found.ndim == 1 else found.shape} paired differences: a comparison "
            "needs at least 2 decisions"
        )
    if bad := int(np.count_nonzero(~np.isfinite(found))):
        raise DataError(f"{bad} of {len(found)} paired differences are no finite numbers")
    return found


def analytic_interval(differences: object, confidence: float = 0.95) -> Interval:
    """Mean difference ± t · sd/√n (Student 1908)."""
    d = checked(differences)
    error = float(d.std(ddof=1)) / math.sqrt(len(d))
    reach = float(stats.t.ppf((1 + confidence) / 2, len(d) - 1)) * error
    mean = float(d.mean())
    return Interval(mean, mean - reach, mean + reach)


def paired_t(differences: object) -> Test:
    """Student's paired t test, as of scipy.stats.ttest_rel.

    Where all differences are the same number there is no spread to measure by: p is 1 when that
    number is 0, else 0.
    """
    d = checked(differences)
    if np.ptp(d) == 0:
        same = d[0] == 0
        statistic = 0.0 if same else math.copysign(math.inf, d[0])
        return Test("paired t", statistic, 1.0 if same else 0.0, len(d))
    found = stats.ttest_1samp(d, 0.0)
    return Test("paired t", float(found.statistic), float(found.pvalue), len(d))


def wilcoxon(differences: object) -> Test:
    """Wilcoxon's signed-rank test; differences of 0 keep their ranks (Pratt 1959).

    As scipy.stats.wilcoxon(zero_method="pratt"). It asks whether differences lie evenly around 0,
    which few huge ones hardly sway; of their mean it says nothing where they are lopsided.
    """
    d = checked(differences)
    if not d.any():
        return Test("Wilcoxon signed-rank", 0.0, 1.0, len(d))
    found = stats.wilcoxon(d, zero_method="pratt")
    return Test("Wilcoxon signed-rank", float(found.statistic), float(found.pvalue), len(d))


def sign_flip(differences: object, seed: int = 0) -> Test:
    """Permutation test of the mean: under "no difference" the signs are coins (Fisher 1935).

    All signs for up to 13 differences, else 9,999 random ones with p = (1 + hits)/(1 + 9,999)
    (Phipson and Smyth 2010). As scipy.stats.permutation_test(permutation_type="samples").
    """
    d = checked(differences)
    observed = abs(d.sum()) - _ROUNDING * np.abs(d).sum()
    if len(d) <= EXACT:
        places = np.arange(2 ** len(d))[:, None] >> np.arange(len(d))
        hits = np.count_nonzero(np.abs((1 - 2 * (places & 1)) @ d) >= observed)
        return Test("sign-flip permutation", float(d.mean()), hits / 2 ** len(d), len(d))
    random = np.random.default_rng(seed)
    rows = max(1, 2_000_000 // len(d))
    hits = 0
    for start in range(0, RESAMPLES, rows):
        shape = (min(rows, RESAMPLES - start), -(-len(d) // 8))
        bits = random.integers(0, 256, shape, dtype="uint8")
        minus = np.unpackbits(bits, axis=1, count=len(d)).astype("float32") @ d
        hits += np.count_nonzero(np.abs(d.sum() - 2 * minus) >= observed)
    return Test("sign-flip permutation", float(d.mean()), (1 + hits) / (1 + RESAMPLES), len(d))


def cohens_dz(differences: object) -> float:
    """Mean difference over the standard deviation of the differences (Cohen 1988).

    0 where all differences are 0, infinite where they are all the same other number.
    """
    d = checked(differences)
    spread = d.std(ddof=1) if np.ptp(d) else 0.0
    if spread == 0:
        return 0.0 if d[0] == 0 else math.copysign(math.inf, d[0])
    return float(d.mean() / spread)


def rank_biserial(differences: object) -> float:
    """Matched-pairs rank-biserial correlation: (R₊ − R₋)/(R₊ + R₋), from −1 to 1 (Kerby 2014).

    Ranks as of Wilcoxon's test: the share of evidence for the second version less that for the
    first; 0 where all differences are 0.
    """
    d = checked(differences)
    ranks = stats.rankdata(np.abs(d))
    up, down = float(ranks[d > 0].sum()), float(ranks[d < 0].sum())
    return (up - down) / (up + down) if up + down else 0.0
