"""Two areas under ROC curves over the same decisions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from nextbest.errors import DataError
from nextbest.evaluation.comparison.paired import Interval, Test


@dataclass(frozen=True)
class Areas:
    """Both areas, the second less the first with its interval, its standard error and test."""

    first: float
    second: float
    difference: Interval
    standard_error: float
    test: Test


def delong(outcomes: object, first: object, second: object, confidence: float = 0.95) -> Areas:
    """Compare areas by the covariance of their parts (DeLong, DeLong and Clarke-Pearson 1988).

    outcomes: 0 or 1; first, second: scores; (n,) each. By mid-ranks, in n log n steps (Sun and Xu
    2014); ties count half. Raises DataError without two successes and two failures.
    """
    y = np.asarray(outcomes, dtype=float)
    scores = np.stack([np.asarray(first, dtype=float), np.asarray(second, dtype=float)])
    if y.ndim != 1 or scores.shape != (2, len(y)) or not np.isfinite(scores).all():
        raise DataError(f"auc: scores {scores.shape[1:]} for outcomes {y.shape}; one finite each")
    if not np.isin(y, (0, 1)).all():
        raise DataError("auc: outcomes are 0 or 1")
    success = y == 1
    m, n = int(success.sum()), int((~success).sum())
    if min(m, n) < 2:
        raise DataError(f"auc: {m} successes and {n} failures; it takes two of each to compare")
    areas, parts = [], []
    for score in scores:
        over = stats.rankdata(score)
        of_success = (over[success] - stats.rankdata(score[success])) / n
        of_failure = 1 - (over[~success] - stats.rankdata(score[~success])) / m
        areas.append(float(of_success.mean()))
        parts.append((of_success, of_failure))
    gains = [parts[1][side] - parts[0][side] for side in (0, 1)]
    error = math.sqrt(gains[0].var(ddof=1) / m + gains[1].var(ddof=1) / n)
    gain = areas[1] - areas[0]
    if error == 0:
        z, p = (0.0, 1.0) if gain == 0 else (math.copysign(math.inf, gain), 0.0)
    else:
        z = gain / error
        p = 2 * float(stats.norm.sf(abs(z)))
    reach = float(stats.norm.ppf((1 + confidence) / 2)) * error
    return Areas(
        areas[0], areas[1], Interval(gain, gain - reach, gain + reach), error,
        Test("DeLong", z, p, len(y)),
    )  # fmt: skip
