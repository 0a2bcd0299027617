"""What counts as evidence today: older days do as long as they tell the same story."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nextbest.errors import NextBestError
from nextbest.evaluation.attempting import attempt
from nextbest.evaluation.concept import Concept, judge_concept
from nextbest.evaluation.foretold import Foretold
from nextbest.evaluation.ope.estimators import Estimate, lift
from nextbest.evaluation.ope.moments import Moments

JUDGED_DAYS = 7  # every weekday once
APART = 1.96  # standard errors of the difference: by chance in one case of twenty
STORY_CHANCE, STORY_MISFIT = 1e-3, 0.3  # evidence is given up for more than monitoring speaks of
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


def stories_differ(days: Sequence[Foretold]) -> tuple[str, int]:
    """Whether outcomes tell of a world that is gone: why, and how many of the newest days count.

    days: what the champion foretold and what came, newest first. Outcomes speak before values:
    where those of the newest JUDGED_DAYS contradict the champion and the older ones together don't,
    the world has moved since it was trained; where it is the other way round, it was trained after
    that. A champion that both contradict, or neither, tells nothing ("" and 0), nor do days too
    thin to judge by. Evidence then goes back as far as each day, with the two before it, tells the
    story of the newest: a day too short rather than one too long, and ever more as days pass. In a
    steady world it errs at STORY_CHANCE, so coverage is as in `world_moved`.
    """
    newest, older = _story(days[:JUDGED_DAYS]), _story(days[JUDGED_DAYS:])
    if not (newest.known and older.known) or bool(newest.moved) == bool(older.moved):
        return "", 0
    count = JUDGED_DAYS
    while count < len(days):
        three = _story(days[count : count + 3])
        if not three.known or bool(three.moved) != bool(newest.moved):
            break
        count += 1
    told, which = (newest.moved, "newest") if newest.moved else (older.moved, "older")
    return (
        f"the world has moved: on the {which} decisions {told}, on the others the "
        f"predictions hold, so that only the newest {count} days count"
    ), count


def _story(days: Sequence[Foretold]) -> Concept:
    return judge_concept([sum(days, Foretold())], chance=STORY_CHANCE, misfit=STORY_MISFIT)


def newest_lift(part: Moments, candidate: str, baseline: str) -> Estimate | None:
    """The lift on some days alone; None where they are too thin to speak for themselves."""
    found = attempt(lambda: lift(part, candidate, baseline))
    if isinstance(found, NextBestError):
        return None
    return found if part.positives[part.place(candidate)] >= LEAST_POSITIVES else None
