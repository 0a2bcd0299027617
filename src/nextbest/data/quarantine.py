"""Rows that break a contract are set aside whole until they come again and are accepted."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from nextbest.data.contracts import Column, Contract, one_of
from nextbest.data.judging import CORRECTS, ROW, RULES, as_json

QUARANTINE = Contract(
    "quarantine",
    (
        Column("source", "string", "source.table that the row came from"),
        Column("row_id", "string", "hash of the row, and of which of its copies it is"),
        Column("run_id", "string", "the last run that rejected it"),
        Column("rules", "array<string>", "every rule the row broke"),
        Column("row", "string", "the whole row as JSON, values as text, nulls left out"),
        Column("row_key", "string", "its key, likewise; null if a part can't be read", True),
        Column("status", "string", "open, or resolved: another row took its place"),
        Column("resolved_by", "string", "the run that brought that row", nullable=True),
    ),
    ("source", "row_id"),
    {
        "a rule was broken": "size(rules) > 0",
        **one_of("status", ("open", "resolved")),
        "resolved by a run": "(status = 'resolved') = (resolved_by IS NOT NULL)",
    },
    comment="Rows that broke the contract of their table, whole",
)
SHOWN_RULES = 3


@dataclass(frozen=True)
class Rejected:
    """How many rows of a table were rejected, and the rules they broke most, with their counts."""

    table: str
    rows: int
    rejected: int
    most_broken: tuple[tuple[str, int], ...]

    @property
    def share(self) -> float:
        """Rejected rows among all, 0 to 1."""
        return self.rejected / self.rows if self.rows else 0.0

    @property
    def text(self) -> str:
        """Table, counts and rules in words."""
        rules = "; ".join(f"'{rule}' by {count:,}" for rule, count in self.most_broken)
        told = f"{self.table}: {self.rejected:,} of {self.rows:,} rows ({self.share:.2%})"
        return f"{told}, broken most: {rules}"


def good_rows(judged: DataFrame, contract: Contract) -> DataFrame:
    """The rows of `judging.judge` that broke nothing, in the contract's columns."""
    return judged.where(F.col(RULES).isNull()).select(*contract.names)


def rejected_rows(judged: DataFrame, contract: Contract, source: str, run_id: str) -> DataFrame:
    """The other rows of `judging.judge`, whole, in the columns of table `quarantine`.

    `source` becomes "<source>.<table>". A row's id is the same whichever run rejects it and
    whatever else is rejected with it; copies of a row are told apart by their number.
    """
    broken = judged.where(F.col(RULES).isNotNull()).select(
        F.lit(_from(source, contract)).alias("source"),
        F.lit(run_id).alias("run_id"),
        F.col(RULES).alias("rules"),
        F.col(ROW).alias("row"),
        _key(contract).alias("row_key"),
    )
    copy = F.row_number().over(Window.partitionBy("row").orderBy("row")).cast("string")
    numbered = broken.withColumn("__copy", copy)
    return numbered.select(
        "source", F.sha2(F.concat_ws("#", "row", "__copy"), 256).alias("row_id"), "run_id", "rules",
        "row", "row_key", F.lit("open").alias("status"), _text(None).alias("resolved_by"),
    )  # fmt: skip


def resolved_rows(
    quarantine: DataFrame, judged: DataFrame, contract: Contract, source: str, run_id: str
) -> DataFrame:
    """Open rows of table `quarantine` whose place another row of this run took, now resolved.

    Another row takes a row's place when it has its key and is accepted, or when it names its
    row_id in `_corrects` (then, if it broke something itself, it is in quarantine in its own
    right). A row that this very run rejected again stays open.
    """
    mine = quarantine.where(
        (F.col("source") == _from(source, contract)) & (F.col("status") == "open")
    )
    accepted = judged.where(F.col(RULES).isNull()).select(_key(contract).alias("row_key"))
    named = judged.where(F.col(CORRECTS).isNotNull()).select(F.col(CORRECTS).alias("row_id"))
    by_key = mine.join(accepted, "row_key", "left_semi")
    by_name = mine.join(named, "row_id", "left_semi")
    again = rejected_rows(judged, contract, source, run_id).select("row_id")
    closed = by_key.unionByName(by_name).dropDuplicates(["row_id"])
    return closed.join(again, "row_id", "left_anti").select(
        *[name for name in QUARANTINE.names if name not in ("status", "resolved_by")],
        F.lit("resolved").alias("status"),
        _text(run_id).alias("resolved_by"),
    )


def open_rows(quarantine: DataFrame, contract: Contract, source: str) -> DataFrame:
    """What is open of a table, to be corrected and ingested again: its columns as text.

    `_corrects` names the row that each of them replaces; lists stay lists. A value that can't be
    read as its type is there as it came.
    """
    mine = quarantine.where(
        (F.col("source") == _from(source, contract)) & (F.col("status") == "open")
    )
    lists = {c.name for c in contract.columns if c.type.startswith("array")}
    fields = []
    for name in contract.names:
        text = F.get_json_object("row", f"$.{name}")
        fields.append((F.from_json(text, "array<string>") if name in lists else text).alias(name))
    return mine.select(*fields, F.col("row_id").alias(CORRECTS))


def rejections(judged: DataFrame, table: str) -> Rejected:
    """Counts of a judged table, and the rules broken most."""
    rows, rejected = judged.agg(F.count(F.lit(1)), F.count(RULES)).first()
    rules = judged.where(F.col(RULES).isNotNull()).select(F.explode(RULES).alias("rule"))
    counted = rules.groupBy("rule").count().orderBy(F.desc("count"), "rule")
    found = counted.limit(SHOWN_RULES).collect() if rejected else []
    return Rejected(table, rows, rejected, tuple((row["rule"], row["count"]) for row in found))


def _key(contract: Contract) -> SparkColumn:
    columns = [column for column in contract.columns if column.name in contract.keys]
    whole = F.to_json(F.struct(*[as_json(column, column.name) for column in columns]))
    there = F.lit(True)
    for column in columns:
        there = there & F.col(column.name).isNotNull()
    return F.when(there, whole)


def _from(source: str, contract: Contract) -> str:
    return f"{source}.{contract.table}"


def _text(value: str | None) -> SparkColumn:
    return F.lit(value).cast("string")
