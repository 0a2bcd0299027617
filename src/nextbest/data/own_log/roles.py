"""Which column of a log is what: by its name, and by what it holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from nextbest.data.own_log.columns import Facts
from nextbest.data.own_log.names import AFTER, CONTROL, PREDICTED, rank

FEW, CHANNELS = 20, 50  # most policies, most channels


@dataclass(frozen=True)
class Roles:
    """The columns by what they are; None where there is none. `money` and `seen` go by outcome.

    `of` says what an eligible set lists: actions or treatments. `alone` is a number that is no
    0/1, where there is no other outcome.
    """

    decided_at: str | None = None
    propensity: str | None = None
    action: str | None = None
    channel: str | None = None
    decision: str | None = None
    customer: str | None = None
    eligible: str | None = None
    separator: str | None = None
    of: str = "actions"
    policy: str | None = None
    control: str | None = None
    outcomes: tuple[str, ...] = ()
    money: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)
    alone: str | None = None

    @property
    def taken(self) -> set[str]:
        """Every column that has a role."""
        single = (self.decided_at, self.propensity, self.action, self.channel, self.decision,
                  self.customer, self.eligible, self.policy, self.control, self.alone)  # fmt: skip
        several = (*self.outcomes, *self.money.values(), *self.seen.values())
        return {name for name in (*single, *several) if name is not None}


def find_roles(facts: Mapping[str, Facts]) -> Roles:
    """The columns by what they are, each with one role at most."""
    roles = Roles(propensity=_propensity(facts))
    roles = replace(roles, decided_at=_decided_at(facts))
    roles = replace(roles, outcomes=_outcomes(facts, roles))
    roles = _outcome_details(facts, roles)
    roles = replace(roles, action=_action(facts, roles))
    roles = replace(roles, control=_named(facts, "control", roles, lambda f: f.binary))
    if roles.action is not None:
        roles = replace(roles, channel=_named(facts, "channel", roles, _few(CHANNELS)))
    roles = replace(roles, decision=_named(facts, "decision", roles, _identity))
    roles = replace(roles, customer=_named(facts, "customer", roles, _several))
    roles = replace(roles, policy=_named(facts, "policy", roles, _few(FEW)))
    return roles if roles.action is None else _eligible(facts, roles)


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
    return lambda facts: 1 <= facts.text.nunique() <= most and not _fraction(facts)


def _several(facts: Facts) -> bool:
    return facts.text.nunique() > 1 and not _fraction(facts)


def _identity(facts: Facts) -> bool:
    """Whether it is different in every row, and nobody's name by its own."""
    if rank("customer", facts.word) is not None:
        return False
    return facts.text.notna().all() and facts.text.is_unique and not _fraction(facts)


def _fraction(facts: Facts) -> bool:
    return facts.number is not None and not facts.whole


def _propensity(facts: Mapping[str, Facts]) -> str | None:
    def fits(each: Facts) -> bool:
        if each.number is None or each.binary or PREDICTED.search(each.word):
            return False
        known = each.number[np.isfinite(each.number)]
        return len(known) > 0 and float(np.mean((known > 0) & (known <= 1))) >= 0.9

    return _named(facts, "propensity", Roles(), fits)


def _decided_at(facts: Mapping[str, Facts]) -> str | None:
    """A time that nearly every row has; the earliest one, where names do not tell."""
    found = []
    for name, each in facts.items():
        at = rank("time", each.word)
        if each.time is None or each.time.notna().mean() < 0.9:
            continue
        if each.number is not None and at is None:  # numbers of that size are not always times
            continue
        late = bool(AFTER.search(each.word)) and "impression" not in each.word
        found.append((late, 99 if at is None else at, each.time.min(), name))
    return min(found)[3] if found else None


def _outcomes(facts: Mapping[str, Facts], roles: Roles) -> tuple[str, ...]:
    no = r"treat|control|group|(^|_)arm|exposure|prior|past|last|prev"
    return tuple(
        name
        for name, each in facts.items()
        if name not in roles.taken
        and each.binary
        and rank("outcome", each.word) is not None
        and not re.search(no, each.word)
    )


def _outcome_details(facts: Mapping[str, Facts], roles: Roles) -> Roles:
    """Money and times that are there only where an outcome is; else what a number may tell."""
    money: dict[str, str] = {}
    seen: dict[str, str] = {}
    rarest = sorted(roles.outcomes, key=lambda name: np.nanmean(facts[name].number))
    for name, each in facts.items():
        if name in roles.taken:
            continue
        for outcome in rarest:
            happened = facts[outcome].number == 1
            if each.time is not None and outcome not in seen:
                there = each.time.notna().to_numpy()
                if there.any() and not there[~happened].any():
                    seen[outcome] = name
                    break
            elif each.number is not None and outcome not in money and not each.binary:
                paid = np.nan_to_num(each.number) != 0
                named = rank("money", each.word) is not None
                if named and paid.any() and not paid[~happened].any():
                    money[outcome] = name
                    break
    roles = replace(roles, money=money, seen=seen)
    return roles if roles.outcomes else replace(roles, alone=_alone(facts, roles))


def _alone(facts: Mapping[str, Facts], roles: Roles) -> str | None:
    """A number that tells what came of it: a cost, a rating, a reward, money."""

    def fits(each: Facts) -> bool:
        return each.number is not None and each.time is None and len(np.unique(each.number)) > 1

    for name, each in facts.items():
        named = re.search(r"(^|_)cost$|rating|stars|score|reward|label", each.word)
        if named and fits(each) and name not in roles.taken and "action" not in each.word:
            return name
    return _named(facts, "outcome", roles, fits) or _named(facts, "money", roles, fits)


def _action(facts: Mapping[str, Facts], roles: Roles) -> str | None:
    """What was chosen: several values, none of them measured; one with a control group first."""
    found = []
    for name, each in facts.items():
        count, at = each.text.nunique(), rank("action", each.word)
        if name in roles.taken or count < 2 or _fraction(each) or each.listed:
            continue
        controlled = any(CONTROL.fullmatch(str(level)) for level in each.levels[:50])
        if at is None and (not controlled or each.time is not None):
            continue
        if each.word.endswith("segment") and not controlled:  # a customer's, rather
            continue
        many = count > max(0.5 * len(each.text), 10)
        if many and not re.search(r"item|product|movie|action", each.word):
            continue
        found.append((not controlled, 99 if at is None else at, name))
    return min(found)[2] if found else None


def _eligible(facts: Mapping[str, Facts], roles: Roles) -> Roles:
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
                    return replace(roles, eligible=name, separator=separator, of=of)
    return roles
