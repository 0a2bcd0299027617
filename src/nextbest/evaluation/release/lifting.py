"""Evidence and lift: what a policy is worth over the baseline, and how surely."""

from __future__ import annotations

from nextbest.errors import NextBestError
from nextbest.evaluation.attempting import attempt, had
from nextbest.evaluation.gates import Gate, Measurement
from nextbest.evaluation.ope.diagnostics import diagnose, evidence_gates
from nextbest.evaluation.ope.estimators import lift
from nextbest.evaluation.ope.log import LOGGING
from nextbest.evaluation.ope.moments import Moments


def lift_gates(*, min_ess: float, min_lift: float, min_positives: float) -> tuple[Gate, ...]:
    """Evidence, and a lift over the baseline; hold them against `lift_measurements`.

    min_ess: decisions; min_lift: rewards per decision, below the interval of the paired lift. What
    the log could not have chosen pulls the mean weight below 1; no log says of itself where limits
    left a treatment without a chance, so there is no gate on that.
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


def lift_measurements(
    moments: Moments | NextBestError,
    candidate: str,
    *,
    baseline: str = LOGGING,
    estimator: str = "dr",
    confidence: float = 0.95,
) -> dict[str, Measurement]:
    """What `lift_gates` ask for; what can't be computed stands there as its error.

    moments: held-out decisions with the candidate (and the baseline, unless it is the policy that
    wrote the log) among the targets.
    """
    over = attempt(
        lambda: lift(had(moments), candidate, baseline, estimator=estimator, confidence=confidence)
    )
    weights = attempt(lambda: diagnose(had(moments), candidate))
    found: dict[str, Measurement] = {}
    if isinstance(weights, NextBestError):
        names = ("ess", "positive_rewards", "mean_weight_low", "mean_weight_high")
        found |= dict.fromkeys((*names, "support_violations"), weights)
    else:
        found |= weights.measurements()
    found["lift"] = over if isinstance(over, NextBestError) else over.value
    found["lift_low"] = over if isinstance(over, NextBestError) else over.low
    return found
