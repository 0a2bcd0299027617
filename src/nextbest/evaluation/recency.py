"""What counts as evidence today: older days do as long as they tell the same story."""

from __future__ import annotations

import math

from nextbest.errors import NextBestError
from nextbest.evaluation.attempting import attempt
from nextbest.evaluation.concept import Foretold, judge_concept
from nextbest.evaluation.ope.estimators import Estimate, lift
from nextbest.evaluation.ope.moments import Moments

JUDGED_DAYS = 7  # every weekday once
APART = 1.96  # standard errors of the difference: by chance in one case of twenty
LEAST_POSITIVES = 30  # rewarded decisions: with fewer a standard error is too small by chance


def world_moved(recent: Moments, older: Moments, candidate: str, baseline: str) -> str:
    """Why the older decisions no longer count, in words; "" while they do.

    A policy is released for tomorrow. Where its doubly robust lift over the baseline on the newest
    days differs from that on the older ones by more than chance, the older ones tell of a world
    that is gone, and only the newest are evidence; else both together are, and the interval is
    narrower. Testing first costs coverage (Giles and Giles 1993, "Pre-test estimation and testing
    in econometrics"): a .95 interval holds the truth in 92 % of cases in a steady world, and in far
    fewer where the world moved by one or two standard errors, too little to be seen. So the newest
    days have a gate of their own (`lifting.newest_gate`); ADR 16 has the numbers. Days too thin to
    speak contradict nothing.
    """
    now, then = (newest_lift(part, candidate, baseline) for part in (recent, older))
    if now is None or then is None:
        return ""
    error = math.hypot(now.standard_error, then.standard_error)
    if not abs(now.value - then.value) > APART * error:
        return ""
    return (
        f"the world has moved: a lift over {baseline} of {now.value:+.4f} on the newest "
        f"{recent.n:,} decisions, {then.value:+.4f} on {older.n:,} older ones, so that only the "
        "newest count"
    )


def stories_differ(recent: Foretold, older: Foretold) -> str:
    """Why older decisions no longer count, as the champion's predictions tell; "" while they do.

    Outcomes speak sooner than values: where those of the newest days contradict the champion and
    those of the older ones don't, the world has moved since it was trained; where it is the other
    way round, it was trained after that. A champion that both contradict, or neither, tells
    nothing, nor do days too thin to judge by. In a steady world it errs at the chance of
    `judge_concept`, so coverage is as in `world_moved`.
    """
    now, then = judge_concept([recent]), judge_concept([older])
    if not (now.known and then.known) or bool(now.moved) == bool(then.moved):
        return ""
    told, days = (now.moved, "newest") if now.moved else (then.moved, "older")
    return (
        f"the world has moved: on the {days} decisions {told}, on the others the champion's "
        f"predictions hold, so that only the newest {recent.n:,.0f} contacts count"
    )


def newest_lift(part: Moments, candidate: str, baseline: str) -> Estimate | None:
    """The lift on some days alone; None where they are too thin to speak for themselves."""
    found = attempt(lambda: lift(part, candidate, baseline))
    if isinstance(found, NextBestError):
        return None
    return found if part.positives[part.place(candidate)] >= LEAST_POSITIVES else None
