"""Moving an alias, and the append-only ledger of how it came about."""

from __future__ import annotations

import datetime as dt
import getpass
import hashlib
from typing import TYPE_CHECKING

from nextbest import tables
from nextbest.registry.versions import set_alias, version_at

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LEDGER = (
    "promotion_id string, promoted_at timestamp, promoted_by string, model string, "
    "version string, to_alias string, previous_version string, reason string, evidence string"
)


def promote(
    spark: SparkSession,
    ledger: str,
    model: str,
    version: str,
    alias: str,
    reason: str,
    evidence: str,
) -> bool:
    """Write a promotion on the ledger, then move the alias; returns whether the alias moved.

    Can be repeated: a promotion cut off between the two is completed, a complete one is left
    alone.
    """
    from pyspark.sql import functions as F

    previous = version_at(model, alias)
    history: list[str] = []
    if tables.exists(spark, ledger):
        mine = (F.col("model") == model) & (F.col("to_alias") == alias)
        rows = spark.table(ledger).where(mine).orderBy("promoted_at").select("version").collect()
        history = [row["version"] for row in rows]
    if not history or history[-1] != version:
        identity = f"{model}|{alias}|{version}|{len(history)}"
        row = (
            hashlib.sha256(identity.encode()).hexdigest()[:16],
            dt.datetime.now(dt.UTC).replace(tzinfo=None),
            getpass.getuser(),
            model,
            version,
            alias,
            previous,
            reason,
            evidence,
        )
        tables.merge(spark.createDataFrame([row], LEDGER), ledger, ["promotion_id"])
    if previous == version:
        return False
    set_alias(model, alias, version)
    return True
