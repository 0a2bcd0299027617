"""Every row is held against every rule of its contract; what it broke stands beside it."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Mapping

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from nextbest.data.contracts import Column, Contract, Reference
from nextbest.errors import DataError
from nextbest.tables import sql_name

RULES, ROW, CORRECTS = "_rules", "_row", "_corrects"
_DAY = 86_400_000_000  # microseconds


def judge(
    frame: DataFrame,
    contract: Contract,
    source: str,
    as_of: dt.date,
    known: Mapping[str, DataFrame],
) -> DataFrame:
    """All rows of `frame`, in the contract's columns, with what each of them broke.

    `frame` is read several times, so it should stand in files. `_rules` names every rule a row
    broke, null if none; `_row` is a broken row whole, as JSON whose values are text. `known` holds
    the rows that a reference may lead to, by table name. A column may come as text: what can't be
    read as its type breaks a rule. `_corrects` (a column that `frame` may have) passes through: the
    row_id of the quarantined row that this one replaces.

    A rule that can't be told (a null in it) counts as broken. Of rows that are alike to the last
    value one is kept; rows that share a key and differ break the rule that it is unique, all of
    them, since none is known to be right. Raises DataError with all missing, unknown and wrongly
    typed columns together.
    """
    as_text = _check_columns(frame, contract, source)
    rows = frame.select(
        *[_read(column, as_text).alias(column.name) for column in contract.columns],
        *[F.col(name).alias(_came(name)) for name in as_text],
        F.col(CORRECTS) if CORRECTS in frame.columns else _nothing().alias(CORRECTS),
    )
    raw = [_came(name) if name in as_text else name for name in contract.names]
    rows = _with_copies(rows, contract, raw)
    rules = _rules(contract, as_text, as_of)
    for at, reference in enumerate(contract.references):
        rows = _with_parent(rows, reference, known[reference.table], at)
    kept = F.expr(" AND ".join(f"({rule})" for rule in rules.values()))
    broken = F.array(*[F.when(~F.expr(rule), F.lit(name)) for name, rule in rules.items()])
    named = F.filter(broken, lambda name: name.isNotNull())
    told = [as_json(each, came) for each, came in zip(contract.columns, raw, strict=True)]
    whole = F.to_json(F.struct(*told))
    return rows.select(
        *contract.names,
        F.when(~kept, named).alias(RULES),
        F.when(~kept, whole).alias(ROW),
        CORRECTS,
    )


def row_rules(contract: Contract) -> dict[str, str]:
    """The rules that a row keeps or breaks by itself, by name, as Spark SQL that is never null."""
    rules = {f"{c.name} is not null": f"{_q(c.name)} IS NOT NULL"
             for c in contract.columns if not c.nullable}  # fmt: skip
    for column in contract.columns:
        if column.type == "double":
            # NaN is larger than infinity to Spark, so this keeps both out.
            finite = f"abs({_q(column.name)}) < double('infinity')"
            rules[f"{column.name} is finite"] = f"{_q(column.name)} IS NULL OR {finite}"
    return {**rules, **{name: f"coalesce({rule}, false)" for name, rule in contract.rules.items()}}


def constraints(contract: Contract) -> dict[str, str]:
    """`row_rules` as few CHECK constraints, by name, for the table to keep itself.

    Few, since the embedded engine plans a MERGE twice as long for each one beyond eight.
    """
    groups: dict[str, list[str]] = {}
    for name, rule in row_rules(contract).items():
        ours = name not in contract.rules
        kind = name.rpartition(" is ")[2] if ours else "rules"
        groups.setdefault(kind, []).append(rule)
    return {kind: " AND ".join(f"({rule})" for rule in rules) for kind, rules in groups.items()}


def as_json(column: Column, name: str) -> SparkColumn:
    """A value as both engines write it: their JSON differs for numbers and timestamps."""
    value = F.col(name)
    if name != column.name or column.type.startswith("array"):  # text, and lists of it
        return value.alias(column.name)
    if column.type == "double":  # inside an array, and only there, doubles become the same text
        inside = F.translate(F.array(value).cast("string"), "[]", "")
        return F.when(value.isNotNull(), inside).alias(column.name)
    return value.cast("string").alias(column.name)


def _rules(contract: Contract, as_text: list[str], as_of: dt.date) -> dict[str, str]:
    types = {column.name: column.type for column in contract.columns}
    rules = {
        f"{name} reads as {types[name]}": f"{_q(_came(name))} IS NULL OR {_q(name)} IS NOT NULL"
        for name in as_text
    }
    came = {f"{name} is not null": f"{_q(_came(name))} IS NOT NULL" for name in as_text}
    alone = row_rules(contract)
    rules |= {name: came.get(name, rule) for name, rule in alone.items()}
    for at, reference in enumerate(contract.references):
        found = f"{_parent(at, '')} IS NOT NULL"
        rules[f"{', '.join(reference.columns)} is in {reference.table}"] = found
        for name, rule in reference.rules.items():  # where there is no parent, that is the fault
            between = re.sub(r"\bparent\.(\w+)", lambda m, at=at: _parent(at, m[1]), rule)
            rules[name] = f"NOT {found} OR coalesce({between}, false)"
    if contract.moment:
        end = (as_of - dt.date(1970, 1, 1)).days * _DAY
        before = f"unix_micros({_q(contract.moment)}) < {end}"
        rules[f"{contract.moment} is before the day that is read"] = f"coalesce({before}, false)"
    alike = "(__first = __last AND __copy = 1)"
    no_key = " OR ".join(f"{_q(key)} IS NULL" for key in contract.keys)
    rules[f"{', '.join(contract.keys)} is unique"] = f"__copies = 1 OR {alike} OR {no_key}"
    return rules


def _with_copies(rows: DataFrame, contract: Contract, raw: list[str]) -> DataFrame:
    """How many rows share a row's key, whether they are alike, and which of them this is."""
    keys = list(contract.keys)
    shared = rows.groupBy(*keys).count().where("count > 1").drop("count")
    several = rows.join(shared, keys, "left_semi").withColumn("__hash", F.xxhash64(*raw))
    same = Window.partitionBy(*keys)
    numbered = several.select(
        *rows.columns,
        F.count(F.lit(1)).over(same).alias("__copies"),
        F.min("__hash").over(same).alias("__first"),
        F.max("__hash").over(same).alias("__last"),
        F.row_number().over(same.orderBy("__hash")).alias("__copy"),
    )
    # Windows over the few such rows only: over all of them they cost more than all else together.
    alone = rows.join(shared, keys, "left_anti").select(
        *rows.columns,
        F.lit(1).cast("bigint").alias("__copies"),
        *[F.lit(0).cast("bigint").alias(name) for name in ("__first", "__last")],
        F.lit(1).alias("__copy"),
    )
    return alone.unionByName(numbered)


