"""What counts as evidence today: older days do as long as they tell the same story."""

from __future__ import annotations

import math

from nextbest.evaluation.ope.estimators import Estimate, lift
from nextbest.evaluation.ope.moments import Moments
from nextbest.evaluation.release import attempt

JUDGED_DAYS = 7  # every weekday once
APART = 1.96  # standard errors of the difference: by chance in one case of twenty


def world_moved(recent: Moments, older: Moments, candidate: str, baseline: str) -> str:
    """Why the older decisions no longer count, in words; "" while they do.

    A policy is released for tomorrow. Where its doubly robust lift over the baseline on the newest
    days differs from that on the older ones by more than chance, the older ones tell of a world
    that is gone, and only the newest are evidence; else both together are, and the interval is
    narrower. Testing first costs the interval some of its coverage when the truth lies near the
    border (Giles and Giles 1993, "Pre-test estimation and testing in econometrics"). Newest days
    too thin to say anything contradict nothing.
    """
    now, then = (
        attempt(lambda part=part: lift(part, candidate, baseline)) for part in (recent, older)
    )
    if not isinstance(now, Estimate) or not isinstance(then, Estimate):
        return ""
    error = math.hypot(now.standard_error, then.standard_error)
    if not abs(now.value - then.value) > APART * error:
        return ""
    return (
        f"the world has moved: a lift over {baseline} of {now.value:+.4f} on the newest "
        f"{recent.n:,} decisions, {then.value:+.4f} on {older.n:,} older ones, so that only the "
        "newest count"
    )
