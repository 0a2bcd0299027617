"""How good predictions were, as values that can be added up: a window's is the sum of its days'."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nextbest.monitoring import points
from nextbest.monitoring.points import Points
from nextbest.monitoring.rounding import points_of
from nextbest.monitoring.statistics import above

BINS = 20  # of the calibration table, equally wide
CLIP = 1e-15  # as scikit-learn did: a certain prediction that failed costs 35, not infinity


@dataclass(frozen=True, eq=False)
class Probabilities:
    """Predicted probabilities of a yes, and what came: AUC, log loss, Brier score, calibration."""

    yes: Points  # probabilities where it came
    no: Points
    loss: float  # summed −ln p of what came
    squares: float  # summed squared distances from what came
    rows: np.ndarray  # per bin of calibration: rows, summed probability, times it came
    expected: np.ndarray
    came: np.ndarray


def probabilities_of(predicted: np.ndarray, came: np.ndarray) -> Probabilities:
    """Of probabilities (0–1) and outcomes (bool), row by row. ValueError for other numbers."""
    p = np.asarray(predicted, dtype=float)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"{int((~((p >= 0) & (p <= 1))).sum())} predictions are no probability")
    came = np.asarray(came, dtype=bool)
    at = np.minimum((p * BINS).astype(np.int64), BINS - 1)
    told = np.clip(np.where(came, p, 1 - p), CLIP, 1.0)
    counts = [np.bincount(at, weights, BINS) for weights in (None, p, came)]
    return Probabilities(
        points_of(p[came] + 0.0), points_of(p[~came] + 0.0), float(-np.log(told).sum()),
        float(((p - came) ** 2).sum()), *counts,
    )  # fmt: skip


def merged(parts: Sequence[Probabilities]) -> Probabilities:
    """Of all rows of the parts together."""
    return Probabilities(
        points.merged([part.yes for part in parts]),
        points.merged([part.no for part in parts]),
        sum(part.loss for part in parts),
        sum(part.squares for part in parts),
        *(np.sum([getattr(part, name) for part in parts], axis=0) for name in _TABLE),
    )


def measured(found: Probabilities) -> dict[str, float | None]:
    """roc_auc_score, log_loss, brier_score, calibration_error, predicted and observed rate.

    Null where it can't be computed: without rows, AUC also with one outcome only. The AUC errs by
    at most both sides' `error` per row in sum; calibration_error is the mean distance of the
    bins' observed rates from their predicted ones (ECE). Source: scikit-learn; Naeini, Cooper and
    Hauskrecht (2015), AAAI.
    """
    names = ("roc_auc_score", "log_loss", "brier_score", "calibration_error")
    rates = ("predicted_rate", "observed_rate")
    rows = found.rows.sum()
    if not rows:
        return dict.fromkeys((*names, *rates))
    both = found.yes.total and found.no.total
    values = (
        above(found.yes, found.no) if both else None,
        found.loss / rows,
        found.squares / rows,
        float(np.abs(found.expected - found.came).sum() / rows),
        float(found.expected.sum() / rows),
        float(found.came.sum() / rows),
    )
    return dict(zip((*names, *rates), values, strict=True))


Confusion = Mapping[tuple[str, str], int]  # (label, prediction) → rows; adds up as counts do


def class_quality(confusion: Confusion) -> dict[str, Any]:
    """accuracy_score, and precision, recall and f1_score as the structs of an inference log.

    Each struct has `one_vs_all` (class → value), `macro` and `weighted` (by the label's rows);
    what divides by nothing is 0. Null without rows. Source: scikit-learn,
    precision_recall_fscore_support(zero_division=0).
    """
    rows = sum(confusion.values())
    if not rows:
        return dict.fromkeys(("accuracy_score", "precision", "recall", "f1_score"))
    classes = sorted({name for pair in confusion for name in pair})
    hit = {name: confusion.get((name, name), 0) for name in classes}
    real, told = (
        {name: sum(n for pair, n in confusion.items() if pair[side] == name) for name in classes}
        for side in (0, 1)
    )
    precision = {name: _share(hit[name], told[name]) for name in classes}
    recall = {name: _share(hit[name], real[name]) for name in classes}
    score = {name: _share(2 * hit[name], told[name] + real[name]) for name in classes}
    return {
        "accuracy_score": sum(hit.values()) / rows,
        **{
            key: {
                "one_vs_all": values,
                "macro": math.fsum(values.values()) / len(classes),
                "weighted": math.fsum(values[name] * real[name] for name in classes) / rows,
            }
            for key, values in (("precision", precision), ("recall", recall), ("f1_score", score))
        },
    }


_TABLE = ("rows", "expected", "came")


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
