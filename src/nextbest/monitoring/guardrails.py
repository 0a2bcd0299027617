"""What may not happen whatever the columns say: a broken experiment, a loss, customers that leave.

Each finding needs evidence: a test at CHANCE, or SPLIT_CHANCE, so that a quiet year stays quiet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from scipy import stats

from nextbest.monitoring.decision_quality import DecisionQuality, lift, merged
from nextbest.monitoring.verdict import CHANCE, Drifted

SAMPLE_RATIO, LIFT, OPT_OUTS = "sample ratio", "lift", "opt-outs"
CONTACTS, VOLUME = "contact rate", "number of decisions"
SPLIT_CHANCE = 1e-4  # of a day's split: a wrong one shows beyond doubt, and days are many
USUAL = (0.5, 2.0)  # decisions of a day over the median day's: less or more is a feed's fault
LEAST_MATURED = 30  # decisions of a side: of fewer, that all earn alike says nothing
DAYS = 3  # before a day that tell what is usual
MORE_OPT_OUTS = 0.002  # of decisions, above the control group's rate: so much is borne


def broken_guardrails(
    today: DecisionQuality, recent: DecisionQuality, control_share: float
) -> tuple[Drifted, ...]:
    """Findings about today's split into arms, and about recent matured decisions.

    Sample ratio: the control group's share differs from `control_share` (two-sided binomial).
    Lift: treated decisions earned less than the control group's (Welch's interval wholly below 0,
    of LEAST_MATURED on each side), or a value isn't known, which is NaN.
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
    if gain is not None and math.isnan(gain[0]):
        found.append(
            Drifted(
                "value", LIFT, math.nan, 0.0, CHANCE,
                "what decisions earned can't be told: some that have matured have no value (has "
                "their action gone from the table actions?)",
            )  # fmt: skip
        )
    elif gain is not None and gain[2] < 0 and _least(recent) >= LEAST_MATURED:
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


def _least(window: DecisionQuality) -> int:
    return min(window.treated.matured, window.control.matured)


def unusual_day(
    today: DecisionQuality, before: Sequence[DecisionQuality], contact_growth: float
) -> tuple[Drifted, ...]:
    """Findings about how many were decided for and contacted today, of one version.

    before: earlier days of that version. Volume: today's decisions are outside of USUAL times those
    of the median day; needs DAYS of them. Contact rate: more of the treated are contacted, by over
    `contact_growth` of what it was, beyond chance (one-sided, two proportions).
    """
    found = []
    counts = [_rows(day) for day in before]
    usual = median(counts) if len(counts) >= DAYS else 0
    if usual and not USUAL[0] <= _rows(today) / usual <= USUAL[1]:
        found.append(
            Drifted(
                "decisions", VOLUME, _rows(today) / usual, 1.0, 0.0,
                f"{_rows(today):,} decisions were made, {usual:,.0f} are usual ({USUAL[0]:g} to "
                f"{USUAL[1]:g} times as many are borne): look at the customers that were loaded",
            )  # fmt: skip
        )
    now, then = today.treated, merged(before).treated
    if now.decisions and then.contacts:
        rate, usual = now.contacts / now.decisions, then.contacts / then.decisions
        borne = (1 + contact_growth) * usual
        variances = (
            rate * (1 - rate) / now.decisions,
            (1 + contact_growth) ** 2 * usual * (1 - usual) / then.decisions,
        )
        if rate - borne > float(stats.norm.isf(CHANCE)) * math.sqrt(sum(variances)):
            found.append(
                Drifted(
                    "contacts", CONTACTS, rate / usual - 1, contact_growth, CHANCE,
                    f"{rate:.1%} of the customers are contacted, {usual:.1%} were on the days "
                    f"before ({contact_growth:.0%} more is borne)",
                )  # fmt: skip
            )
    return tuple(found)


def _rows(day: DecisionQuality) -> int:
    return day.treated.decisions + day.control.decisions


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
