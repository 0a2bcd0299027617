"""What came of decisions: outcomes proposed from a sample, and free names for columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError

from nextbest.data.own_log.columns import Facts
from nextbest.data.own_log.proposed import Proposal
from nextbest.data.own_log.reading import RESERVED
from nextbest.data.own_log.roles import Roles


def propose_outcomes(facts: Mapping[str, Facts], roles: Roles, made: Proposal) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in roles.outcomes:
        each = facts[name]
        gaps = bool(np.isnan(each.number).any())
        told: dict[str, Any] = {"reward": {"column": name, "empty": "0"} if gaps else name}
        worth, money = 1.0, roles.money.get(name)
        if money is not None:
            told["value"] = {"column": money, "empty": "0"}
            worth = float(np.nanmean(facts[money].number[each.number == 1]))
        told["worth"] = float(f"{worth:.6g}")
        if name in roles.seen:
            seen = facts[roles.seen[name]]
            told["observed_at"] = {"column": seen.name, "formats": list(seen.formats)}
        found[kind_name(each)] = told
        made.found.append(
            f"outcome {kind_name(each)}: {name}, in {np.nanmean(each.number):.2%} of the sample, "
            f"worth {worth:.4g}" + (f" ({money})" if money else "")
        )
    if len(found) > 1 and not roles.money:
        made.unsure.append(
            "outcomes: each is worth 1, and they add up: set `worth`, or leave some out"
        )
    if not found and roles.alone is not None:
        found = _number(facts[roles.alone], made)
    if not found:
        made.missing.append(
            "what came of it: no column of 0 and 1 looks like an outcome, nor a number like a "
            "reward; name one in outcomes"
        )
        found = {"response": {"reward": "?", "worth": 1.0}}
    return found


def _number(facts: Facts, made: Proposal) -> dict[str, Any]:
    """A reward that is no 0/1: it happened above a threshold, and its value is the number."""
    known = facts.number[np.isfinite(facts.number)]
    name = "`" + facts.name.replace("`", "``") + "`"
    least, most = float(known.min()), float(known.max())
    value: Any = {"column": facts.name, "empty": "0"}
    if most <= 0:
        condition, value = f"{name} < 0", {"expression": f"- {name}", "empty": "0"}
        worth = -float(known[known < 0].mean())
    elif least <= 0:
        condition, worth = f"{name} > 0", float(known[known > 0].mean())
    else:  # a rating
        limit = float(np.median(known))
        limit = limit if limit > least else float(np.min(known[known > least]))
        condition, worth = f"{name} >= {limit:g}", 1.0
        value = None
    made.unsure.append(
        f"outcome: {facts.name} is no 0 or 1 ({least:g} to {most:g}); it counts as happened where "
        f"{condition}"
    )
    told: dict[str, Any] = {"reward": {"expression": f"IF({condition}, 1, 0)"}}
    if value is not None:
        told["value"] = value
    return {kind_name(facts): {**told, "worth": float(f"{worth:.6g}")}}


def free_name(word: str, found: Mapping[str, Any], taken: set[str]) -> str:
    """A name that is neither found nor taken; it begins with a letter."""
    word = re.sub(r"^[^a-z]+", "", word) or "column"
    while word in found or word in taken or not _plain(word):
        word = f"log_{word}"
    return word


def _plain(word: str) -> bool:
    """Whether a rule can name it without backticks: `alter` is a word of SQL's own."""
    try:
        return isinstance(sqlglot.parse_one(word, dialect="spark"), exp.Column)
    except ParseError:
        return False


def kind_name(facts: Facts) -> str:
    """What a column's kind of outcome is called."""
    word = re.sub(r"^[^a-z]+", "", facts.word) or "response"
    return f"{word}_outcome" if word in RESERVED else word
