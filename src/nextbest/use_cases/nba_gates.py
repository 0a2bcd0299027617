"""What a version of next best action must meet, by where its rows come from."""

from __future__ import annotations

import math

from nextbest.data.own_log.mapping import LogMapping
from nextbest.data.world import SEGMENTS
from nextbest.evaluation.gates import Gate
from nextbest.evaluation.release.declared import (
    Calibration,
    Fairness,
    Guardrail,
    Holdout,
    ReleaseGates,
    Slices,
)
from nextbest.settings import Settings

FULL_ESS = 1000  # at which margins are what they say
ALWAYS_SHOWN = "a banner is always shown: there is no decision without a contact"
OWN_GROWTH = 0.5  # share of contacts; less is chance in a log of a few thousand decisions
LATE_DAYS = 3  # that the last decisions may lack at the end


def simulated_gates(settings: Settings) -> ReleaseGates:
    """Of the simulated world, which knows consent, costs, opt-outs and segments."""
    return ReleaseGates(
        guardrails=(
            Guardrail("contact rate", "contact", settings.max_contact_growth),
            Guardrail("cost per decision", "cost", 1.0),
            Guardrail("opt-out rate", "opt_out", 1.0 * _room(settings)),
        ),
        calibration=(Calibration("response"),),
        slices=(Slices("segment", 0.0, settings.min_ess / 4, levels=tuple(SEGMENTS)),),
        fairness=(Fairness("segment", "contact", 0.8),),
        holdout=Holdout(max_age_days=settings.attribution_days + LATE_DAYS),
        absolute=_ranking("response"),
    )


def click_gates(settings: Settings) -> ReleaseGates:
    """Of the open bandit logs: clicks on banners of 2019, shown at no cost to hashed users."""
    return ReleaseGates(
        guardrails=(),
        calibration=(Calibration("click"),),
        slices=(Slices("user_feature_0", 0.0, settings.min_ess / 4),),
        fairness=(),
        unasked={
            "contact rate": ALWAYS_SHOWN,
            "cost per decision": "showing a banner costs nothing here",
            "opt-out rate": "a log of clicks knows none",
            "fairness": "users are known by hashed attributes only, which name no group",
            "age of the holdout": "the logs are of 2019 for good",
        },
    )


def own_gates(settings: Settings, mapping: LogMapping) -> ReleaseGates:
    """Of a log of the user's own: what its mapping tells, and why the rest is not asked.

    An outcome that loses money stands for the opt-out. Contacts may grow by OWN_GROWTH at least,
    whatever max_contact_growth is.
    """
    harms = [each.kind for each in mapping.outcomes if each.worth < 0]
    unasked = {
        "slices": "a mapping names no segments: declare them in use_cases/nba_gates.py",
        "fairness": "a mapping names no groups: declare them in use_cases/nba_gates.py",
        "age of the holdout": "a log ends when it was exported",
    }
    if not harms:
        unasked["opt-out rate"] = "the mapping names no outcome that loses money"
    names = ("opt-out rate", *(f"rate of {kind}" for kind in harms[1:]))
    rates = zip(names, harms, strict=False)
    return ReleaseGates(
        guardrails=(
            Guardrail("contact rate", "contact", max(OWN_GROWTH, settings.max_contact_growth)),
            Guardrail("cost per decision", "cost", 1.0),
            *(Guardrail(name, kind, 1.0 * _room(settings)) for name, kind in rates),
        ),
        calibration=(Calibration(mapping.outcomes[0].kind, error=0.05),),
        slices=(),
        fairness=(),
        unasked=unasked,
    )


def _ranking(head: str) -> tuple[Gate, ...]:
    return (
        Gate("ranking", f"{head}_auc", ">=", 0.6, "it must tell who responds from who does not"),
        Gate("ranking, too good to be true", f"{head}_auc", "<=", 0.97,
             "nobody foresees people so well: a feature knows what came afterwards"),
    )  # fmt: skip


def _room(settings: Settings) -> float:
    """By how much the margin of a rare rate widens where thinner evidence is accepted.

    An interval is as wide as 1/√ess: who lowers min_ess below 1,000 says so for rare rates, too.
    """
    return max(1.0, math.sqrt(FULL_ESS / max(settings.min_ess, 1.0)))
