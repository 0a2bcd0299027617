"""When a new policy may replace the old one: evidence, lift, calibration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from nextbest.errors import NextBestError
from nextbest.evaluation.gates import Gate, Measurement
from nextbest.evaluation.ope.diagnostics import diagnose, evidence_gates
from nextbest.evaluation.ope.estimators import lift
from nextbest.evaluation.ope.log import LOGGING
from nextbest.evaluation.ope.moments import Moments

T = TypeVar("T")


def release_gates(
    *,
    min_ess: float,
    min_lift: float,
    min_positives: float = 100,
    calibration_slope: tuple[float, float] = (0.7, 1.4),
    calibration_ratio: tuple[float, float] = (0.67, 1.5),
) -> tuple[Gate, ...]:
    """The gates of next best action; hold them against `release_measurements`.

    min_ess: decisions; min_lift: rewards per decision, below the interval of the paired lift over
    the baseline; the two calibration bounds are as in `metrics.probability_metrics`, that of the
    ratio is wide because seasons move the level of all treatments together. What the log could
    not have chosen pulls the mean weight below 1; no log says of itself where limits left a
    treatment without a chance, so there is no gate on that.
    """
    return (
        *evidence_gates(min_ess=min_ess, min_positives=min_positives),
        Gate(
            "lift over the baseline",
            "lift_low",
            ">",
            min_lift,
            "the whole interval of the paired lift must lie above the least worthwhile one",
        ),
        *_bounds(
            "calibration slope",
            "calibration_slope",
            calibration_slope,
            "expected values are weighed against costs, so probabilities must mean what they say",
        ),
        *_bounds(
            "calibration in the large",
            "calibration_ratio",
            calibration_ratio,
            "as many must have responded as were foreseen",
        ),
    )


def newest_gate(min_lift: float) -> Gate:
    """The newest days alone must not speak against a release, whatever older ones say."""
    return Gate(
        "lift on the newest days",
        "lift_newest",
        ">",
        min_lift,
        "older decisions may tell of a world that is gone, too little to be seen",
    )


def release_measurements(
    moments: Moments,
    candidate: str,
    calibration: Mapping[str, Measurement],
    *,
    baseline: str = LOGGING,
    estimator: str = "dr",
    confidence: float = 0.95,
) -> dict[str, Measurement]:
    """What `release_gates` ask for; what can't be computed stands there as its error.

    moments: held-out decisions with the candidate (and the baseline, unless it is the policy that
    wrote the log) among the targets; calibration: `probability_metrics` of the candidate's model
    on the same decisions.
    """
    over = attempt(
        lambda: lift(moments, candidate, baseline, estimator=estimator, confidence=confidence)
    )
    weights = attempt(lambda: diagnose(moments, candidate))
    found: dict[str, Measurement] = dict(calibration)
    if isinstance(weights, NextBestError):
        names = ("ess", "positive_rewards", "mean_weight_low", "mean_weight_high")
        found |= dict.fromkeys((*names, "support_violations"), weights)
    else:
        found |= weights.measurements()
    found["lift"] = over if isinstance(over, NextBestError) else over.value
    found["lift_low"] = over if isinstance(over, NextBestError) else over.low
    return found


def attempt(compute: Callable[[], T]) -> T | NextBestError:
    """A result, or the error that says why there is none: then its gate has not passed."""
    try:
        return compute()
    except NextBestError as error:
        return error


def _bounds(name: str, metric: str, bounds: tuple[float, float], why: str) -> tuple[Gate, ...]:
    low, high = bounds
    return (
        Gate(f"{name}, not too low", metric, ">=", low, why),
        Gate(f"{name}, not too high", metric, "<=", high, why),
    )
