"""Notebooks 06 and 07: what the live decisions look like, and whether they have drifted."""

from __future__ import annotations

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from nextbest import registry, tables
from nextbest.lifecycle import frames
from nextbest.lifecycle.outcome import Outcome, nothing_live
from nextbest.monitoring.report import page
from nextbest.monitoring.verdict import judge_drift
from nextbest.platforms import Monitor, Platform, open_platform
from nextbest.settings import Settings

SCORES = ("p_response", "expected_value", "action_id", "channel")


def monitor(settings: Settings, spark: SparkSession) -> Outcome:
    """06: the day's decisions are profiled and compared with the champion's training window."""
    if registry.version_at(settings.model, "champion") is None:
        return Outcome(nothing_live(settings.model))
    platform = open_platform(settings, spark)
    watched = _watched(settings, spark)
    platform.monitors.refresh(watched, settings.as_of)
    metrics = platform.monitors.tables(watched)
    profile, drift = spark.table(metrics.profile), spark.table(metrics.drift)
    return Outcome(
        f"{metrics.profile}: {profile.count():,} rows; {metrics.drift}: {drift.count():,} rows",
        (profile.limit(50), drift.limit(50)),
    )


def detect_drift(settings: Settings, spark: SparkSession) -> Outcome:
    """07: have features or scores left the training window? `drift` decides what the job does."""
    if registry.version_at(settings.model, "champion") is None:
        return Outcome(nothing_live(settings.model), values={"drift": "false"})
    platform = open_platform(settings, spark)
    verdict, report = _verdict(settings, platform)
    file = platform.volume / "monitoring" / f"{settings.as_of}.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(report, encoding="utf-8")
    return Outcome(f"{verdict.text} Report: {file}", (), {"drift": str(verdict.drifted).lower()})
