"""Rows that break a contract are set aside whole, with every rule they broke; none is lost."""

from __future__ import annotations

import difflib
import functools
import operator

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from nextbest.data.contracts import Column, Contract
from nextbest.errors import DataError


def check(
    frame: DataFrame, contract: Contract, run_id: str, source: str
) -> tuple[DataFrame, DataFrame]:
    """Split rows into the good ones and the rejected ones; together they are all rows.

    Good rows have the contract's columns in its order. Rejected rows have the columns of table
    `quarantine` (source becomes "<source>.<table>"). A row is rejected when a column that may
    not be null is, a double is not finite, a rule is not true (unknown counts as broken), or
    another row has its key: then all rows of that key are, since none is known to be right. A
    column may come as text: what can't be read as its type breaks a rule.

    Raises DataError with all missing, unknown and wrongly typed columns together.
    """
    as_text = _check_columns(frame, contract, source)
    names = [column.name for column in contract.columns]
    copies = F.count(F.lit(1)).over(Window.partitionBy(*contract.keys))
    read = [
        F.expr(f"try_cast(`{c.name}` AS {c.type})").alias(c.name) if c.name in as_text
        else F.col(c.name)
        for c in contract.columns
    ]  # fmt: skip
    came = [F.col(name).alias(f"_came_{name}") for name in as_text]
    judged = frame.select(*read, *came, copies.alias("_copies"))
    rules = _rules(contract)
    for name in as_text:
        reads = F.col(f"_came_{name}").isNull() | F.col(name).isNotNull()
        rules[f"{name} reads as {_type(contract, name)}"] = reads
    kept = functools.reduce(operator.and_, rules.values())
    broken = F.array(*[F.when(~rule, F.lit(name)) for name, rule in rules.items()])
    whole = F.to_json(
        F.struct(
            *[
                F.col(f"_came_{c.name}").alias(c.name) if c.name in as_text else _text(c)
                for c in contract.columns
            ]
        )
    )
    rejected = judged.where(~kept).select(
        F.lit(f"{source}.{contract.table}").alias("source"),
        F.lit(run_id).alias("run_id"),
        F.filter(broken, lambda name: name.isNotNull()).alias("rules"),
        whole.alias("row"),
    )
    number = F.row_number().over(Window.partitionBy("source").orderBy("row")).cast("bigint")
    return judged.where(kept).select(*names), rejected.select(
        "source", number.alias("row_number"), "run_id", "rules", "row"
    )


def _rules(contract: Contract) -> dict[str, SparkColumn]:
    """Every rule by name, never null: what can't be told has not been kept."""
    rules = {}
    for column in contract.columns:
        value = F.col(column.name)
        if not column.nullable:
            rules[f"{column.name} is not null"] = value.isNotNull()
        if column.type == "double":
            # NaN is larger than infinity to Spark, so this keeps both out.
            finite = F.abs(value) < F.lit(float("inf"))
            rules[f"{column.name} is finite"] = value.isNull() | finite
    for name, rule in contract.rules.items():
        rules[name] = F.coalesce(F.expr(rule), F.lit(False))
    return {**rules, f"{', '.join(contract.keys)} is unique": F.col("_copies") == 1}


def _text(column: Column) -> SparkColumn:
    """A value as both engines write it: their JSON differs for numbers and timestamps."""
    value = F.col(column.name)
    if column.type.startswith("array"):
        return value
    if column.type == "double":  # inside an array, and only there, doubles become the same text
        inside = F.translate(F.array(value).cast("string"), "[]", "")
        return F.when(value.isNotNull(), inside).alias(column.name)
    return value.cast("string").alias(column.name)


def _type(contract: Contract, name: str) -> str:
    return next(column.type for column in contract.columns if column.name == name)


def _check_columns(frame: DataFrame, contract: Contract, source: str) -> list[str]:
    """Columns that came as text and are to be read."""
    found = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
    wanted = {column.name: column.type for column in contract.columns}
    problems = [f"'{n}' is missing ({kind})" for n, kind in wanted.items() if n not in found]
    problems += [
        f"'{n}' is {found[n]}, not {kind}: cast it"
        for n, kind in wanted.items()
        if n in found and found[n] not in (kind, "string")
    ]
    for name in found:
        if name not in wanted:
            near = difflib.get_close_matches(name, wanted, n=1)
            hint = f"did you mean '{near[0]}'?" if near else "drop it"
            problems.append(f"'{name}' is no column of it: {hint}")
    if problems:
        raise DataError(f"table {contract.table} from {source}: columns " + "; ".join(problems))
    return [name for name, kind in wanted.items() if found[name] != kind]
