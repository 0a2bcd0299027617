"""Who may get what: each action's own gates, and every reason why not, evaluated by the engine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from nextbest import tables
from nextbest.decisions.contact_policy import ContactPolicy, blocks
from nextbest.decisions.rule_parts import sql_text
from nextbest.decisions.rules import Rule, parse_rule
from nextbest.decisions.treatments import NONE, Treatments
from nextbest.errors import DataError

# May the customer have it at all, does it make sense now, is it good for them, did they agree.
GATES = ("eligibility", "applicability", "suitability", "consent")


def decision_time(as_of: dt.date) -> dt.datetime:
    """When the decisions of a day are made: 08:00 UTC, when the inference job runs."""
    return dt.datetime(as_of.year, as_of.month, as_of.day, 8, tzinfo=dt.UTC)


def with_eligible(
    frame: DataFrame,
    actions: pd.DataFrame,
    at: dt.date,
    *,
    policy: ContactPolicy = (),
    reasons: bool = False,
) -> DataFrame:
    """Add `eligible array<string>`: the treatments whose every gate holds, as Treatments orders.

    `actions` needs Treatments' columns and eligibility, valid_from (from then on) and valid_to
    (before then), UTC or null, compared with decision_time(at); it may have the other GATES. A
    gate is a rule (decisions.rules) or null, no rule; a rule that is null for a customer does not
    hold. NaN in a column becomes null. A contact `policy` needs the column `blocked` that
    contact_policy.with_contact_policy adds for the same policy and actions; it is taken away here.

    With `reasons`, `rejected array<struct<treatment, reasons array<string>>>` holds every other
    treatment with all its reasons: not_yet_valid, expired, the names of GATES,
    "not_computable:<gate>" (a rule that divides by 0 there), codes of contact_policy.blocks,
    "not_computable:contact_policy" (blocked is null). Whoever has nothing else gets "none";
    without a "none" in the table such customers raise DataError (one count over the frame).
    Raises DataError with all rules that can't be read: gate, treatments, rule, position.
    """
    treatments = Treatments.from_frame(actions)
    missing = [c for c in ("eligibility", "valid_from", "valid_to") if c not in actions.columns]
    if missing:
        raise DataError(f"actions: the columns {', '.join(missing)} are missing")
    _check_blocked(frame, policy)
    table = actions.set_index("treatment").loc[list(treatments.names)]
    columns = [tables.column(name) for name in frame.columns if name != "blocked"]
    frame = _without_nan(frame)
    rules = _rules(frame, table, at)
    frame = _evaluated(frame, rules)
    why, codes = _why(table, rules, treatments, policy)
    always = {name: codes for name, codes in _validity(table, at).items() if codes}
    passes = {name: " AND ".join(f"{code} IS NULL" for code in why[name]) for name in why}
    found = [
        f"CASE WHEN {passes[name]} THEN {sql_text(name)} END" if why[name] else sql_text(name)
        for name in treatments.names
        if name not in always
    ]
    frame = _with(frame, codes)
    frame = frame.withColumn("__found", _array(found, "array<string>"))
    columns.append(F.col("__found").alias("eligible"))
    open_to_all = any(not why[name] and name not in always for name in treatments.names)
    alone = not open_to_all and NONE in treatments.names
    if alone:  # "none" is what is left, whatever its own gates say
        left = F.when(F.size("__found") == 0, F.array(F.lit(NONE))).otherwise(F.col("__found"))
        columns[-1] = left.alias("eligible")
    if reasons:
        lists = {}  # treatments share gates: each different list of reasons is made once
        for name in treatments.names:
            if why[name] or name in always:
                listed = [sql_text(code) for code in always.get(name, [])] + why[name]
                # The null keeps the lists of one type on the embedded engine, for which a list of
                # nothing but constants is another one.
                listed.append("CAST(NULL AS STRING)")
                lists.setdefault(f"array_compact(array({', '.join(listed)}))", []).append(name)
        frame = _with(frame, {f"__list_{k}": sql for k, sql in enumerate(lists)})
        made = {name: f"__list_{k}" for k, names in enumerate(lists.values()) for name in names}
        given = [
            _rejected(name, made[name], alone and name == NONE)
            for name in treatments.names
            if name in made
        ]
        kind = "array<struct<treatment:string,reasons:array<string>>>"
        columns.append(_array(given, kind).alias("rejected"))
    result = frame.select(columns)
    lost = 0 if open_to_all or alone else result.filter(F.size("eligible") == 0).count()
    if lost:
        raise DataError(
            f"{lost} customers have no eligible treatment on {at} and the actions table has no "
            "'none'; add it (action_id none, channel none) or a rule that is open to all"
        )
    return result


def rejection_counts(gated: DataFrame, actions: pd.DataFrame) -> pd.DataFrame:
    """How many customers each reason of `rejected` keeps from each treatment, and by which rule.

    Columns treatment, reason, customers, rule (null unless the reason is one of GATES or
    not_computable), by treatment and reason. `gated` is with_eligible(..., reasons=True).
    """
    each = gated.select(F.explode("rejected").alias("it")).select(
        F.col("it.treatment").alias("treatment"), F.explode("it.reasons").alias("reason")
    )
    counts = each.groupBy("treatment", "reason").agg(F.count("reason").alias("customers"))
    found = counts.toPandas().sort_values(["treatment", "reason"], ignore_index=True)
    rules = actions.set_index("treatment")
    gate = found["reason"].str.removeprefix("not_computable:")
    return found.assign(
        rule=[
            rules.at[treatment, name] if name in GATES else None
            for treatment, name in zip(found["treatment"], gate, strict=True)
        ]
    )


def _check_blocked(frame: DataFrame, policy: ContactPolicy) -> None:
    if policy and "blocked" not in frame.columns:
        raise DataError(
            "the contact policy can't be kept: the frame has no column blocked; add it with "
            "decisions.contact_policy.with_contact_policy"
        )
    if not policy and "blocked" in frame.columns:
        raise DataError("the frame has a column blocked, but no policy is given: give the same")


def _without_nan(frame: DataFrame) -> DataFrame:
    kinds = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
    floats = [name for name, kind in kinds.items() if kind in ("double", "float")]
    if not floats:
        return frame
    columns = {name: tables.column(name) for name in floats}
    return frame.withColumns({name: F.when(~F.isnan(each), each) for name, each in columns.items()})


def _texts(table: pd.DataFrame, gate: str) -> pd.Series:
    """The rules of a gate by treatment; those without one are left out."""
    if gate not in table.columns:
        return pd.Series(dtype=object)
    return table[gate].dropna().map(lambda text: text if isinstance(text, str) else repr(text))


def _rules(frame: DataFrame, table: pd.DataFrame, at: dt.date) -> dict[str, Rule]:
    """Every distinct rule by its text."""
    kinds = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
    kinds.pop("blocked", None)
    rules, problems = {}, []
    for gate in GATES:
        users: dict[str, list[str]] = {}
        for name, text in _texts(table, gate).items():
            users.setdefault(text, []).append(name)
        for text, names in users.items():
            try:
                rules[text] = parse_rule(text, kinds, at)
            except DataError as refused:
                some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if names[3:] else "")
                problems.append(f'actions.{gate}: {some}: rule "{text}": {refused}')
    if problems:
        raise DataError("; ".join(problems))
    return rules


def _evaluated(frame: DataFrame, rules: Mapping[str, Rule]) -> DataFrame:
    """Each rule's value and fault as a column, once."""
    columns = {f"__rule_{k}": rule.sql for k, rule in enumerate(rules.values())}
    for k, rule in enumerate(rules.values()):
        if rule.fault is not None:
            columns[f"__fault_{k}"] = rule.fault
    return _with(frame, columns)


