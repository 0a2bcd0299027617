"""Cross-fitted doubly robust values: no decision is judged by a q̂ that has seen its reward.

A q̂ fitted on the decisions it is then used on explains away their noise: its residuals are too
small, and with enough freedom DR falls back on q̂ itself, promised with a false precision. So a
log is cut into folds; the q̂ of a fold is fitted on all others; and the folds' moments add up,
here, from tables of different days or from partitions (Chernozhukov et al. 2018).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from nextbest.errors import DataError, SettingsError
from nextbest.evaluation.ope.log import LoggedBatch
from nextbest.evaluation.ope.moments import Moments, fold, merged
from nextbest.evaluation.ope.terms import SHRINKAGES, Shrinkage

# rows (m,) → q̂ of their logged treatments (m,), and by policy its expectation (m,)
Predict = Callable[[np.ndarray], tuple[np.ndarray, Mapping[str, np.ndarray]]]


def folds_of(keys: object, count: int = 5) -> np.ndarray:
    """Fold [n] of each decision by a hash of its key: a customer's decisions stay together.

    Raises SettingsError for fewer than 2 folds.
    """
    if count < 2:
        raise SettingsError(f"{count} folds: q̂ needs others than its own to be fitted on; give 2+")
    hashed = pd.util.hash_array(np.asarray(keys, dtype=object).astype(str).astype(object))
    return (hashed % np.uint64(count)).astype("int64")


def cross_fitted(
    log: LoggedBatch,
    folds: np.ndarray,
    fit: Callable[[np.ndarray], Predict],
    shrinkages: tuple[Shrinkage, ...] = SHRINKAGES,
) -> Moments:
    """Moments of a log whose q̂ is fitted out of fold.

    log: any q̂ in it is put aside; folds: (n,), as of `folds_of`; fit: given the rows to learn
    from, it returns what predicts for other rows. Raises DataError unless there is one fold per
    decision and there are at least two.
    """
    folds = np.asarray(folds)
    if folds.shape != (len(log),):
        raise DataError(
            f"cross-fitting: {folds.shape} folds for {len(log)} decisions; give one each"
        )
    if unknown := int(pd.isna(folds).sum()):
        raise DataError(f"cross-fitting: {unknown} of {len(log)} decisions are in no fold (null)")
    names = np.unique(folds)
    if len(names) < 2:
        raise DataError(
            f"cross-fitting: all {len(log)} decisions are in one fold; q̂ needs others to learn from"
        )
    parts = []
    for name in names:
        rows = np.flatnonzero(folds == name)
        q_logged, q_targets = fit(np.flatnonzero(folds != name))(rows)
        part = log.take(rows)
        targets = {
            policy: replace(target, q_target=q_targets[policy])
            for policy, target in part.targets.items()
        }
        parts.append(fold(LoggedBatch(part.reward, part.propensity, targets, q_logged), shrinkages))
    return merged(parts)
