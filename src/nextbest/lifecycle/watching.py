"""Notebooks 06 and 07: what the live decisions look like, and whether they have drifted."""

from __future__ import annotations

import datetime as dt

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbest import registry, tables
from nextbest.lifecycle import frames
from nextbest.lifecycle.outcome import Outcome, nothing_live
from nextbest.lifecycle.reporting import write_pages
from nextbest.lifecycle.responding import respond
from nextbest.monitoring.alerts import RETRAIN
from nextbest.monitoring.schemas import ALL_MODELS, TABLE
from nextbest.monitoring.verdict import judge_drift
from nextbest.platforms import Monitor, open_platform
from nextbest.platforms.watched import live_monitor
from nextbest.settings import Settings

SCORES = ("p_response", "expected_value", "action_id", "channel")


def monitor(settings: Settings, spark: SparkSession) -> Outcome:
    """06: the day's decisions are profiled and compared with the champion's training window."""
    platform = open_platform(settings, spark)
    if registry.version_at(settings.model, "champion") is None:
        return Outcome(nothing_live(settings.model))
    watched = _watched(settings, spark)
    platform.monitors.refresh(watched, settings.as_of)
    metrics = platform.monitors.tables(watched)
    profile, drift = spark.table(metrics.profile), spark.table(metrics.drift)
    return Outcome(
        f"{metrics.profile}: {profile.count():,} rows; {metrics.drift}: {drift.count():,} rows",
        {
            "Profile of the day's decisions": _of_day(profile, settings).limit(50),
            "How far they are from the training window": _of_day(drift, settings).limit(50),
        },
    )


def detect_drift(settings: Settings, spark: SparkSession, run: str = "none") -> Outcome:
    """07: have features or scores left the training window, and what is done about it?

    The value `drift` says whether the job starts a retraining, `verdict` what was found. run: "job
    id/run id", to which the report links; none by hand.
    """
    platform = open_platform(settings, spark)
    version = registry.version_at(settings.model, "champion")
    if version is None:
        return Outcome(nothing_live(settings.model), values={"drift": "false"})
    watched = _watched(settings, spark)
    metrics = platform.monitors.tables(watched)
    # All versions that decided on that day together, each against its own training window.
    everyone = F.col("model_version") == ALL_MODELS
    against = F.col("drift_type") == "BASELINE"
    drift = _of_day(tables.read(spark, metrics.drift), settings).where(everyone & against)
    moved = drift.toPandas()
    verdict = judge_drift(moved, watched.columns, settings.drift_threshold)
    response = respond(settings, spark, version, verdict)  # first: the pages tell of it
    file = write_pages(settings, platform, watched, verdict, run)
    return Outcome(
        f"{verdict.text} Response: {response.reason}. Report: {file}",
        {"How far each column is from the training window": _distances(moved)},
        {
            "drift": str(response.action == RETRAIN).lower(),
            "verdict": "drift" if verdict.drifted else "no drift",
        },
    )


def _distances(moved: pd.DataFrame) -> pd.DataFrame:
    """The measures of the verdict, a row per column, those furthest away first."""
    measures = ["population_stability_index", "js_distance"]
    rows = moved.loc[moved["column_name"] != TABLE, ["column_name", "data_type", *measures]]
    return rows.sort_values(measures, ascending=False, ignore_index=True)


def _watched(settings: Settings, spark: SparkSession) -> Monitor:
    """Features and scores of the day's decisions, against those of the training window."""
    return live_monitor(settings.table, (*SCORES, *frames.feature_names(settings, spark)))


def _of_day(metrics: DataFrame, settings: Settings) -> DataFrame:
    start = dt.datetime.combine(settings.as_of, dt.time(), dt.UTC)
    return metrics.where(F.col("window.start") == F.lit(start))
