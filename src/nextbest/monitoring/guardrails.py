"""What may not happen whatever the columns say: a broken experiment, a loss, customers that leave.

Each finding needs evidence: a test at CHANCE, or SPLIT_CHANCE, so that a quiet year stays quiet.
"""

from __future__ import annotations

import math

from scipy import stats

from nextbest.monitoring.decision_quality import DecisionQuality, lift
from nextbest.monitoring.verdict import CHANCE, Drifted

SAMPLE_RATIO, LIFT, OPT_OUTS = "sample ratio", "lift", "opt-outs"
SPLIT_CHANCE = 1e-4  # of a day's split: a wrong one shows beyond doubt, and days are many
MORE_OPT_OUTS = 0.002  # of decisions, above the control group's rate: so much is borne


def broken_guardrails(
    today: DecisionQuality, recent: DecisionQuality, control_share: float
) -> tuple[Drifted, ...]:
    """Findings about today's split into arms, and about recent matured decisions.

    Sample ratio: the control group's share differs from `control_share` (two-sided binomial).
    Lift: treated decisions earned less than the control group's (Welch's interval wholly below 0).
    Opt-outs: more of them by over MORE_OPT_OUTS than in the control group (one-sided, two
    proportions). Without decisions on a side there is no finding: nothing was compared.
    """
    found = []
    arms = today.treated.decisions + today.control.decisions
    if arms and 0 < control_share < 1:
        split = stats.binomtest(today.control.decisions, arms, control_share)
        if split.pvalue < SPLIT_CHANCE:
            share = today.control.decisions / arms
            found.append(
                Drifted(
                    "control group", SAMPLE_RATIO, share, control_share, float(split.pvalue),
                    f"the control group is {share:.2%} of {arms:,} decisions, {control_share:.2%} "
                    "is set: the two sides can't be compared",
                )  # fmt: skip
            )
    gain = lift(recent, 1 - 2 * CHANCE)
    if gain is not None and gain[2] < 0:
        found.append(
            Drifted(
                "value", LIFT, gain[0], 0.0, CHANCE,
                f"decisions earn {-gain[0]:.3g} less each than the control group's "
                f"({gain[1]:.3g} to {gain[2]:.3g})",
            )  # fmt: skip
        )
    excess = _opt_outs(recent)
    if excess is not None and excess[1] > MORE_OPT_OUTS:
        found.append(
            Drifted(
                "opt-outs", OPT_OUTS, excess[0], MORE_OPT_OUTS, CHANCE,
                f"{excess[0]:.2%} more of the customers opt out than in the control group",
            )  # fmt: skip
        )
    return tuple(found)


def _opt_outs(recent: DecisionQuality) -> tuple[float, float] | None:
    """How many more opt out per matured decision than in control, and the lower end of that."""
    sides = recent.treated, recent.control
    if any(not side.matured for side in sides):
        return None
    rates = [side.opt_outs / side.matured for side in sides]
    both = sum(side.opt_outs for side in sides) / sum(side.matured for side in sides)
    error = math.sqrt(both * (1 - both) * sum(1 / side.matured for side in sides))
    more = rates[0] - rates[1]
    return more, more - float(stats.norm.isf(CHANCE)) * error
