"""What tables say of themselves in Unity Catalog: comments and CHECK constraints.

Written from the SQL reference of Databricks; not yet run against a workspace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nextbest import tables
from nextbest.decisions.rule_parts import sql_text
from nextbest.platforms.texts import ColumnText, TableText
from nextbest.tables import OWN_CONSTRAINT, add_constraint, constraint_name, quote, sql_name

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_CONSTRAINT = "delta.constraints."


class DatabricksCatalog:
    """The catalog port over Unity Catalog."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark

    def describe(self, page: str, texts: Sequence[TableText]) -> None:
        """Comment each table and those of its columns whose comment is another one.

        `page` names no place here: Catalog Explorer shows the comments.
        """
        for text in texts:
            table = quote(text.name)
            self._spark.sql(f"COMMENT ON TABLE {table} IS {sql_text(text.meaning)}")
            rows = self._spark.sql(f"DESCRIBE TABLE {table}").collect()
            there = {row["col_name"]: row["comment"] for row in rows}
            for column in text.columns:
                told = _comment(column)
                if column.name in there and there[column.name] != told:
                    self._spark.sql(
                        f"ALTER TABLE {table} ALTER COLUMN {sql_name(column.name)}"
                        f" COMMENT {sql_text(told)}"
                    )

    def constrain(self, table: str, rules: Mapping[str, str]) -> None:
        """Let the table keep these rules (SQL by name) itself, as Delta CHECK constraints.

        A rule that is there stays; one of ours that is no longer among `rules` goes. Raises
        DataError when a row of the table breaks one.
        """
        wanted = {constraint_name(name, rule): rule for name, rule in rules.items()}
        rows = self._spark.sql(f"SHOW TBLPROPERTIES {quote(table)}").collect()
        prefix = _CONSTRAINT + OWN_CONSTRAINT
        there = {r["key"].removeprefix(_CONSTRAINT) for r in rows if r["key"].startswith(prefix)}
        for name in sorted(there - wanted.keys()):
            self._spark.sql(f"ALTER TABLE {quote(table)} DROP CONSTRAINT {sql_name(name)}")
        for name in [name for name in wanted if name not in there]:
            add_constraint(self._spark, table, name, wanted[name])

    def open_delta(self, source: str) -> DataFrame:
        """The table, or the Delta folder of an absolute path."""
        if source.startswith("/"):
            return self._spark.read.format("delta").load(source)
        return tables.read(self._spark, source)


def _comment(column: ColumnText) -> str:
    parts = {"Window": column.window, "Unit": column.unit, "Source": column.source}
    return ". ".join([column.meaning, *[f"{name}: {text}" for name, text in parts.items() if text]])
