"""The table of sketches: what was folded of each day, and of each version's baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbest import tables
from nextbest.monitoring.folding import Parts
from nextbest.monitoring.sketching import LANDED, landed, risen

KEY = (
    "log_type", "granularity", "batch", "start", "model", "slice_key", "slice_value", "column_name"
)  # fmt: skip


TORN = "torn"


class SketchTable:
    """Parts by batch: a day, or a baseline's model version; `granularity` is that of its windows.

    A batch has one version, which says what it was made of. A batch that was being replaced when
    its writer was killed has two: it is TORN, and folded anew.
    """

    def __init__(self, spark: SparkSession, name: str) -> None:
        self._spark = spark
        self._name = name

    def versions(self, log_type: str, granularity: str) -> dict[str, str]:
        """The version of each batch; TORN where it isn't whole, which is no version."""
        if not tables.exists(self._spark, self._name):
            return {}
        found: dict[str, set[str]] = {}
        rows = self._of(log_type, granularity).select("batch", "version").distinct()
        for row in rows.collect():
            found.setdefault(row["batch"], set()).add(row["version"])
        return {
            batch: min(several) if len(several) == 1 else TORN for batch, several in found.items()
        }

    def parts(self, log_type: str, granularity: str, batches: Iterable[str]) -> Parts:
        """The parts of some batches, added up where they share a window."""
        wanted = list(batches)
        if not wanted or not tables.exists(self._spark, self._name):
            return {}
        rows = self._of(log_type, granularity).where(F.col("batch").isin(wanted))
        return risen(rows.select(*landed({}).column_names).toArrow())

    def replace(
        self,
        log_type: str,
        granularity: str,
        folded: Mapping[str, Parts],
        versions: Mapping[str, str],
    ) -> None:
        """Write batches, and take out what an earlier version of them had beside it."""
        for batch, parts in folded.items():
            frame = self._frame(landed(parts))
            told = {
                "log_type": log_type,
                "granularity": granularity,
                "batch": batch,
                "version": versions[batch],
            }
            frame = frame.select(
                *[F.lit(value).alias(name) for name, value in told.items()], *frame.columns
            )
            tables.merge(frame, self._name, KEY, unique=True)
            which = " AND ".join(
                f"{name} {'<>' if name == 'version' else '='} {_literal(value)}"
                for name, value in told.items()
            )
            self._spark.sql(f"DELETE FROM {tables.quote(self._name)} WHERE {which}").collect()

    def _of(self, log_type: str, granularity: str) -> DataFrame:
        chosen = (F.col("log_type") == log_type) & (F.col("granularity") == granularity)
        return self._spark.table(self._name).where(chosen)

    def _frame(self, rows: pa.Table) -> DataFrame:
        return self._spark.createDataFrame(
            [tuple(row.values()) for row in rows.to_pylist()], LANDED
        )


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
