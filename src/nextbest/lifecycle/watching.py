"""Notebooks 06 and 07: what the live decisions look like, and whether they have drifted."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbest import registry, use_cases
from nextbest.lifecycle import frames
from nextbest.lifecycle.assessing import SCORES, assess_day
from nextbest.lifecycle.measuring import TABLE as DECISION_METRICS
from nextbest.lifecycle.measuring import decided_by, measure_decisions, measured_days
from nextbest.lifecycle.outcome import Outcome, nothing_live
from nextbest.lifecycle.reporting import write_pages
from nextbest.lifecycle.responding import locate, respond
from nextbest.monitoring.alerts import RETRAIN
from nextbest.monitoring.assessment import Assessment
from nextbest.monitoring.schemas import TABLE
from nextbest.platforms import Monitor, open_platform
from nextbest.platforms.watched import live_monitor
from nextbest.settings import Settings, slices_of

SHOWN_DAYS = 14
SHOWN = (
    "day", "model_version", "decisions", "matured", "value", "value_of_control", "lift_low",
    "lift", "lift_high", "predicted_rate", "observed_rate", "roc_auc_score", "opt_out_rate",
    "opt_out_over_control", "contact_rate", "action_entropy", "sample_ratio_pvalue",
)  # fmt: skip


def monitor(settings: Settings, spark: SparkSession) -> Outcome:
    """06: the day's decisions are profiled and compared with the champion's training window."""
    platform = open_platform(settings, spark)
    if registry.version_at(settings.model, "champion") is None:
        return Outcome(nothing_live(settings.model))
    watched = _watched(settings, spark)
    platform.monitors.refresh(watched, settings.as_of)
    metrics = platform.monitors.tables(watched)
    profile, drift = spark.table(metrics.profile), spark.table(metrics.drift)
    days = measure_decisions(settings, spark, use_cases.load(settings))
    came = measured_days(settings, spark, SHOWN_DAYS)[::-1]
    return Outcome(
        f"{metrics.profile}: {profile.count():,} rows; {metrics.drift}: {drift.count():,} rows; "
        f"days measured in {settings.table(DECISION_METRICS)}: {days}",
        {
            "What came of the decisions of the last days": came[list(SHOWN)],
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
    version = decided_by(settings, spark) or version
    watched = _watched(settings, spark)
    metrics = platform.monitors.tables(watched)
    seen, moved = assess_day(settings, spark, watched, version, metrics.drift)
    verdict = seen.verdict
    response = respond(settings, spark, version, seen)  # first: the pages tell of it
    file = write_pages(settings, platform, watched, seen, run)
    locate(
        settings, spark, response, str(file), _from_anywhere(platform.links.run(run, file), file)
    )
    return Outcome(
        f"{verdict.text} Risk: {seen.risk.score:.0f} of 100. Advice: {response.advice}. "
        f"Response: {response.reason}. Report: {file}",
        {
            "Why, most likely": _causes(seen),
            "How far each column is from the training window": _distances(moved),
        },
        {
            "drift": str(response.action == RETRAIN).lower(),
            "verdict": "drift" if verdict.drifted else "no drift",
        },
    )


def _from_anywhere(address: str | None, page: Path) -> str | None:
    """An address that stands on a page, as one that leads there from elsewhere, too."""
    if address is None or urlsplit(address).scheme:
        return address
    return os.path.normpath(page.parent / address)


def _causes(seen: Assessment) -> pd.DataFrame:
    rows = [(cause.kind, cause.weight, cause.text) for cause in seen.causes]
    return pd.DataFrame(rows, columns=["kind", "weight", "text"])


def _distances(moved: pd.DataFrame) -> pd.DataFrame:
    """The measures of the verdict, a row per column, those furthest away first."""
    measures = ["population_stability_index", "js_distance"]
    rows = moved.loc[moved["column_name"] != TABLE, ["column_name", "data_type", *measures]]
    return rows.sort_values(measures, ascending=False, ignore_index=True)


def _watched(settings: Settings, spark: SparkSession) -> Monitor:
    """Features and scores of the day's decisions, against those of the training window."""
    columns = (*SCORES, *frames.feature_names(settings, spark))
    return live_monitor(settings.table, columns, slices_of(settings.monitor_slices))


def _of_day(metrics: DataFrame, settings: Settings) -> DataFrame:
    start = dt.datetime.combine(settings.as_of, dt.time(), dt.UTC)
    return metrics.where(F.col("window.start") == F.lit(start))
