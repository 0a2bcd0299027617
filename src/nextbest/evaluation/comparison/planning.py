"""What a comparison could have seen, and how many decisions would settle it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nextbest.evaluation.comparison import power
from nextbest.evaluation.comparison.measures import Compared

WORTHWHILE = 0.1  # of the first version's value


@dataclass(frozen=True)
class Plan:
    """How far n decisions reach; money (or reward) per decision.

    worthwhile: the lift that is asked for, a tenth of the first version's value; power: the chance
    that a true lift of that size is called different here; detectable: the least lift that is seen
    with a chance of .8; needed: decisions of a comparison like this one that sees the worthwhile
    lift with .8; arm, arm_of_found: decisions in each arm of an A/B test that would see the
    worthwhile lift, or the one found here. None: no number would.
    """

    n: int
    spread: float
    worthwhile: float
    power: float
    detectable: float
    needed: int | None
    arm: int | None
    arm_of_found: int | None


def plan(value: Compared, rewards: np.ndarray, confidence: float = 0.95) -> Plan:
    """The reach of a comparison of values; rewards (n,) of the log tell an A/B test's spread.

    An A/B test sees one reward per decision, whose spread is that of the rewards; where these are
    0 or 1 it is one of two proportions. Power of the difference that was found is not told: it
    would be the p-value in other words (Hoenig and Heisey 2001).
    """
    spread, worthwhile = value.spread or 0.0, WORTHWHILE * abs(value.first)
    yes_or_no = bool(np.isin(rewards, (0, 1)).all())

    def arm(effect: float) -> int | None:
        ends = value.first, value.first + effect
        if yes_or_no and min(ends) >= 0 and max(ends) <= 1:
            return power.arm_for_proportion(*ends, confidence)
        sd = float(np.std(rewards, ddof=1))
        return power.arm_for_mean(effect, sd, confidence) if sd else None

    return Plan(
        n=value.n,
        spread=spread,
        worthwhile=worthwhile,
        power=power.paired_power(worthwhile, spread, value.n, confidence),
        detectable=power.detectable(spread, value.n, confidence),
        needed=power.decisions_needed(worthwhile, spread, confidence) if spread else None,
        arm=arm(worthwhile),
        arm_of_found=arm(value.difference.value),
    )
