"""Do a candidate's probabilities mean what they say? Gates by head, and the curve of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import beta

from nextbest.decisions.heads import Head
from nextbest.decisions.treatments import NONE
from nextbest.errors import DataError, NextBestError
from nextbest.evaluation.attempting import attempt, had
from nextbest.evaluation.foretold import Foretold, foretold
from nextbest.evaluation.gates import Gate, Measurement
from nextbest.evaluation.metrics import METRICS
from nextbest.evaluation.recency import stories_differ
from nextbest.evaluation.release.declared import Calibration

BINS = 10


@dataclass(frozen=True)
class Bin:
    """Rows of about the same probability: its mean, the share that happened with .95 limits."""

    predicted: float
    happened: float
    low: float
    high: float
    n: int


def calibration_gates(asked: Sequence[Calibration]) -> tuple[Gate, ...]:
    """Gates of every declared head; hold them against `head_measurements`."""
    gates = []
    for each in asked:
        gates += _bounds(
            f"calibration slope of {each.head}", f"{each.head}_calibration_slope", each.slope,
            "expected values are weighed against costs, so probabilities must mean what they say",
        )  # fmt: skip
        gates += _bounds(
            f"calibration in the large of {each.head}", f"{each.head}_calibration_ratio",
            each.ratio, "as many must have responded as were foreseen",
        )  # fmt: skip
        gates.append(
            Gate(f"calibration error of {each.head}", f"{each.head}_calibration_error", "<=",
                 each.error, "in no range of probabilities may they be far off")
        )  # fmt: skip
    return tuple(gates)


def head_measurements(
    rows: pd.DataFrame, heads: Sequence[Head], predicted: pd.DataFrame | NextBestError
) -> dict[str, Measurement]:
    """Every metric of every head, as <head>_<metric>, where the head can happen at all."""
    return {
        f"{head.name}_{name}": attempt(
            lambda head=head, metric=metric: metric(*_pairs(rows, head, had(predicted)))
        )
        for head in heads
        for name, metric in METRICS.items()
    }


def invalid_probabilities(predicted: pd.DataFrame) -> int:
    """How many predictions are no probabilities: not finite, or outside of [0, 1]."""
    values = predicted.to_numpy(dtype=float)
    return int((~((values >= 0) & (values <= 1))).sum())


def foretold_of(rows: pd.DataFrame, head: Head, predicted: pd.DataFrame) -> Foretold:
    """What was foretold of some decisions and what came, by action; certain ones tell nothing."""
    outcomes, p = _pairs(rows, head, predicted)
    actions, told = rows["action_id"].to_numpy()[_can(rows, head)], (p > 0) & (p < 1)
    return foretold(outcomes[told], p[told], {"action": actions[told]})


def other_story(rows: pd.DataFrame, head: Head, predicted: pd.DataFrame) -> tuple[str, int]:
    """Whether outcomes tell two stories about these predictions, by day: as `stories_differ`."""
    age = (rows["decided_at"].max() - rows["decided_at"]).dt.days.to_numpy()
    return stories_differ(
        [
            foretold_of(rows[age == day], head, predicted[age == day])
            for day in range(int(age.max()) + 1)
        ]
    )


def curves(
    rows: pd.DataFrame, heads: Sequence[Head], predicted: pd.DataFrame
) -> Mapping[str, tuple[Bin, ...]]:
    """Calibration curves by head; a head whose curve can't be drawn has none.

    Limits of a share are those of Clopper and Pearson (1934).
    """
    found = {head.name: attempt(lambda h=head: _curve(*_pairs(rows, h, predicted)))
             for head in heads}  # fmt: skip
    return {name: each for name, each in found.items() if not isinstance(each, NextBestError)}


def _curve(outcomes: np.ndarray, probabilities: np.ndarray) -> tuple[Bin, ...]:
    if not np.isfinite(probabilities).all():
        raise DataError("not finite")
    bins = []
    for part in np.array_split(np.argsort(probabilities, kind="stable"), BINS):
        if n := len(part):
            hits = float(outcomes[part].sum())
            low = float(beta.ppf(0.025, hits, n - hits + 1)) if hits else 0.0
            high = float(beta.ppf(0.975, hits + 1, n - hits)) if hits < n else 1.0
            bins.append(Bin(float(probabilities[part].mean()), hits / n, low, high, n))
    return tuple(bins)


def _pairs(
    rows: pd.DataFrame, head: Head, predicted: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    name = f"p_{head.name}"
    if name not in predicted or head.kind not in rows:
        raise DataError(f"no column {name} in predictions, or {head.kind} in the holdout")
    can = _can(rows, head)
    return rows[head.kind].to_numpy(float)[can], predicted[name].to_numpy(float)[can]


def _can(rows: pd.DataFrame, head: Head) -> np.ndarray:
    """Which decisions the head's outcome can follow at all."""
    return (
        (rows["treatment"] != NONE).to_numpy() if head.needs_contact else np.ones(len(rows), bool)
    )


def _bounds(name: str, metric: str, bounds: tuple[float, float], why: str) -> tuple[Gate, ...]:
    low, high = bounds
    return (
        Gate(f"{name}, not too low", metric, ">=", low, why),
        Gate(f"{name}, not too high", metric, "<=", high, why),
    )
