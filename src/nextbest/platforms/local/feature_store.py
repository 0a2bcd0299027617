"""Feature tables on Delta, with the point-in-time join of Databricks' feature engineering client.

Semantics: ../shared/reference/databricks.md §2, read from databricks-feature-engineering 0.18.2.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from nextbest import tables
from nextbest.errors import DataError
from nextbest.platforms import Lookup

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class LocalFeatureStore:
    """The feature store port over the embedded engine."""

    def __init__(self, spark: SparkSession, lakehouse: Path) -> None:
        self._spark = spark
        self._lakehouse = lakehouse

    def write(self, table: str, frame: DataFrame, keys: Sequence[str], timestamp: str) -> None:
        """Upsert feature rows on keys + timestamp; new columns are added."""
        tables.merge(frame, table, [*keys, timestamp])
        # The engine keeps no primary keys: they stand beside the Delta log.
        declared = json.dumps({"keys": list(keys), "timestamp": timestamp})
        self._declaration(table).write_text(declared)

    def training_set(self, spine: DataFrame, lookups: Sequence[Lookup]) -> DataFrame:
        """The spine with each lookup's features as of its timestamp; unmatched rows stay.

        A feature that the spine already has is not looked up. Raises DataError when keys,
        types or timestamps of spine and table don't fit.
        """
        for lookup in lookups:
            table = tables.read(self._spark, lookup.table)
            declaration = self._declaration(lookup.table)
            if not declaration.is_file():
                raise DataError(
                    f"{lookup.table} is no feature table: write it by the feature store"
                )
            declared = json.loads(declaration.read_text())
            if list(lookup.keys) != declared["keys"]:
                raise DataError(
                    f"unable to join feature table {lookup.table}: its keys are "
                    f"{declared['keys']}, the lookup names {list(lookup.keys)}"
                )
            spine = _as_of_join(spine, table, lookup, declared["timestamp"])
        return spine

    def _declaration(self, table: str) -> Path:
        return self._lakehouse.joinpath(*table.split(".")) / "_feature_table.json"


def _as_of_join(spine: DataFrame, table: DataFrame, lookup: Lookup, own: str) -> DataFrame:
    """For each spine row the latest feature row at or before it, taken whole (NULLs stay)."""
    _require_joinable(spine, table, lookup, own)
    keys = [f"__key{at}" for at in range(len(lookup.keys))]
    named = lookup.features or tuple(c for c in table.columns if c not in {*lookup.keys, own})
    wanted = [name for name in named if name not in spine.columns]
    # Which feature row answers which moment is found on keys and times alone: one sort, where at
    # equal times features come before the spine. Only then are the features themselves joined.
    asked = _renamed(spine, lookup.keys).select(
        *keys, F.col(lookup.timestamp).alias("__time"), F.lit(1).alias("__side"),
        F.lit(None).cast("timestamp").alias("__found"),
    )  # fmt: skip
    known = _renamed(table, lookup.keys).select(
        *keys, F.col(own).alias("__time"), F.lit(0).alias("__side"), F.col(own).alias("__found")
    )
    latest = Window.partitionBy(*keys).orderBy("__time", "__side").rowsBetween(
        Window.unboundedPreceding, Window.currentRow
    )  # fmt: skip
    answers = (
        asked.distinct()
        .unionByName(known)
        .withColumn("__found", F.last("__found", ignorenulls=True).over(latest))
        .where("__side = 1 AND __found IS NOT NULL")
    )
    features = _renamed(table, lookup.keys, "__at").select(
        *[F.col(f"__at{at}") for at in range(len(keys))], F.col(own).alias("__own"), *wanted
    )
    at_key = [F.col(name) == F.col(key) for name, key in zip(lookup.keys, keys, strict=True)]
    at_row = [F.col(key) == F.col(f"__at{at}") for at, key in enumerate(keys)]
    rows = answers.join(features, [*at_row, F.col("__found") == F.col("__own")])
    return spine.join(
        rows.select(*keys, "__time", *wanted),
        [*at_key, F.col(lookup.timestamp) == F.col("__time")],
        "left",
    ).select(*spine.columns, *wanted)


def _renamed(frame: DataFrame, keys: Sequence[str], prefix: str = "__key") -> DataFrame:
    return frame.withColumnsRenamed({key: f"{prefix}{at}" for at, key in enumerate(keys)})


def _require_joinable(spine: DataFrame, table: DataFrame, lookup: Lookup, own: str) -> None:
    problems = []
    left, right = dict(spine.dtypes), dict(table.dtypes)
    for key in lookup.keys:
        if left.get(key) != right.get(key):
            problems.append(
                f"key '{key}' is {left.get(key, 'absent')} in the spine and "
                f"{right.get(key, 'absent')} in the table"
            )
    problems += [f"no feature '{name}'" for name in lookup.features if name not in right]
    if left.get(lookup.timestamp) != "timestamp":
        problems.append(f"the spine's '{lookup.timestamp}' is no timestamp")
    if right.get(own) != "timestamp":
        problems.append(f"the table's '{own}' is no timestamp")
    if problems:
        raise DataError(f"unable to join feature table {lookup.table}: {'; '.join(problems)}")
