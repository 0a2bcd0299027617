"""How far a log can carry an evaluation: effective sample, weights, support; go or no-go."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nextbest.evaluation.gates import Gate, Measurement, judge
from nextbest.evaluation.ope.blocks import WEIGHT_EDGES
from nextbest.evaluation.ope.estimators import value_of
from nextbest.evaluation.ope.moments import Moments

# At .95 a nightly check would refuse one sound log in twenty.
MEAN_WEIGHT_CONFIDENCE = 0.999
ROUNDING = 1e-9  # a target equal to the logging policy has weights of 1, but for rounding


@dataclass(frozen=True)
class Diagnostics:
    """What the weights w = π/p of n logged decisions say of themselves.

    ess: (Σw)²/Σw², decisions; mean_weight with its .999 interval: 1 if the propensities are true
    and the log covers the target, else the share that it covers; positive_rewards: decisions with
    reward > 0 and w > 0; support_violations: decisions where the target puts mass on treatments
    the logging policy could not have chosen (None: the log has no column that says so).
    """

    n: int
    ess: float
    max_weight: float
    mean_weight: float
    mean_weight_low: float
    mean_weight_high: float
    positive_rewards: int
    support_violations: int | None

    def measurements(self) -> dict[str, Measurement]:
        """The diagnostics by name, as gates take them."""
        return dict(vars(self))


def diagnose(moments: Moments, policy: str) -> Diagnostics:
    """Diagnostics of one target policy; raises DataError as `value_of` does."""
    k = moments.place(policy)
    mean = value_of(moments, policy, "mean_weight", confidence=MEAN_WEIGHT_CONFIDENCE)
    # Σw²/n = mean² + variance, by hypot so that large weights don't overflow.
    spread = np.linalg.norm(moments.root[:, moments.at(f"{policy}.w")]) / math.sqrt(moments.n)
    rms = math.hypot(mean.value, spread)
    return Diagnostics(
        n=moments.n,
        ess=moments.n * (mean.value / rms) ** 2 if rms else 0.0,
        max_weight=float(moments.max_weight[k]),
        mean_weight=mean.value,
        mean_weight_low=mean.low,
        mean_weight_high=mean.high,
        positive_rewards=int(moments.positives[k]),
        support_violations=int(moments.violations[k]) if moments.layout.supported else None,
    )


def weight_histogram(moments: Moments, policy: str) -> tuple[np.ndarray, np.ndarray]:
    """How many decisions have which weight, from the moments alone.

    Returns lower edges (0, tiny, 2⁻⁶, 2⁻⁵, …, 2¹³) and counts, one longer than WEIGHT_EDGES: the
    first counts weights of 0, the second those below 2⁻⁶, the last those of 2¹³ and above.
    """
    lows = np.concatenate([[0.0], WEIGHT_EDGES])
    return lows, moments.weight_counts[moments.place(policy)]


def evidence_gates(*, min_ess: float, min_positives: float) -> tuple[Gate, ...]:
    """The conditions under which a log carries an evaluation at all."""
    return (
        Gate(
            "effective sample", "ess", ">=", min_ess, "a few decisions would carry the whole value"
        ),
        Gate(
            "positive rewards",
            "positive_rewards",
            ">=",
            min_positives,
            "from fewer successes neither a value nor its interval can be told",
        ),
        Gate(
            "mean weight, not above 1",
            "mean_weight_low",
            "<=",
            1 + ROUNDING,
            "true propensities give weights that average 1",
        ),
        Gate(
            "mean weight, not below 1",
            "mean_weight_high",
            ">=",
            1 - ROUNDING,
            "true propensities and full support give weights that average 1",
        ),
    )


SUPPORT_GATE = Gate(
    "support",
    "support_violations",
    "<=",
    0,
    "the log can't speak of treatments that it could not choose",
)


def evidence(
    diagnostics: Diagnostics, min_ess: float, min_positives: float = 100
) -> tuple[str, ...]:
    """Reasons why the evidence is too thin or unsound; none of them means go.

    Without a column on support, support is judged by the mean weight, which it pulls below 1.
    100 positive rewards leave the mean of a rare reward a standard error of 10 %.
    """
    gates = evidence_gates(min_ess=min_ess, min_positives=min_positives)
    if diagnostics.support_violations is not None:
        gates += (SUPPORT_GATE,)
    return judge(gates, diagnostics.measurements()).reasons
