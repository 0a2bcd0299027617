"""Contact policy: at most so many contacts in a window, and silence after an outcome."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from nextbest import tables
from nextbest.decisions.rule_parts import sql_text
from nextbest.decisions.treatments import NONE, Treatments
from nextbest.errors import DataError, SettingsError

_MOST = 36_500  # days of a hundred years
SCOPES = ("customer", "channel", "action", "treatment")


@dataclass(frozen=True)
class ContactLimit:
    """At most `at_most` contacts of a customer in any `days` days (of 24 hours).

    `per` says which contacts count together and are capped together: all of them ("customer"),
    those on each channel, of each action, or of each treatment; `value` names a single one.
    """

    at_most: int
    days: int
    per: str = "customer"
    value: str | None = None


@dataclass(frozen=True)
class Suppression:
    """No contact in the `days` days after an outcome, such as opt_out, response or purchase.

    `per` says what is suppressed: everything ("customer"), or the channel, action or treatment
    that the outcome belongs to; `value` names a single one.
    """

    outcome_kind: str
    days: int
    per: str = "customer"
    value: str | None = None


ContactPolicy = Sequence[ContactLimit | Suppression]


@dataclass(frozen=True, eq=False)
class Block:
    """One rule for one thing that it caps: `covers` [K] are the treatments that it then blocks."""

    code: str
    rule: ContactLimit | Suppression
    value: str
    covers: np.ndarray


def blocks(policy: ContactPolicy, treatments: Treatments) -> tuple[Block, ...]:
    """Every way in which a customer can be blocked, in the order of the rules; "none" never is.

    The code is the reason: "contact_policy:<what><=<N>/<D>d" or "suppressed:<kind>:<what>/<D>d",
    where <what> is a channel, "<action>:*" or a treatment; a rule per customer says "*" or leaves
    it out. Raises SettingsError with everything that is wrong in all rules.
    """
    problems = [text for rule in policy for text in _problems(rule, treatments)]
    problems += [f"{rule} stands twice" for k, rule in enumerate(policy) if rule in policy[:k]]
    if problems:
        raise SettingsError("contact policy: " + "; ".join(problems))
    found = []
    for rule in policy:
        names = _scope(rule.per, treatments)
        for value in dict.fromkeys(names[~treatments.is_none]):
            if rule.value in (None, value):
                covers = (names == value) & ~treatments.is_none
                found.append(Block(_code(rule, value), rule, value, covers))
    return tuple(found)


def with_contact_policy(
    frame: DataFrame,
    policy: ContactPolicy,
    actions: pd.DataFrame,
    decisions: DataFrame,
    outcomes: DataFrame,
    at: dt.datetime,
    kinds: Collection[str],
) -> DataFrame:
    """Add `blocked array<string>`: the codes of `blocks` that hold for a customer at `at` (UTC).

    What counts happened strictly before `at` and less than D days before it: contacts are
    decisions (customer_id, decided_at, treatment, action_id, channel) of another treatment than
    "none"; outcomes (decision_id, observed_at, kind) belong to the customer and the treatment of
    their decision. A contact exactly D days ago is outside, so that no D days ever hold more than
    N. `kinds` are the outcome kinds there can be. Lazy: one aggregation and one join. Raises
    SettingsError as `blocks` does and for unknown kinds, DataError for missing columns.
    """
    _check(frame, decisions, outcomes)
    _check_kinds(policy, kinds)
    ways = blocks(policy, Treatments.from_frame(actions))
    if not ways:
        return frame.withColumn("blocked", F.array().cast("array<string>"))
    if at.tzinfo is None:
        raise DataError(f"contact policy: {at} has no time zone; give it in UTC")
    since = {rule.days: _moment(at - dt.timedelta(days=rule.days)) for rule in policy}
    events = _events(policy, decisions, outcomes, since[max(since)], _moment(at))
    counts = [
        F.expr(f"count(CASE WHEN {_counts(way, since)} THEN 1 END)").alias(f"__way_{k}")
        for k, way in enumerate(ways)
    ]
    tripped = ", ".join(
        f"CASE WHEN __way_{k} >= {getattr(way.rule, 'at_most', 1)} THEN {sql_text(way.code)} END"
        for k, way in enumerate(ways)
    )
    blocked = (
        events.groupBy("__who")
        .agg(*counts)
        .select("__who", F.expr(f"array_compact(array({tripped}))").alias("__blocked"))
    )
    nothing = F.array().cast("array<string>")
    return frame.join(blocked, F.col("customer_id") == F.col("__who"), "left").select(
        *[tables.column(name) for name in frame.columns],
        F.coalesce("__blocked", nothing).alias("blocked"),
    )


def _events(
    policy: ContactPolicy, decisions: DataFrame, outcomes: DataFrame, begin: str, end: str
) -> DataFrame:
    """Contacts (kind "") and outcomes between two moments: __who, __at, __kind and the scopes."""
    scopes = ["channel", "action_id", "treatment"]
    inside = f"__at > {begin} AND __at < {end}"
    events = decisions.where(F.expr(f"treatment <> '{NONE}' AND decided_at < {end}")).select(
        F.col("customer_id").alias("__who"), F.col("decided_at").alias("__at"),
        F.lit("").alias("__kind"), *scopes,
    )  # fmt: skip
    kinds = {rule.outcome_kind for rule in policy if isinstance(rule, Suppression)}
    if kinds:
        seen = outcomes.where(F.col("kind").isin(*sorted(kinds))).select(
            F.col("decision_id").alias("__id"), F.col("observed_at").alias("__at"),
            F.col("kind").alias("__kind"),
        )  # fmt: skip
        known = decisions.select("decision_id", F.col("customer_id").alias("__who"), *scopes)
        seen = seen.where(F.expr(inside)).join(known, F.col("__id") == F.col("decision_id"))
        events = events.unionByName(seen.select("__who", "__at", "__kind", *scopes))
    return events.where(F.expr(inside))


def _counts(way: Block, since: dict[int, str]) -> str:
    """Which events count towards a way of being blocked, as SQL."""
    kind = way.rule.outcome_kind if isinstance(way.rule, Suppression) else ""
    terms = [f"__kind = {sql_text(kind)}", f"__at > {since[way.rule.days]}"]
    if way.rule.per != "customer":
        column = "action_id" if way.rule.per == "action" else way.rule.per
        terms.append(f"{column} = {sql_text(way.value)}")
    return " AND ".join(terms)


def _scope(per: str, treatments: Treatments) -> np.ndarray:
    """What each treatment is, [K], as rules `per` something see it."""
    return {
        "customer": np.full(len(treatments), "*", dtype=object),
        "channel": treatments.channel,
        "action": treatments.action_id,
        "treatment": np.array(treatments.names, dtype=object),
    }[per]


def _code(rule: ContactLimit | Suppression, value: str) -> str:
    what = f"{value}:*" if rule.per == "action" else value
    if isinstance(rule, ContactLimit):
        return f"contact_policy:{what}<={rule.at_most}/{rule.days}d"
    return f"suppressed:{rule.outcome_kind}{f':{what}' if value != '*' else ''}/{rule.days}d"


def _problems(rule: ContactLimit | Suppression, treatments: Treatments) -> list[str]:
    if not isinstance(rule, ContactLimit | Suppression):
        return [f"{rule!r} is neither a ContactLimit nor a Suppression"]
    numbers = {name: getattr(rule, name) for name in ("at_most", "days") if hasattr(rule, name)}
    problems = [
        f"{rule}: {name} must be a whole number from 1 to {_MOST:,}"
        for name, number in numbers.items()
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= _MOST
    ]
    if rule.per not in SCOPES:
        return [*problems, f"{rule}: per must be one of {', '.join(SCOPES)}"]
    if rule.value is None:
        return problems
    known = sorted(set(_scope(rule.per, treatments)[~treatments.is_none]))
    if rule.per == "customer":
        problems.append(f"{rule}: per customer there is no value to name; leave it None")
    elif rule.value not in known:
        near = difflib.get_close_matches(str(rule.value), known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(known)}"
        problems.append(f"{rule}: no treatment has the {rule.per} '{rule.value}': {hint}")
    return problems


def _check_kinds(policy: ContactPolicy, kinds: Collection[str]) -> None:
    asked = {rule.outcome_kind for rule in policy if isinstance(rule, Suppression)}
    if unknown := sorted(map(str, asked - set(kinds))):
        raise SettingsError(
            f"contact policy: no outcome is of the kind {', '.join(unknown)}: "
            f"use {', '.join(sorted(kinds)) or 'no Suppression, there are no outcomes'}"
        )


def _check(frame: DataFrame, decisions: DataFrame, outcomes: DataFrame) -> None:
    needed = {
        "customers": (frame, ["customer_id"]),
        "decisions": (
            decisions,
            ["decision_id", "customer_id", "decided_at", "treatment", "action_id", "channel"],
        ),
        "outcomes": (outcomes, ["decision_id", "observed_at", "kind"]),
    }
    problems = [
        f"{name} lacks {', '.join(missing)}"
        for name, (table, columns) in needed.items()
        if (missing := [column for column in columns if column not in table.columns])
    ]
    if "blocked" in frame.columns:
        problems.append("customers already has a column blocked; drop it first")
    if problems:
        raise DataError("contact policy: " + "; ".join(problems))


def _moment(at: dt.datetime) -> str:
    return f"TIMESTAMP '{at.astimezone(dt.UTC).isoformat(sep=' ')}'"
