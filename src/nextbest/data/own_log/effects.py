"""What came of decisions: outcomes proposed from a sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nextbest.data.own_log.columns import Facts
from nextbest.data.own_log.names import AFTER, COST, UNWISHED, kind_name, rank, word
from nextbest.data.own_log.proposal import Proposal
from nextbest.data.own_log.roles import Roles
from nextbest.tables import sql_name

MOST_WORDS = 10  # most different texts of a column that tells in words what came


def propose_outcomes(facts: Mapping[str, Facts], roles: Roles, made: Proposal) -> dict[str, Any]:
    """The mapping's outcomes; what is missing or was left out goes to `made`."""
    found: dict[str, Any] = {}
    for name in roles.outcomes:
        each = facts[name]
        # Beside zeros, what is empty is not known; where there are none, it is the zeros.
        told: dict[str, Any] = {"reward": name if each.binary else {"column": name, "empty": "0"}}
        worth, money = 1.0, roles.money.get(name)
        if money is not None:
            told["value"] = {"column": money, "empty": "0"}
            worth = float(np.nanmean(facts[money].number[each.number == 1]))
        told["worth"] = float(f"{worth:.6g}")
        if name in roles.seen:
            seen = facts[roles.seen[name]]
            told["observed_at"] = {"column": seen.name, "formats": list(seen.formats.names)}
        kind = kind_name(each.word)
        found[kind] = told
        share = np.nansum(each.number) / len(each.number)
        made.found.append(
            f"outcome {kind}: {name}, in {share:.2%} of the sample, worth {worth:.4g}"
            + (f" ({money})" if money else "")
        )
        if not each.binary:
            made.unsure.append(f"outcome {kind}: where {name} is empty, nothing came")
    if len(found) > 1:
        told = ", ".join(f"{kind} {each['worth']:g}" for kind, each in found.items())
        made.unsure.append(
            f"outcomes: they add up, each by its worth ({told}): set what one is worth in money, "
            "or leave some out"
        )
    for name in roles.unwished:
        made.unsure.append(
            f"{name}: left out, for nobody hopes for it; to have it weighed, add outcomes."
            f"{kind_name(facts[name].word)} with reward '{name}' and a worth below 0"
        )
    if not found and roles.alone is not None:
        found = _number(facts[roles.alone], made)
    return found or _moment(facts, roles, made) or _none(facts, roles, made)


def _moment(facts: Mapping[str, Facts], roles: Roles, made: Proposal) -> dict[str, Any]:
    """A time that only some rows have, named like an outcome: it happened where there is one."""
    for name, each in facts.items():
        came = rank("outcome", each.word) is not None and not UNWISHED.search(each.word)
        if came and each.time is not None and each.gaps and name not in roles.taken:
            kind = kind_name(each.word)
            made.unsure.append(f"outcome {kind}: it happened where {name} is not empty")
            return {
                kind: {
                    "reward": {"expression": f"IF({sql_name(name)} IS NULL, 0, 1)"},
                    "worth": 1.0,
                    "observed_at": {"column": name, "formats": list(each.formats.names)},
                }
            }
    return {}


def _none(facts: Mapping[str, Facts], roles: Roles, made: Proposal) -> dict[str, Any]:
    told = "no column of 0 and 1 looks like an outcome, nor a number like a reward"
    if roles.alone is not None:
        told = f"{roles.alone} is a cost, and there is no reward"
    if roles.unwished:
        told += f", but for what nobody hopes for ({', '.join(roles.unwished)})"
    for name, each in facts.items():
        after = AFTER.search(each.word) or rank("outcome", each.word) is not None
        words = each.number is None and each.time is None and 2 <= len(each.levels) <= MOST_WORDS
        if after and words and name not in roles.taken:
            good = [level for level in each.levels if _hoped_for(level)]
            told += (
                f"; {name} tells it in words ({', '.join(each.levels)}): say which of them are "
                f"hoped for, as {{column: {name}, values: {{{good[-1] if good else '…'}: 1}}, "
                "otherwise: 0}"
            )
    made.missing.append(f"what came of it: {told}; name one in outcomes")
    return {"response": {"reward": "?", "worth": 1.0}}


def _hoped_for(level: str) -> bool:
    return rank("outcome", word(level)) is not None and not UNWISHED.search(word(level))


def _number(facts: Facts, made: Proposal) -> dict[str, Any]:
    """A reward that is no 0/1: it happened above a threshold, and its value is the number."""
    known, name = facts.known, sql_name(facts.name)
    least, most = float(known.min()), float(known.max())
    kind = kind_name(facts.word)
    if COST.search(facts.word) and most > 0:
        if least < 0 or most > 1:  # what it is worth to avoid it, nobody can tell
            return {}
        made.numbers.append(facts.name)
        made.unsure.append(f"outcome {kind}: {facts.name} is a cost, so the reward is 1 - it")
        return {kind: {"reward": {"expression": f"1 - {name}"}, "worth": 1.0}}
    if 0 <= least < most <= 1:
        made.unsure.append(f"outcome {kind}: {facts.name}, from {least:g} to {most:g}")
        return {kind: {"reward": facts.name, "worth": 1.0}}
    value: Any = {"column": facts.name, "empty": "0"}
    if most <= 0:
        condition, value = f"{name} < 0", {"expression": f"- {name}", "empty": "0"}
        worth = -float(known[known < 0].mean())
    elif least <= 0 or rank("money", facts.word) is not None:
        condition, worth = f"{name} > 0", float(known[known > 0].mean())
    else:  # a rating
        limit = float(np.median(known))
        limit = limit if limit > least else float(np.min(known[known > least]))
        condition, worth, value = f"{name} >= {limit:g}", 1.0, None
    made.numbers.append(facts.name)
    made.unsure.append(
        f"outcome {kind}: {facts.name} is no 0 or 1 ({least:g} to {most:g}); it counts as happened "
        f"where {condition}"
        + (", and as not where it is empty" if facts.gaps and value is not None else "")
    )
    told: dict[str, Any] = {"reward": {"expression": f"IF({condition}, 1, 0)"}}
    if facts.gaps and value is None:  # who did not rate has not said no
        told["reward"][
            "expression"
        ] = f"CASE WHEN {name} IS NOT NULL THEN IF({condition}, 1, 0) END"
    if value is not None:
        told["value"] = value
    return {kind: {**told, "worth": float(f"{worth:.6g}")}}
