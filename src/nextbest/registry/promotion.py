"""Moving an alias so that of two who try one wins, and that a kill leaves nothing in between.

A change is a row on the ledger before it and one after. The row before takes the model's next
number, which only one can get; who has it moves the alias. A change that nobody ended is completed
by whoever comes next: moving an alias to the same version twice does no harm. What is guaranteed
on which platform stands in docs/decisions/0019-releases.md.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from contextlib import suppress
from dataclasses import dataclass

from nextbest.errors import PlatformError
from nextbest.platforms.releases import ABANDONED, DONE, FOUND, INTENDED, PROMOTE, Releases, Step
from nextbest.registry.ledger import CHAMPION, PREVIOUS, moment, newest, open_intent, standing

ATTEMPTS = 20  # each of them lost to somebody else's change of the same model


class PromotionLost(PlatformError):
    """Somebody else moved the alias first; the message says who."""


@dataclass(frozen=True)
class Order:
    """A change of an alias that somebody wants: `expected` is the version that it shall replace.

    previous_champion: what that alias holds after it, for a rollback; else it is `expected`.
    """

    model: str
    version: str
    to_alias: str
    expected: str | None
    action: str = PROMOTE
    from_alias: str | None = None
    previous_champion: str | None = None
    reason: str = ""
    evidence: str = ""
    as_of: dt.date | None = None
    holdout: str | None = None
    commit: str | None = None


def carry_out(releases: Releases, order: Order) -> Step | None:
    """Compare and set: move the alias if it still is where the order expects it.

    Returns the ledger's row, or None when the alias is at that version already. Raises
    PromotionLost where it is elsewhere, PlatformError for a version that can't be used and for a
    registry that refuses; the alias is then where it was, and the ledger says so.
    """
    for _ in range(ATTEMPTS):
        steps = settle(releases, order.model)
        now = releases.aliases.of(order.model).get(order.to_alias)
        if now == order.version:
            return None
        if now != order.expected:
            raise PromotionLost(_lost(order, now, releases.ledger.steps(order.model)))
        if problem := releases.aliases.missing(order.model, order.version):
            raise PlatformError(
                f"{order.model} version {order.version}: {problem}; no alias was moved"
            )
        intent = _intent(releases, order, steps)
        if releases.ledger.append(intent):
            return _finish(releases, intent)
    raise PromotionLost(
        f"{order.model}: others changed its aliases {ATTEMPTS} times meanwhile, so nothing was "
        "changed; see `dbb history`, then run this again"
    )


def settle(releases: Releases, model: str) -> list[Step]:
    """Complete what a killed command left, note what moved outside; then all rows of the model."""
    for _ in range(ATTEMPTS):
        steps = releases.ledger.steps(model)
        begun = open_intent(steps)
        if begun is not None:
            problem = begun.action != FOUND and releases.aliases.missing(model, begun.version)
            if problem:
                _end(releases, begun, ABANDONED, problem)
            else:
                _move(releases, begun)  # who may not do that must not give up what others began
                _done(releases, begun)
            continue
        told, now = standing(steps), releases.aliases.of(model)
        if PREVIOUS in told and now.get(PREVIOUS) != told[PREVIOUS] and (
            now.get(CHAMPION) == told[CHAMPION]
        ):  # fmt: skip
            releases.aliases.move(model, PREVIOUS, told[PREVIOUS])
            continue
        moved = [a for a in told if a != PREVIOUS and now.get(a) != told[a]]
        if not moved:
            return steps
        _note(releases, model, moved[0], now.get(moved[0]), steps)
    raise PromotionLost(f"{model}: its aliases do not come to rest; see `dbb history`")


def follow(releases: Releases, model: str, endpoint: str) -> str | None:
    """Let an endpoint that serves this model serve its champion; the version, where it changed.

    One that was never deployed, or serves another model, is left alone.
    """
    changed = None
    for _ in range(ATTEMPTS):
        champion = releases.aliases.of(model).get(CHAMPION)
        served = releases.serving.served(endpoint)
        if served is None or champion is None or served.model_name != model:
            return changed
        if served.version == champion:
            return changed
        releases.serving.deploy(endpoint, model, champion)
        changed = champion
    return changed


def _intent(releases: Releases, order: Order, steps: list[Step]) -> Step:
    """The row that is written before anything moves."""
    given = {
        field.name: getattr(order, field.name)
        for field in dataclasses.fields(Order)
        if field.name != "expected"
    }
    if order.to_alias == CHAMPION and order.action != "roll back":
        given["previous_champion"] = order.expected
    return Step(
        **given,
        sequence=_next(steps),
        state=INTENDED,
        promotion_id=uuid.uuid4().hex,
        promoted_at=dt.datetime.now(dt.UTC),
        promoted_by=releases.who(),
        previous_version=order.expected,
    )


def _next(steps: list[Step]) -> int:
    return max((each.sequence for each in steps), default=0) + 1


def _finish(releases: Releases, intent: Step) -> Step:
    """Move what the intent says, and write that it is done."""
    try:
        _move(releases, intent)
    except PlatformError as error:
        if not _moved_anyway(releases, intent, error):
            if _end(releases, intent, ABANDONED, str(error)):
                with suppress(PlatformError):  # then who comes next does it
                    _agree(releases, intent.model)
            raise
    _done(releases, intent)
    last = [s for s in releases.ledger.steps(intent.model) if s.sequence == intent.sequence][-1]
    if last.state == ABANDONED:
        raise PlatformError(
            f"{intent.model}@{intent.to_alias} was given up by another: {last.reason}"
        )
    return last


def _done(releases: Releases, intent: Step) -> None:
    """Write that it is done; where another ended it, what was moved may be old by now."""
    if not _end(releases, intent, DONE, intent.reason):
        _agree(releases, intent.model)


def _move(releases: Releases, step: Step) -> None:
    if step.action == FOUND:
        return
    if step.to_alias == CHAMPION:
        releases.aliases.move(step.model, PREVIOUS, step.previous_champion)
    releases.aliases.move(step.model, step.to_alias, step.version)


def _moved_anyway(releases: Releases, intent: Step, error: PlatformError) -> bool:
    """Whether the alias moved although the answer was an error, or got lost."""
    try:
        now = releases.aliases.of(intent.model)
    except PlatformError as again:
        raise PlatformError(
            f"{error}. Whether {intent.model}@{intent.to_alias} moved to version {intent.version} "
            "can't be seen now; the ledger keeps it open, and the next command completes it"
        ) from again
    return now.get(intent.to_alias) == intent.version


def _end(releases: Releases, intent: Step, state: str, reason: str) -> bool:
    """Write how a change ended, which stays that of who began it; whether it ended so."""
    me = releases.who()
    by = (
        ""
        if me == intent.promoted_by
        else f" ({'completed' if state == DONE else 'given up'} by {me})"
    )
    now = dt.datetime.now(dt.UTC)
    ended = dataclasses.replace(intent, state=state, reason=f"{reason}{by}", promoted_at=now)
    return releases.ledger.append(ended)


def _agree(releases: Releases, model: str) -> None:
    """Set the aliases to what the ledger says, until it says nothing newer."""
    seen = -1
    while True:
        steps = releases.ledger.steps(model)
        if len(steps) == seen or open_intent(steps) is not None:
            return  # who comes next completes it
        seen = len(steps)
        now = releases.aliases.of(model)
        for alias, version in standing(steps).items():
            if now.get(alias) != version:
                releases.aliases.move(model, alias, version)


def _note(
    releases: Releases, model: str, alias: str, version: str | None, steps: list[Step]
) -> None:
    """Put on the ledger that an alias was moved by something else."""
    before = newest(steps, alias)
    intent = Step(
        model=model,
        sequence=_next(steps),
        state=INTENDED,
        promotion_id=uuid.uuid4().hex,
        promoted_at=dt.datetime.now(dt.UTC),
        promoted_by=releases.who(),
        action=FOUND,
        version=version or "",
        to_alias=alias,
        previous_version=before.version if before else None,
        previous_champion=before.version or None if before and alias == CHAMPION else None,
        reason="moved outside of the ledger, by whom is not known; seen by who signs",
    )
    if releases.ledger.append(intent):
        _end(releases, intent, DONE, intent.reason)


def _lost(order: Order, now: str | None, steps: list[Step]) -> str:
    mine = [s for s in steps if s.to_alias == order.to_alias and s.state != ABANDONED]
    last, by = (mine[-1] if mine else None), ""
    if last is not None and last.version == now:
        why = f": {last.reason}" if last.reason else ""
        by = f" since {moment(last)} by {last.promoted_by} ({last.action}{why})"
    there = f"version {now}" if now else "at no version"
    instead = f"version {order.expected}" if order.expected else "none"
    return (
        f"{order.model}@{order.to_alias} is {there}{by}, and version {order.version} was to "
        f"replace {instead}: nothing was changed. Judge it against what is there now, by this "
        "command again"
    )
