"""A mapping proposed from a sample of a log, with what is sure, unsure and missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from nextbest.data.own_log.choices import propose_choice
from nextbest.data.own_log.columns import Facts, facts_of
from nextbest.data.own_log.effects import free_name, kind_name, propose_outcomes
from nextbest.data.own_log.files import EMPTY, Dialect
from nextbest.data.own_log.names import AFTER, PREDICTED
from nextbest.data.own_log.proposed import Proposal
from nextbest.data.own_log.reading import RESERVED
from nextbest.data.own_log.roles import Roles, find_roles

MOST_ATTRIBUTES, MOST_LEVELS = 40, 50


def propose(sample: pa.Table, dialect: Dialect) -> Proposal:
    """Propose a mapping from some rows of a log.

    `missing` is what off-policy evaluation needs and the log lacks: then the mapping does not
    ingest, or only once somebody fills it in.
    """
    facts, refused = facts_of(sample, dialect)
    roles = find_roles(facts)
    made = Proposal({}, roles, left_out=refused)
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
    if roles.action is None:
        made.missing.append(
            "what was chosen: no column looks like an action or treatment; name it as "
            "decisions.action_id"
        )
        decisions["action_id"] = "?"
    else:
        propose_choice(decisions, facts, roles, attributes, made)
    for name, told in (("policy", "policy"), ("control", "control_group")):
        if getattr(roles, name) is not None:
            decisions[told] = getattr(roles, name)
            made.found.append(f"{told}: {getattr(roles, name)}")
    order = ("decision_id", "customer_id", "decided_at", "action_id", "channel", "eligible",
             "propensity", "policy", "control_group")  # fmt: skip
    made.mapping["log"] = _log(dialect, facts, roles)
    made.mapping["decisions"] = {name: decisions[name] for name in order if name in decisions}
    made.mapping["outcomes"] = propose_outcomes(facts, roles, made)
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


def _log(dialect: Dialect, facts: Mapping[str, Facts], roles: Roles) -> dict[str, Any]:
    plain = Dialect(format=dialect.format)
    told = {"format": dialect.format}
    for name in ("encoding", "delimiter", "skip", "header", "decimal"):
        if getattr(dialect, name) != getattr(plain, name):
            told[name] = getattr(dialect, name)
    if roles.decided_at is not None and any(
        each == "iso" or "%" in each for each in facts[roles.decided_at].formats
    ):
        told["time_zone"] = dialect.time_zone
    if dialect.empty != EMPTY:
        told["empty"] = list(dialect.empty)
    if roles.alone is not None:
        told["numbers"] = [roles.alone]
    return told


def _attributes(
    facts: Mapping[str, Facts], roles: Roles, made: Proposal
) -> dict[str, tuple[str, str]]:
    """The columns that may tell customers apart, by a free name: (column, kind)."""
    found: dict[str, tuple[str, str]] = {}
    taken = {*RESERVED, *(kind_name(facts[name]) for name in roles.outcomes)}
    for name, each in facts.items():
        count = each.text.nunique()
        if name in roles.taken:
            continue
        why = None
        if count < 2:
            why = "always the same" if count else "always empty"
        elif AFTER.search(each.word) or PREDICTED.search(each.word):
            why = "may have come after the decision, by its name"
        elif each.number is not None and each.whole and count == each.text.notna().sum():
            why = "a number of the row"
        elif each.listed:
            why = "lists or objects"
        elif each.number is None and each.time is not None:
            why = "a time"
        elif _of_the_action(each, facts, roles):
            why = "always the same for an action, so it is the action's own"
        elif each.number is None and count > MOST_LEVELS:
            why = f"{count} different texts in the sample"
        elif len(found) == MOST_ATTRIBUTES:
            why = f"the {MOST_ATTRIBUTES} before it are enough to begin with"
        if why is not None:
            made.left_out.append(f"{name}: {why}")
            continue
        free = free_name(each.word, found, taken)
        found[free] = (name, "text" if each.number is None else "number")
    return found


def _of_the_action(each: Facts, facts: Mapping[str, Facts], roles: Roles) -> bool:
    """Whether the action alone settles it: then it says nothing of the customer."""
    if roles.action is None:
        return False
    return bool((each.text.groupby(facts[roles.action].text).nunique() <= 1).all())


def _time(
    decisions: dict[str, Any], facts: Mapping[str, Facts], roles: Roles, made: Proposal
) -> None:
    if roles.decided_at is None:
        decisions["decided_at"] = {"dealt_from": "2026-01-01", "days": 14}
        made.unsure.append(
            "decided_at: the log tells no time that can be read; rows are dealt over 14 days by a "
            "hash, which is right only if all of them were drawn alike"
        )
        return
    each = facts[roles.decided_at]
    decisions["decided_at"] = {"column": each.name, "formats": list(each.formats)}
    known = each.time.dropna()
    made.found.append(
        f"decided_at: {each.name} as {' or '.join(each.formats)}, from {known.min():%Y-%m-%d} to "
        f"{known.max():%Y-%m-%d} in the sample"
    )
    made.unsure += [f"decided_at: {doubt}" for doubt in each.doubts]
    if (
        any(name == "iso" or "%" in name for name in each.formats)
        and not each.text.dropna().str.contains(r"(?:Z|[+-]\d{2}:?\d{2})$", regex=True).all()
    ):
        made.unsure.append("log.time_zone: times have no offset; they are taken as UTC")


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
