"""From a verdict to an alias: what counts as evidence, and the one step back."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping

from nextbest.errors import DataError
from nextbest.platforms.releases import FORCE, PROMOTE, ROLL_BACK, Releases, Step
from nextbest.registry.ledger import CHAMPION, PREVIOUS, line, newest, refused
from nextbest.registry.promotion import Order, carry_out, settle
from nextbest.registry.verdicts import LOGGING, Recorded


class NotReleased(DataError):
    """A version has not the evidence that its release takes; the message says what is lacking."""


def lacking(
    recorded: Recorded | None, version: str, champion: str | None, as_of: dt.date
) -> str | None:
    """Why a verdict can't be used today: there is none, of another champion, of an earlier day."""
    if recorded is None:
        return "it has no whole verdict"
    against = LOGGING if champion in (None, version) else champion
    if recorded.against != against:
        return f"its verdict is against {_words(recorded.against)}, not {_words(against)}"
    if recorded.as_of < as_of:
        return f"its verdict is of {recorded.as_of}, not of {as_of}"
    return None


def release(
    releases: Releases,
    model: str,
    version: str,
    to_alias: str,
    recorded: Recorded,
    *,
    from_alias: str | None = None,
    reason: str = "",
    commit: str | None = None,
    more: Mapping[str, str] | None = None,
) -> Step | None:
    """Move an alias on the evidence of a verdict; None where it is there already.

    `more` goes to the ledger beside the verdict. Raises NotReleased for a verdict that did not
    pass, or of the rows on which the version was rolled back; PromotionLost where the champion is
    no longer the one that the verdict was against; PlatformError as `carry_out` does.
    """
    if not recorded.passed:
        raise NotReleased(f"{model} version {version} is not released: {recorded.text}")
    steps = settle(releases, model)
    if releases.aliases.of(model).get(to_alias) == version:
        return None
    if problem := refused(steps, version, recorded.as_of, recorded.holdout):
        raise NotReleased(
            f"{model}: {problem}; or `dbb promote-model {model} --version {version} --force "
            "--reason …`"
        )
    against = None if recorded.against == LOGGING else recorded.against
    told = {"verdict": recorded.text, "against": recorded.against, **(more or {})}
    return carry_out(
        releases,
        Order(
            model, version, to_alias,
            expected=against if to_alias == CHAMPION else releases.aliases.of(model).get(to_alias),
            action=PROMOTE, from_alias=from_alias,
            reason=reason or recorded.text.partition(". ")[0],
            evidence=json.dumps(told), as_of=recorded.as_of, holdout=recorded.holdout,
            commit=commit,
        ),
    )  # fmt: skip


def force(
    releases: Releases,
    model: str,
    version: str,
    to_alias: str,
    recorded: Recorded | None,
    *,
    from_alias: str | None,
    reason: str,
    commit: str | None,
) -> Step | None:
    """Move an alias without evidence; the verdict there is, if any, goes to the ledger, too."""
    settle(releases, model)
    told = None if recorded is None else {
        "passed": recorded.passed, "verdict": recorded.text, "against": recorded.against,
    }  # fmt: skip
    return carry_out(
        releases,
        Order(
            model, version, to_alias,
            expected=releases.aliases.of(model).get(to_alias), action=FORCE,
            from_alias=from_alias, reason=reason, evidence=json.dumps(told),
            as_of=recorded and recorded.as_of, holdout=recorded and recorded.holdout,
            commit=commit,
        ),
    )  # fmt: skip


def roll_back(
    releases: Releases, model: str, as_of: dt.date, *, reason: str = "", commit: str | None = None
) -> Step:
    """Make the champion of before the champion again: one step, and a step further each time.

    The version that is left stays on the ledger with `as_of`: it is released again only on newer
    decisions. Raises DataError where there is no champion, or none before.
    """
    order = step_back(releases, model, as_of, reason=reason, commit=commit)
    done = carry_out(releases, order)
    if done is None:  # another rolled back between my two looks
        raise DataError(f"{model} was rolled back to version {order.version} by another meanwhile")
    return done


def step_back(
    releases: Releases, model: str, as_of: dt.date, *, reason: str = "", commit: str | None = None
) -> Order:
    """The rollback that there is to do."""
    steps = settle(releases, model)
    aliases = releases.aliases.of(model)
    champion, before = aliases.get(CHAMPION), line(steps)
    if champion is None:
        raise DataError(f"{model} has no champion, so there is nothing to roll back")
    if newest(steps, CHAMPION) is None:  # of before there was a ledger
        before = [version for version in (aliases.get(PREVIOUS), champion) if version]
    if len(before) < 2:
        raise DataError(
            f"{model}: no champion before version {champion} is on the ledger; name a version: "
            f"`dbb promote-model {model} --version N`"
        )
    promoted = next(
        (s for s in reversed(steps) if s.version == champion and s.to_alias == CHAMPION), None
    )
    return Order(
        model, before[-2], CHAMPION, expected=champion, action=ROLL_BACK,
        previous_champion=before[-3] if len(before) > 2 else None, reason=reason,
        as_of=max(as_of, promoted.as_of) if promoted and promoted.as_of else as_of,
        holdout=promoted and promoted.holdout, commit=commit,
    )  # fmt: skip


def _words(against: str) -> str:
    return "the policy that wrote the log" if against == LOGGING else f"version {against}"
