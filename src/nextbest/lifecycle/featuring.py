"""Notebook 02: rows become features."""

from __future__ import annotations

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from nextbest import tables
from nextbest.features.customer import customer_features
from nextbest.lifecycle.frames import KEYS, midnight
from nextbest.lifecycle.outcome import Outcome
from nextbest.platforms import open_platform
from nextbest.settings import Settings


def engineer_features(settings: Settings, spark: SparkSession) -> Outcome:
    """02: customer features for every day with decisions before `as_of`, and for `as_of`."""
    platform = open_platform(settings, spark)
    known = {
        name: tables.read(spark, settings.table(name))
        for name in ("customers", "interactions", "decisions", "outcomes")
    }
    decided = known["decisions"].where(F.col("decided_at") < midnight(settings))
    days = decided.select("customer_id", F.to_date("decided_at").cast("timestamp").alias("as_of"))
    today = known["customers"].select("customer_id", midnight(settings).alias("as_of"))
    spine = days.unionByName(today).distinct()
    name = settings.table("customer_features")
    platform.features.write(name, customer_features(spine, **known), KEYS[:1], KEYS[1])
    table = spark.table(name)
    return Outcome(
        f"{name}: {table.count():,} rows, {len(table.columns) - len(KEYS)} features",
        (table.limit(20),),
    )