def _with_parent(rows: DataFrame, reference: Reference, known: DataFrame, at: int) -> DataFrame:
    asked = {
        name for rule in reference.rules.values() for name in re.findall(r"\bparent\.(\w+)", rule)
    }
    parents = known.select(
        *[F.col(name).alias(f"__key{at}_{n}") for n, name in enumerate(reference.parent)],
        *[F.col(name).alias(_parent(at, name)) for name in sorted(asked)],
        F.lit(True).alias(_parent(at, "")),
    ).dropDuplicates([f"__key{at}_{n}" for n in range(len(reference.parent))])
    match = [F.col(name) == F.col(f"__key{at}_{n}") for n, name in enumerate(reference.columns)]
    return rows.join(parents, match, "left")


def _parent(at: int, name: str) -> str:
    return f"__parent{at}_{name}"


def _came(name: str) -> str:
    return f"__came_{name}"


def _q(name: str) -> str:
    return sql_name(name)


def _nothing() -> SparkColumn:
    return F.lit(None).cast("string")


def _read(column: Column, as_text: list[str]) -> SparkColumn:
    if column.name not in as_text:
        return F.col(column.name)
    if column.type.startswith("array"):
        return F.from_json(F.col(column.name), column.type)
    return F.expr(f"try_cast({_q(column.name)} AS {column.type})")


def _check_columns(frame: DataFrame, contract: Contract, source: str) -> list[str]:
    """Columns that came as text and are to be read; DataError for what can't be read at all."""
    found = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
    wanted = {column.name: column.type for column in contract.columns}
    problems = [f"'{n}' is missing ({kind})" for n, kind in wanted.items() if n not in found]
    problems += [
        f"'{n}' is {found[n]}, not {kind}: cast it, or hand it over as text"
        for n, kind in wanted.items()
        if n in found and found[n] not in (kind, "string")
    ]
    for name in found:
        if name not in wanted and name != CORRECTS:
            near = difflib.get_close_matches(name, wanted, n=1)
            hint = f"did you mean '{near[0]}'?" if near else "drop it"
            problems.append(f"'{name}' is no column of it: {hint}")
    if problems:
        raise DataError(f"table {contract.table} from {source}: columns " + "; ".join(problems))
    return [name for name, kind in wanted.items() if found[name] != kind]
