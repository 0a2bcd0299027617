"""A mapping proposed from a sample of a log, with what is sure, unsure and missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from nextbest.data.own_log.choices import propose_choice
from nextbest.data.own_log.columns import Facts, comes_with, facts_of
from nextbest.data.own_log.effects import propose_outcomes
from nextbest.data.own_log.files import EMPTY, Dialect
from nextbest.data.own_log.names import (
    AFTER,
    BEFORE,
    BORN,
    DATED,
    PREDICTED,
    RESERVED,
    free_name,
    kind_name,
    rank,
    word,
)
from nextbest.data.own_log.proposal import Proposal
from nextbest.data.own_log.roles import ALL, Roles, find_roles
from nextbest.data.own_log.values import OFFSET

MOST_ATTRIBUTES, MOST_LEVELS = 40, 50
KINDS = 20  # most kinds of events
CHANCE = 0.001  # of rows that all are where an outcome is, if they had nothing to do with it
LARGE = 1e8  # a number of seconds: a day of the week, or an age, is smaller
DIGITS = 4  # of a time in text, at least: week 3 has fewer
_SHOWN = {"impression", "view", "viewed", "shown", "show", "sent", "send", "served", "delivered",
          "display", "received"}  # fmt: skip
_THEN = {"click", "clicked", "conversion", "purchase", "open", "opened", "order", "converted",
         "completed", "transaction"}  # fmt: skip


def propose(sample: pa.Table, dialect: Dialect) -> Proposal:
    """Propose a mapping from some rows of a log.

    `missing` is what off-policy evaluation needs and the log lacks: then the mapping does not
    ingest, or only once somebody fills it in.
    """
    facts, refused = facts_of(sample, dialect)
    roles = find_roles(facts)
    made = Proposal(left_out=refused)
    decisions: dict[str, Any] = {}
    if not dialect.header:
        made.missing.append(
            "names of the columns: the log has no header, so what they are can't be told; write "
            "one above it, or a mapping by hand with column_1, column_2, …"
        )
    attributes = _attributes(facts, roles, made)
    for name, told in (("decision", "decision_id"), ("customer", "customer_id")):
        column = getattr(roles, name)
        if column is None:
            made.found.append(f"{told}: none; every row is one of its own, by its number")
        else:
            decisions[told] = column
            made.found.append(f"{told}: {column}")
    _time(decisions, facts, roles, made)
    _one_row_each(facts, roles, made)
    if roles.action is None:
        made.missing.append(_no_action(facts, roles))
        decisions["action_id"] = "?"
    else:
        propose_choice(decisions, facts, roles, attributes, made)
        attributes = {n: told for n, told in attributes.items() if told[0] not in made.numbers}
    for name, told in (("policy", "policy"), ("control", "control_group")):
        if getattr(roles, name) is not None:
            decisions[told] = getattr(roles, name)
            made.found.append(f"{told}: {getattr(roles, name)}")
    order = ("decision_id", "customer_id", "decided_at", "action_id", "channel", "eligible",
             "propensity", "policy", "control_group")  # fmt: skip
    outcomes = propose_outcomes(facts, roles, made)
    made.mapping["log"] = _log(dialect, facts, roles, made)
    made.mapping["decisions"] = {name: decisions[name] for name in order if name in decisions}
    made.mapping["outcomes"] = outcomes
    if attributes:
        made.mapping["customers"] = {
            free: kind if free == name else {"column": name, "kind": kind}
            for free, (name, kind) in attributes.items()
        }
        made.unsure.append(
            f"{len(attributes)} columns are taken as customers' attributes: take out of "
            "`customers` whatever was not known before the decision"
        )
        _varying(facts, roles, attributes, made)
    return made


def _one_row_each(facts: Mapping[str, Facts], roles: Roles, made: Proposal) -> None:
    """Say so where rows are events or candidates, and not decisions."""
    if roles.repeated is not None:
        text = facts[roles.repeated].text
        made.missing.append(
            f"one row for each decision: {roles.repeated} has {text.nunique():,} values in "
            f"{len(text):,} rows, so a row is an event or a candidate: join them to one row with "
            "what was chosen and what came of it"
        )
    elif roles.decision is not None and not facts[roles.decision].text.is_unique:
        made.unsure.append(
            f"decision_id: {roles.decision} is on several rows here and there, which are rejected"
        )
    for name, each in facts.items():
        if not 2 <= len(each.levels) <= KINDS or roles.decision is not None:
            continue
        said = {part for level in each.levels for part in word(level).split("_")}
        if _SHOWN & said and _THEN & said:
            made.missing.append(
                f"one row for each decision: {name} tells what happened "
                f"({', '.join(each.levels[:5])}), so a row is an event: join those of one decision"
            )


def _no_action(facts: Mapping[str, Facts], roles: Roles) -> str:
    told = "no column looks like an action or treatment"
    for name, each in facts.items():
        named = name not in roles.taken and rank("action", each.word) is not None
        if named and len(each.levels) == 1:
            told = f"{name} is always '{each.levels[0]}', so there is nothing to compare"
    return f"what was chosen: {told}; name it as decisions.action_id"


def _log(
    dialect: Dialect, facts: Mapping[str, Facts], roles: Roles, made: Proposal
) -> dict[str, Any]:
    plain = Dialect(format=dialect.format)
    told = {"format": dialect.format}
    for name in ("encoding", "delimiter", "skip", "header", "decimal"):
        if getattr(dialect, name) != getattr(plain, name):
            told[name] = getattr(dialect, name)
    if roles.decided_at is not None and any(
        each == "iso" or "%" in each for each in facts[roles.decided_at].formats.names
    ):
        told["time_zone"] = dialect.time_zone
    if dialect.empty != EMPTY:
        told["empty"] = list(dialect.empty)
    if made.numbers:
        told["numbers"] = list(dict.fromkeys(made.numbers))
    return told


def _attributes(
    facts: Mapping[str, Facts], roles: Roles, made: Proposal
) -> dict[str, tuple[str, str]]:
    """The columns that may tell customers apart, by a free name: (column, kind)."""
    found: dict[str, tuple[str, str]] = {}
    taken = {*RESERVED, *(kind_name(facts[n].word) for n in (*roles.outcomes, *roles.unwished))}
    if roles.alone is not None:
        taken.add(kind_name(facts[roles.alone].word))
    for name, each in facts.items():
        count = each.text.nunique()
        if name in roles.taken:
            continue
        why = None
        after = AFTER.search(each.word) or rank("outcome", each.word) is not None
        if count < 2:
            why = "always the same" if count else "always empty"
        elif PREDICTED.search(each.word):
            why = "a model's word on what will come, by its name"
        elif after and not BEFORE.search(each.word):
            why = "may have come after the decision, by its name"
        elif (came := _came_with(each, facts, roles)) is not None:
            why = f"is there only where {came} is, so it came after the decision"
        elif each.whole and count >= ALL * each.text.notna().sum():
            why = "a number of the row"
        elif each.listed:
            why = "lists or objects"
        elif each.number is None and each.time is not None:
            why = "a time"
        elif roles.action is not None and facts[roles.action].settles(each):
            why = "always the same for an action, so it is the action's own"
        elif each.number is None and count > MOST_LEVELS:
            why = f"{count} different texts in the sample"
        elif len(found) == MOST_ATTRIBUTES:
            why = f"the {MOST_ATTRIBUTES} before it are enough to begin with"
        if why is not None:
            made.left_out.append(f"{name}: {why}")
            continue
        free = free_name(each.word, {*found, *taken})
        found[free] = (name, "text" if each.number is None else "number")
    return found


def _came_with(each: Facts, facts: Mapping[str, Facts], roles: Roles) -> str | None:
    """The outcome without which a column has (nearly) always the same value."""
    unusual = each.unusual
    for name in (*roles.outcomes, *roles.unwished, *filter(None, [roles.alone])):
        happened = np.nan_to_num(facts[name].number) != 0
        if comes_with(unusual, happened) and happened.mean() ** unusual.sum() < CHANCE:
            return name
    return None


def _time(
    decisions: dict[str, Any], facts: Mapping[str, Facts], roles: Roles, made: Proposal
) -> None:
    if roles.decided_at is None:
        decisions["decided_at"] = {"dealt_from": "2026-01-01", "days": 14}
        if (unread := _unread_time(facts)) is not None:
            made.missing.append(unread)
            return
        made.unsure.append(
            "decided_at: the log tells no time that can be read; rows are dealt over 14 days by a "
            "hash, which is right only if all of them were drawn alike"
        )
        return
    each = facts[roles.decided_at]
    names = each.formats.names
    decisions["decided_at"] = {"column": each.name, "formats": list(names)}
    known = each.time.dropna()
    made.found.append(
        f"decided_at: {each.name} as {' or '.join(names)}, from {known.min():%Y-%m-%d} to "
        f"{known.max():%Y-%m-%d} in the sample"
    )
    made.unsure += [f"decided_at: {doubt}" for doubt in each.formats.doubts]
    if each.formats.torn is not None:
        made.missing.append(f"one order of days and months in {each.name}: {each.formats.torn}")
    if (
        any(name == "iso" or "%" in name for name in names)
        and not each.text.dropna().str.contains(OFFSET, regex=True).all()
    ):
        made.unsure.append("log.time_zone: times have no offset; they are taken as UTC")


def _unread_time(facts: Mapping[str, Facts]) -> str | None:
    """A column named like a time that can't be read as one: rows are not dealt then."""
    for name, each in facts.items():
        named = rank("time", each.word) is not None and not BORN.search(each.word)
        if each.time is not None or not named or each.text.nunique() < 2 or each.flag:
            continue
        large = len(each.known) > 0 and float(np.median(each.known)) > LARGE
        counted = each.number is not None and (large or DATED.search(each.word) is not None)
        text = each.number is None and each.text.dropna().str.count(r"\d").median() >= DIGITS
        if text or counted:
            how = (
                'as "seconds_since <day>" if it counts them' if counted else "as strptime has them"
            )
            return (
                f"when: {name} is named like a time, but is read in {each.formats.share:.0%} of "
                f"its values only ({', '.join(each.levels[:3])}, …): name its formats in "
                f"decisions.decided_at, {how}, or write decided_at: "
                "{dealt_from: 2026-01-01, days: 14} if all rows were drawn alike"
            )
    return None


def _varying(
    facts: Mapping[str, Facts],
    roles: Roles,
    attributes: Mapping[str, tuple[str, str]],
    made: Proposal,
) -> None:
    if roles.customer is None:
        return
    who = facts[roles.customer].text
    moved = [
        name
        for name, (column, _) in attributes.items()
        if (facts[column].text.groupby(who).nunique() > 1).any()
    ]
    if moved:
        made.unsure.append(
            f"{', '.join(moved[:5])}{', …' if len(moved) > 5 else ''} change within a customer: "
            "what counts is the first decision's value; later ones would tell the future. Leave "
            "customer_id out to have every row as it was (then a customer has no history)"
        )
