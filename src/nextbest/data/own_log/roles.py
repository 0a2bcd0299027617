"""Which column of a log is what: by its name, and by what it holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from nextbest.data.own_log.columns import Facts, comes_with
from nextbest.data.own_log.names import (
    AFTER,
    BEFORE,
    BORN,
    CONTROL,
    COST,
    ITSELF,
    PREDICTED,
    SINGLE,
    UNWISHED,
    rank,
)

FEW, CHANNELS = 20, 50  # most policies, most channels
ALL = 0.99  # share of rows that an id must be different in, but for lines that came twice
OFTEN = 0.2  # share of rows without money, where money is what came of it


@dataclass(frozen=True)
class Roles:
    """The columns by what they are; None where there is none. `money` and `seen` go by outcome.

    `chances` are those named like a propensity, the likeliest first. `repeated` is an id of
    decisions that is on several rows. `alone` is a number that is no 0/1, where there is no other
    outcome; `unwished` are outcomes that nobody hopes for. `eligible` is as the mapping has it.
    """

    decided_at: str | None = None
    chances: tuple[str, ...] = ()
    action: str | None = None
    channel: str | None = None
    decision: str | None = None
    repeated: str | None = None
    customer: str | None = None
    eligible: Mapping[str, str] | None = None
    policy: str | None = None
    control: str | None = None
    outcomes: tuple[str, ...] = ()
    unwished: tuple[str, ...] = ()
    money: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)
    alone: str | None = None

    @property
    def taken(self) -> set[str]:
        """Every column that has a role."""
        eligible = None if self.eligible is None else self.eligible["column"]
        single = (eligible, self.decided_at, self.action, self.channel, self.decision,
                  self.repeated, self.customer, self.policy, self.control,
                  self.alone)  # fmt: skip
        several = (*self.chances, *self.outcomes, *self.unwished, *self.money.values(),
                   *self.seen.values())  # fmt: skip
        return {name for name in (*single, *several) if name is not None}


def find_roles(facts: Mapping[str, Facts]) -> Roles:
    """The columns by what they are, each with one role at most."""
    roles = Roles(chances=_chance_columns(facts))
    roles = replace(roles, decided_at=_decided_at(facts))
    came = _outcomes(facts, roles)
    unwished = tuple(name for name in came if UNWISHED.search(facts[name].word))
    roles = replace(roles, outcomes=tuple(n for n in came if n not in unwished), unwished=unwished)
    roles = replace(roles, action=_action(facts, roles))
    if roles.action is not None:  # what the action alone settles did not come of it
        settled = {n for n in roles.outcomes if facts[roles.action].settles(facts[n])}
        roles = replace(roles, outcomes=tuple(n for n in roles.outcomes if n not in settled))
    roles = _outcome_details(facts, roles)
    roles = replace(roles, control=_named(facts, "control", roles, lambda f: f.binary))
    if roles.action is not None:
        roles = replace(roles, channel=_named(facts, "channel", roles, _few(CHANNELS)))
    roles = _decision(facts, roles)
    roles = replace(roles, customer=_named(facts, "customer", roles, _several))
    roles = replace(roles, policy=_named(facts, "policy", roles, _few(FEW)))
    return roles if roles.action is None else replace(roles, eligible=_eligible(facts, roles))


def _named(
    facts: Mapping[str, Facts], role: str, roles: Roles, fits: Callable[[Facts], bool]
) -> str | None:
    """The free column whose name fits a role best, of those whose values can be it."""
    found = [
        (at, name)
        for name, each in facts.items()
        if name not in roles.taken and (at := rank(role, each.word)) is not None and fits(each)
    ]
    return min(found, key=lambda pair: pair[0])[1] if found else None


def _few(most: int) -> Callable[[Facts], bool]:
    return lambda facts: 1 <= facts.text.nunique() <= most and not facts.fraction


def _several(facts: Facts) -> bool:
    return facts.text.nunique() > 1 and not facts.fraction


def _chance_columns(facts: Mapping[str, Facts]) -> tuple[str, ...]:
    found = [
        (at, name)
        for name, each in facts.items()
        if (at := rank("propensity", each.word)) is not None
        and not PREDICTED.search(each.word)
        and each.time is None
        and not each.flag
        and (each.listed or each.garbled or len(each.known) > 0)
    ]
    return tuple(name for _, name in sorted(found, key=lambda pair: pair[0]))


def _decided_at(facts: Mapping[str, Facts]) -> str | None:
    """A time that nearly every row has; the earliest one, where names do not tell."""
    found = []
    for name, each in facts.items():
        at = rank("time", each.word)
        if each.time is None or each.time.notna().mean() < 0.9 or BORN.search(each.word):
            continue
        # Numbers of that size are not always times, but days like 20260131 are.
        if each.number is not None and at is None and each.formats.names != ("%Y%m%d",):
            continue
        late = bool(AFTER.search(each.word)) and "impression" not in each.word
        late = late or bool(BEFORE.search(each.word))
        found.append((late, 99 if at is None else at, each.time.min(), name))
    return min(found)[3] if found else None


def _outcomes(facts: Mapping[str, Facts], roles: Roles) -> tuple[str, ...]:
    no = r"treat|control|group|(^|_)arm|exposure"
    return tuple(
        name
        for name, each in facts.items()
        if name not in roles.taken
        and each.flag
        and (rank("outcome", each.word) is not None or UNWISHED.search(each.word))
        and not re.search(no, each.word)
        and not BEFORE.search(each.word)
    )


def _outcome_details(facts: Mapping[str, Facts], roles: Roles) -> Roles:
    """Money and times that are there only where an outcome is; else what a number may tell."""
    money: dict[str, str] = {}
    seen: dict[str, str] = {}
    rarest = sorted(roles.outcomes, key=lambda name: np.nansum(facts[name].number))
    for name, each in facts.items():
        if name in roles.taken:
            continue
        for outcome in rarest:
            happened = facts[outcome].number == 1
            if each.time is not None and outcome not in seen:
                there = each.time.notna().to_numpy()
                if comes_with(there, happened):
                    seen[outcome] = name
                    break
            elif each.number is not None and outcome not in money and not each.binary:
                paid = np.nan_to_num(each.number) != 0
                named = rank("money", each.word) is not None and not COST.search(each.word)
                if named and comes_with(paid, happened):
                    money[outcome] = name
                    break
    roles = replace(roles, money=money, seen=seen)
    return roles if roles.outcomes else replace(roles, alone=_alone(facts, roles))


def _alone(facts: Mapping[str, Facts], roles: Roles) -> str | None:
    """A number that tells what came of it: a cost, a rating, a reward, money."""
    action = None if roles.action is None else facts[roles.action]

    def fits(each: Facts) -> bool:
        told = BEFORE.search(each.word) or PREDICTED.search(each.word) or "action" in each.word
        several = len(each.known) > 0 and each.time is None and each.text.nunique() > 1
        return several and not told and not (action is not None and action.settles(each))

    def paid(each: Facts) -> bool:  # for most it is nothing; an income, or a price, never is
        return fits(each) and np.mean(~(np.nan_to_num(each.number) != 0)) >= OFTEN

    for name, each in facts.items():
        named = COST.search(each.word) or re.search(r"rating|stars|reward|label", each.word)
        if named and name not in roles.taken and fits(each):
            return name
    return _named(facts, "outcome", roles, fits) or _named(facts, "money", roles, paid)


def _action(facts: Mapping[str, Facts], roles: Roles) -> str | None:
    """What was chosen: several values, none of them measured; one with a control group first."""
    found = []
    for name, each in facts.items():
        count, at = each.text.nunique(), rank("action", each.word)
        if name in roles.taken or count < 2 or each.fraction or each.listed:
            continue
        controlled = any(CONTROL.fullmatch(level) for level in each.levels[:50])
        if at is None and (not controlled or each.time is not None):
            continue
        if each.word.endswith("segment") and not controlled:  # a customer's, rather
            continue
        many = count > max(0.5 * len(each.text), 10)
        if many and not re.search(r"item|product|movie|video|action", each.word):
            continue
        found.append((not controlled, 99 if at is None else at, name))
    return min(found)[2] if found else None


def _decision(facts: Mapping[str, Facts], roles: Roles) -> Roles:
    """What is different in every row; or else should be, by its name, and is not."""

    def distinct(each: Facts) -> float:
        return each.text.nunique() / max(len(each.text), 1)

    def identity(each: Facts) -> bool:
        if rank("customer", each.word) is not None or each.fraction or each.gaps:
            return False
        return each.text.is_unique or (
            re.search(ITSELF, each.word) is not None and distinct(each) >= ALL
        )

    def several(each: Facts) -> bool:
        many = re.search(SINGLE, each.word) is not None and distinct(each) > 1 - ALL
        return many and not each.fraction and each.text.nunique() > FEW

    found = _named(facts, "decision", roles, identity)
    if found is not None:
        return replace(roles, decision=found)
    return replace(roles, repeated=_named(facts, "decision", roles, several))


def _eligible(facts: Mapping[str, Facts], roles: Roles) -> dict[str, str] | None:
    """A column whose lists nearly always hold what was chosen, as action or as treatment."""
    chosen = {"actions": facts[roles.action].text[:2000].astype(str)}
    if roles.channel is not None:
        channel = facts[roles.channel].text[:2000].astype(str)
        none = chosen["actions"].where(chosen["actions"] == "none")
        chosen["treatments"] = none.fillna(chosen["actions"] + ":" + channel)
    for name, each in facts.items():
        if name in roles.taken or each.number is not None:
            continue
        if not each.listed and rank("eligible", each.word) is None:
            continue
        for separator in (None,) if each.listed else ("|", ";", ",", "/", " "):
            pattern = r"[\s,\[\]()\"']+" if separator is None else re.escape(separator)
            sets = [{part.strip() for part in re.split(pattern, str(t))} for t in each.text[:2000]]
            if max(map(len, sets), default=0) < 2:
                continue
            for of, choices in chosen.items():
                inside = [c.strip() in s for c, s in zip(choices, sets, strict=True)]
                if np.mean(inside) >= 0.95:
                    told = {"column": name, "separator": separator, "of": of}
                    return {k: v for k, v in told.items() if v not in (None, "actions")}
    return None
