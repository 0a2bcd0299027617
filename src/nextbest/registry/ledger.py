"""What the ledger says: who is champion, since when and by whom, who was before, who was left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from nextbest.platforms.releases import DONE, INTENDED, ROLL_BACK, Step

CHAMPION, PREVIOUS = "champion", "previous_champion"


def open_intent(steps: Sequence[Step]) -> Step | None:
    """The change of a model that was begun and has not ended; there is one at most."""
    ended = {each.sequence for each in steps if each.state != INTENDED}
    return next(
        (each for each in steps if each.state == INTENDED and each.sequence not in ended), None
    )


def newest(steps: Sequence[Step], alias: str) -> Step | None:
    """The last change of an alias that was done."""
    return next(
        (each for each in reversed(steps) if each.state == DONE and each.to_alias == alias), None
    )


def standing(steps: Sequence[Step]) -> dict[str, str | None]:
    """Where each alias must be by the ledger; aliases that it never moved are not in it."""
    found: dict[str, str | None] = {}
    for step in steps:
        if step.state == DONE:
            found[step.to_alias] = step.version or None
            if step.to_alias == CHAMPION:
                found[PREVIOUS] = step.previous_champion
    return found


def line(steps: Sequence[Step]) -> list[str]:
    """Champions that can be rolled back to, oldest first, and the one there is at the end.

    A promotion adds one, a rollback takes the newest away: two of them go back two steps.
    """
    found: list[str] = []
    for step in steps:
        if step.state != DONE or step.to_alias != CHAMPION:
            continue
        if step.action == ROLL_BACK:
            found = found[:-1] if len(found) > 1 else []
            if not found or found[-1] != step.version:
                found.append(step.version)
            continue
        if not found and step.previous_version:
            found.append(step.previous_version)
        if step.version:
            found.append(step.version)
    return found


def left(steps: Sequence[Step], version: str) -> Step | None:
    """The last rollback away from a version, unless it was promoted again since."""
    for step in reversed(steps):
        if step.state == DONE and step.to_alias == CHAMPION:
            if step.action == ROLL_BACK and step.previous_version == version:
                return step
            if step.version == version and step.action != ROLL_BACK:
                return None
    return None


def refused(steps: Sequence[Step], version: str, as_of: dt.date, holdout: str) -> str | None:
    """Why a version may not become champion on this evidence: it was rolled back on no older one.

    New evidence is a verdict of a later day on other rows.
    """
    back = left(steps, version)
    if back is None:
        return None
    judged = back.as_of or back.promoted_at.date()
    if as_of > judged and holdout != back.holdout:
        return None
    return (
        f"version {version} was rolled back by {back.promoted_by} at {moment(back)}"
        f"{f' ({back.reason})' if back.reason else ''}; it takes a verdict on newer decisions than "
        f"those of {judged}, this one is of {as_of}"
        f"{' on the same rows' if holdout == back.holdout else ''}"
    )


def moment(step: Step) -> str:
    """When it happened, in words."""
    return f"{step.promoted_at:%Y-%m-%d %H:%M:%S} UTC"
