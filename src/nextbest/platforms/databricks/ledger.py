"""The ledger as a Delta table of Unity Catalog, by SQL: from a task's Spark or a SQL warehouse.

A row is added by an insert-only MERGE on (model, sequence, half). The table is made with the
isolation level Serializable, under which of two such MERGEs at once the later one sees the other's
row, or fails (Databricks, "Isolation levels and write conflicts"); then it is looked at again. Not
yet run against a workspace.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nextbest.errors import PlatformError
from nextbest.platforms.databricks.statements import Row, rows_of
from nextbest.platforms.releases import COLUMNS, INTENDED, KINDS, Step, in_order
from nextbest.tables import quote

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from pyspark.sql import SparkSession

# A statement with :names, and their values; None is null. Rows are text, as the warehouse gives it.
Run = Callable[[str, Mapping[str, str | None]], list[Row]]
ATTEMPTS = 20
_CONFLICT, _ABSENT = "DELTA_CONCURRENT", "TABLE_OR_VIEW_NOT_FOUND"


class DatabricksLedger:
    """The ledger port; `run` runs a statement, `table` is a three-level name."""

    def __init__(self, run: Run, table: str) -> None:
        self._run = run
        self._table = quote(table)

    def steps(self, model: str | None) -> list[Step]:
        """All rows of a model (of all models without one), in order."""
        columns = ", ".join(_read(name) for name in COLUMNS)
        mine = "" if model is None else " WHERE model = :model"
        try:
            rows = self._run(
                f"SELECT {columns} FROM {self._table}{mine}",
                {} if model is None else {"model": model},
            )
        except PlatformError as error:
            if _ABSENT in str(error):  # nothing was ever promoted
                return []
            raise
        return in_order([_step(row) for row in rows])

    def append(self, step: Step) -> bool:
        """Add a row unless its place is taken; whether the row there is this one."""
        columns = ", ".join(f"{quote(name)} {KINDS.get(name, 'string')}" for name in COLUMNS)
        self._run(
            f"CREATE TABLE IF NOT EXISTS {self._table} ({columns}) USING DELTA "
            "TBLPROPERTIES ('delta.isolationLevel' = 'Serializable')",
            {},
        )
        given = {name: _text(value) for name, value in dataclasses.asdict(step).items()}
        names = [quote(name) for name in COLUMNS]
        source = ", ".join(f"{_typed(name)} AS {quote(name)}" for name in COLUMNS)
        half = f"(state = '{INTENDED}')"
        merge = (
            f"MERGE INTO {self._table} t USING (SELECT {source}) s "
            "ON t.model = s.model AND t.sequence = s.sequence "
            f"AND {half.replace('state', 't.state')} = {half.replace('state', 's.state')} "
            f"WHEN NOT MATCHED THEN INSERT ({', '.join(names)}) "
            f"VALUES ({', '.join(f's.{name}' for name in names)})"
        )
        place = (step.sequence, step.state == INTENDED)
        for _ in range(ATTEMPTS):
            try:
                self._run(merge, given)
            except PlatformError as error:
                if _CONFLICT not in str(error):
                    raise
            for there in self.steps(step.model):
                if (there.sequence, there.state == INTENDED) == place:
                    return (there.promotion_id, there.state) == (step.promotion_id, step.state)
        raise PlatformError(f"ledger {self._table}: others write it all the time; run this again")

    @contextmanager
    def alone(self, model: str) -> Iterator[None]:
        """Nobody can be kept out of a workspace: the ledger's numbers tell who was first."""
        yield


def by_spark(spark: SparkSession) -> Run:
    """Statements by the session of a task."""

    def run(statement: str, given: Mapping[str, str | None]) -> list[Row]:
        from pyspark.errors import PySparkException

        try:
            rows = spark.sql(statement, args=dict(given)).collect() if given else (
                spark.sql(statement).collect())  # fmt: skip
        except PySparkException as error:
            first = str(error).strip().splitlines()[0]
            raise PlatformError(f"ledger: {first}; it needs {_RIGHT}") from error
        return [row.asDict() for row in rows]

    return run


def by_warehouse(workspace: WorkspaceClient, warehouse: str) -> Run:
    """Statements by a SQL warehouse, from anywhere."""
    return lambda statement, given: rows_of(workspace, warehouse, statement, given, _RIGHT)


_RIGHT = "USE SCHEMA, CREATE TABLE on the schema, and SELECT and MODIFY on its table promotions"


def _read(name: str) -> str:
    """A column as text: a moment as microseconds since 1970."""
    shown = f"unix_micros({quote(name)})" if KINDS.get(name) == "timestamp" else quote(name)
    return f"CAST({shown} AS STRING) AS {quote(name)}"


def _typed(name: str) -> str:
    if KINDS.get(name) == "timestamp":
        return f"timestamp_micros(CAST(:{name} AS BIGINT))"
    return f"CAST(:{name} AS {KINDS.get(name, 'string').upper()})"


def _text(value: object) -> str | None:
    if isinstance(value, dt.datetime):
        return str((value - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1))
    return None if value is None else str(value)


def _step(row: Row) -> Step:
    try:
        given = {name: row[name] for name in COLUMNS}
        micros = dt.timedelta(microseconds=int(given["promoted_at"]))
        return Step(
            **{
                **given,
                "sequence": int(given["sequence"]),
                "promoted_at": dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + micros,
                "as_of": given["as_of"] and dt.date.fromisoformat(given["as_of"]),
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PlatformError(
            f"the ledger has a row that is none of ours ({error!r}): {row}"
        ) from error
