"""A small, safe language for rules over columns: parsed, checked by kind, written anew as SQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from nextbest.decisions.rule_nodes import MOST_LEVELS, read
from nextbest.decisions.rule_parts import Place, Reading, a, any_of, settled
from nextbest.errors import DataError

MOST_CHARACTERS = 10_000


@dataclass(frozen=True)
class Rule:
    """A rule as written and as the engines evaluate it, with a boolean or null per row.

    Where `fault` (SQL, boolean or null; None: can't happen) is true, a divisor was 0 or a number
    was not one. `sql` is null there, unless the rest of the rule settles it (`n = 0 OR x / n > 1`).
    """

    text: str
    sql: str
    fault: str | None


def parse_rule(text: str, columns: Mapping[str, str], day: dt.date) -> Rule:
    """Read a rule over `columns` (name → Spark type) that is to hold on `day`.

    The language is rule_nodes.ALLOWED, written as in Spark SQL; DAYS_SINCE(column) counts whole UTC
    days to `day`. Numbers are doubles; kinds are never mixed (text is no number), so that nothing
    is cast at run time. A number divided by 0 is null, and so is a CASE whose condition can't be
    computed. NaN in a column must be made null before.
    Raises DataError with everything that is wrong, each with its position, from 1.
    """
    if len(text) > MOST_CHARACTERS:
        raise DataError(f"it has {len(text)} characters; {MOST_CHARACTERS} are the most")
    try:
        tree = sqlglot.parse_one(text, dialect="spark", into=exp.Condition)
        reading = Reading(columns, day)
        part = settled(read(tree, Place(1), reading), reading)
    except RecursionError as error:
        raise DataError(f"it is nested too deeply; {MOST_LEVELS} levels are the most") from error
    except (ParseError, TokenError) as error:
        raise DataError(_syntax(text, error)) from error
    if part.kind not in ("boolean", "unknown"):
        reading.problems.append(f"it is {a(part.kind)}, not boolean; compare it with something")
    if reading.problems:
        raise DataError("; ".join(reading.problems))
    return Rule(text, part.sql, any_of(reading.faults) if reading.faults else None)


def _syntax(text: str, error: ParseError | TokenError) -> str:
    """What the parser says, and where."""
    found = error.errors[0] if isinstance(error, ParseError) and error.errors else None
    if found is None:
        if not text.strip():
            return "it is empty; leave it null when there is no such rule"
        return str(error).strip().splitlines()[0]
    before = sum(len(line) + 1 for line in text.split("\n")[: found["line"] - 1])
    position = before + found["col"] - len(found["highlight"] or " ") + 1
    return f"{found['description']} at position {position}, near '{found['highlight']}'"
