"""What the chances of a log's choices can be: told by the sum of 1/p, or by balance."""

from __future__ import annotations

import numpy as np
import pandas as pd

LEVELS = 20
ALPHA = 0.001  # of the smallest p-value, times the columns looked at


def inverse_mean(propensity: np.ndarray) -> tuple[float, float]:
    """Mean of 1/p and its standard error: the expected number of eligible treatments."""
    inverse = 1.0 / propensity[(propensity > 0) & (propensity <= 1)]
    if not len(inverse):
        return float("nan"), float("nan")
    return float(inverse.mean()), float(inverse.std() / np.sqrt(len(inverse)))


def agrees(propensity: np.ndarray, count: float) -> bool:
    """Whether a mean of 1/p is near a number of eligible treatments (15 %, or 4 errors)."""
    mean, error = inverse_mean(propensity)
    return abs(mean - count) <= max(0.15 * count, 4 * error)


def balance(treatment: pd.Series, attributes: dict[str, pd.Series]) -> tuple[float, str, int]:
    """How unlikely a random choice is: the smallest chi-squared p-value, its column, how many.

    Numbers are cut into five equal parts, rare values put together. Under a choice at random no
    attribute that was there before goes with the treatment.
    """
    from scipy.stats import chi2_contingency  # takes a second to import

    chosen = _levels(treatment)
    least, worst, looked = 1.0, "", 0
    for name, values in attributes.items():
        if pd.api.types.is_numeric_dtype(values) and values.nunique() > LEVELS:
            values = pd.qcut(values, 5, duplicates="drop").astype(str)
        table = pd.crosstab(chosen, _levels(values))
        if min(table.shape) < 2:
            continue
        looked += 1
        p = float(chi2_contingency(table.to_numpy()).pvalue)
        if p < least:
            least, worst = p, name
    return least, worst, looked


def balanced(least: float, looked: int) -> bool:
    """Whether nothing speaks against a choice at random, with at least three columns looked at."""
    return looked >= 3 and least * looked >= ALPHA


def _levels(values: pd.Series) -> pd.Series:
    text = values.astype(object).where(values.notna(), "").astype(str)
    kept = text.value_counts().index[:LEVELS]
    return text.where(text.isin(kept), "other values")