def _with(frame: DataFrame, columns: Mapping[str, str]) -> DataFrame:
    """Add columns by their SQL."""
    if not columns:  # which Spark Connect's withColumns refuses
        return frame
    return frame.withColumns({name: F.expr(sql) for name, sql in columns.items()})


def _why(
    table: pd.DataFrame, rules: Mapping[str, Rule], treatments: Treatments, policy: ContactPolicy
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """The columns that may hold a reason, by treatment; the SQL of each: its code or null."""
    why: dict[str, list[str]] = {name: [] for name in treatments.names}
    codes: dict[str, str] = {}
    number = {text: k for k, text in enumerate(rules)}
    for gate in GATES:
        for name, text in _texts(table, gate).items():
            if rules[text].sql == "true":
                continue
            k, column = number[text], f"__{gate}_{number[text]}"
            fault = (
                f"WHEN __rule_{k} IS NULL AND __fault_{k} THEN 'not_computable:{gate}'"
                if rules[text].fault is not None
                else ""
            )
            nothing = "CAST(NULL AS STRING)"
            codes[column] = f"CASE WHEN __rule_{k} THEN {nothing} {fault} ELSE '{gate}' END"
            why[name].append(column)
    for k, way in enumerate(blocks(policy, treatments)):
        code = sql_text(way.code)
        codes[f"__way_{k}"] = f"CASE WHEN array_contains(blocked, {code}) THEN {code} END"
        codes["__unknown"] = "CASE WHEN blocked IS NULL THEN 'not_computable:contact_policy' END"
        for at in way.covers.nonzero()[0]:
            columns = why[treatments.names[at]]
            columns += [f"__way_{k}"] if "__unknown" in columns else ["__unknown", f"__way_{k}"]
    return why, codes


def _validity(table: pd.DataFrame, at: dt.date) -> dict[str, list[str]]:
    """The codes of treatments that nobody can have at that time."""
    moment = pd.Timestamp(decision_time(at))
    early = pd.to_datetime(table["valid_from"], utc=True) > moment
    late = pd.to_datetime(table["valid_to"], utc=True) <= moment
    return {
        name: ["not_yet_valid"] * bool(early[name]) + ["expired"] * bool(late[name])
        for name in table.index
    }


def _rejected(name: str, listed: str, alone: bool) -> str:
    """The SQL of a struct<treatment, reasons>, null where the treatment is eligible."""
    struct = f"named_struct('treatment', {sql_text(name)}, 'reasons', {listed})"
    needed = " AND size(__found) > 0" if alone else ""
    return f"CASE WHEN size({listed}) > 0{needed} THEN {struct} END"


def _array(items: list[str], kind: str) -> F.Column:
    """The items that are not null."""
    return F.expr(f"array_compact(array({', '.join(items)}))") if items else F.array().cast(kind)
