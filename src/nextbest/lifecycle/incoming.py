"""Notebooks 01 and 02: rows come in, are checked, and become features."""

from __future__ import annotations

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from nextbest import tables, use_cases
from nextbest.data.contracts import QUARANTINE
from nextbest.data.quarantine import check
from nextbest.features.customer import customer_features
from nextbest.lifecycle.frames import KEYS, midnight
from nextbest.lifecycle.outcome import Outcome
from nextbest.platforms import open_platform
from nextbest.settings import Settings


def generate_data(settings: Settings, spark: SparkSession) -> Outcome:
    """01: every row is held against its contract; a broken one goes whole to quarantine."""
    platform, case = open_platform(settings, spark), use_cases.load(settings)
    log = settings.table("decisions")
    so_far = spark.table(log) if tables.exists(spark, log) else None
    counts = []
    for name, frame in case.read(spark, settings, so_far, platform.volume / "incoming").items():
        # Rows land as they came; what follows reads the files, not the source again.
        landed = str(platform.volume / "incoming" / f"{settings.dataset}{name}")
        frame.write.mode("overwrite").parquet(landed)
        contract = case.contracts[name]
        rows = spark.read.schema(frame.schema).parquet(landed)  # an empty frame leaves no file
        good, rejected = check(rows, contract, settings.as_of.isoformat(), settings.source)
        tables.merge(good, settings.table(name), contract.keys, unique=True)
        tables.merge(rejected, settings.table("quarantine"), QUARANTINE.keys, unique=True)
        counts.append(
            {
                "table": settings.table(name),
                "rows": spark.table(settings.table(name)).count(),
                "rejected": rejected.count(),
            }
        )
    rejected = sum(count["rejected"] for count in counts)
    told = ", ".join(f"{count['table'].split('.')[-1]} {count['rows']:,}" for count in counts)
    return Outcome(
        f"rows before {settings.as_of}: {told}; {rejected} rejected",
        (pd.DataFrame(counts),),
        {"rejected": str(rejected)},
    )


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
