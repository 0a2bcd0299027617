"""Tables with scores of some days, their monitor, and the rows of its metric tables."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pandas as pd

from nextbest.platforms import Monitor
from nextbest.platforms.own_monitors import OwnMonitors

SCHEMA = "juan_dev.ml_nba_demo_dev"
DAY = dt.date(2026, 3, 5)


def rows(count, days, seed, shift=0.0):
    random = np.random.default_rng(seed)
    at = [f"2026-03-{day:02d} {hour:02d}:10" for day, hour in zip(
        random.choice(days, count), random.integers(0, 24, count), strict=True)]  # fmt: skip
    return pd.DataFrame({
        "score": random.normal(shift, size=count),
        "channel": random.choice(["sms", "call"], count),
        "at": pd.to_datetime(at),
        "version": "3",
    })  # fmt: skip


def make(spark, name, frame, base=None, **changes):
    """A monitor of a table of these rows, and their adapter."""
    spark.createDataFrame(frame).write.format("delta").mode("overwrite").saveAsTable(
        f"{SCHEMA}.{name}"
    )
    if base is not None:
        spark.createDataFrame(base).write.format("delta").mode("overwrite").saveAsTable(
            f"{SCHEMA}.{name}_base"
        )
    monitor = Monitor(
        f"{SCHEMA}.{name}", None if base is None else f"{SCHEMA}.{name}_base", "at", "1 day",
        "version", "score", ("score", "channel"),
    )  # fmt: skip
    return OwnMonitors(spark), dataclasses.replace(monitor, **changes)


def read(spark, name, where="true", order=("window", "column_name", "log_type", "version")):
    found = spark.table(name).where(where).toArrow().to_pylist()
    return sorted(found, key=lambda row: str([row.get(key) for key in order]))


def whole(kind):
    return f"version = '*' AND column_name = '{kind}' AND "
