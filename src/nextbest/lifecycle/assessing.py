"""What notebook 07 knows of a day: drift of columns, what outcomes say, and what scores lean on."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from nextbest import registry, tables
from nextbest.evaluation.concept import judge_concept
from nextbest.lifecycle.measuring import SCORE, compared_share, measured_days
from nextbest.monitoring.assessment import Assessment, assess
from nextbest.monitoring.causes import leaning
from nextbest.monitoring.decision_metrics import foretold_of, quality_of
from nextbest.monitoring.guardrails import broken_guardrails, unusual_day
from nextbest.monitoring.risk import STALE_DAYS
from nextbest.monitoring.schemas import ALL_MODELS
from nextbest.monitoring.verdict import Drifted, judge_drift
from nextbest.platforms import Monitor
from nextbest.settings import Settings, windows_of

SCORES = ("p_response", SCORE, "action_id", "channel")  # of a decision, no features
OUTCOME_DAYS = 7  # the newest days with outcomes: a whole week, so weekdays tell nothing
LEANING_ROWS = 20_000  # of the day, the same ones in every run


def assess_day(
    settings: Settings,
    spark: SparkSession,
    watched: Monitor,
    version: str,
    drift_table: str,
) -> tuple[Assessment, pd.DataFrame]:
    """The day's assessment, and its BASELINE rows of drift_metrics.

    drift_table: drift_metrics of the monitor. Columns are judged over the last days on which the
    same versions decided, outcomes over the newest OUTCOME_DAYS of `version` that have matured.
    """
    needed, of = windows_of(settings.drift_windows)
    measured = measured_days(settings, spark, max(of, OUTCOME_DAYS + settings.attribution_days + 1))
    rows = _recent(settings, spark, drift_table, of, _gone(measured))
    drift = judge_drift(rows, watched.columns, settings.drift_threshold, windows=needed, of=of)
    today = rows[rows["day"] == settings.as_of]
    closed = settings.as_of - dt.timedelta(days=settings.attribution_days)
    matured = measured[(measured["matured"] > 0) & (measured["day"] <= closed)]
    mine = matured[matured["model_version"] == version].tail(OUTCOME_DAYS).to_dict("records")
    of_version = measured[(measured["model_version"] == version) & (measured["decisions"] > 0)]
    everyone = measured[measured["model_version"] == ALL_MODELS]
    now = everyone[everyone["day"] == settings.as_of].to_dict("records")
    assessment = assess(
        drift,
        today,
        _leans(settings, spark, watched),
        judge_concept([foretold_of(row) for row in mine]) if mine else None,
        broken_guardrails(quality_of(now), quality_of(mine), compared_share(settings))
        + _unusual(settings, of_version),
        _age(settings, version),
    )
    return assessment, today


def _unusual(settings: Settings, of_version: pd.DataFrame) -> tuple[Drifted, ...]:
    rows = of_version.to_dict("records")
    today = quality_of([row for row in rows if row["day"] == settings.as_of])
    before = [quality_of([row]) for row in rows if row["day"] < settings.as_of]
    return unusual_day(today, before, settings.max_contact_growth)


def _gone(measured: pd.DataFrame) -> frozenset[tuple[dt.date, str]]:
    """Days and versions whose decisions another version made again."""
    none = measured[measured["decisions"] == 0]
    return frozenset(zip(none["day"], none["model_version"], strict=True))


def _recent(
    settings: Settings,
    spark: SparkSession,
    table: str,
    days: int,
    gone: frozenset[tuple[dt.date, str]],
) -> pd.DataFrame:
    """Rows of all versions together, without slices, of days with the versions of `as_of`."""
    until = dt.datetime.combine(settings.as_of, dt.time(), dt.UTC)
    start = F.col("window.start")
    wanted: Column = (start <= F.lit(until)) & (start > F.lit(until - dt.timedelta(days=days)))
    wanted &= F.col("slice_key").isNull() & (F.col("drift_type") == "BASELINE")
    found = tables.read(spark, table).where(wanted).withColumn("day", F.to_date(start)).toPandas()
    pairs = zip(found["day"], found["model_version"], strict=True)
    live = np.fromiter((pair not in gone for pair in pairs), dtype=bool, count=len(found))
    of_versions = found[live & (found["model_version"] != ALL_MODELS)]
    decided = of_versions.groupby("day")["model_version"].agg(frozenset)
    same = {day for day, versions in decided.items() if versions == decided.get(settings.as_of)}
    everyone = found["model_version"] == ALL_MODELS
    return found[everyone & found["day"].isin({*same, settings.as_of})]


def _leans(settings: Settings, spark: SparkSession, watched: Monitor) -> dict[str, float]:
    """How much the day's scores lean on each feature; of none, where nothing was decided."""
    features = [name for name in watched.columns if name not in SCORES]
    rows = tables.read(spark, watched.table).where(F.col("as_of") == F.lit(settings.as_of))
    some = rows.orderBy(F.xxhash64("decision_id")).limit(LEANING_ROWS)
    frame = some.select(SCORE, *map(tables.column, features)).toPandas()
    return leaning(frame, features, SCORE) if len(frame) else dict.fromkeys(features, 0.0)


def _age(settings: Settings, version: str) -> int:
    """Days since the version was judged; one that never was counts as stale."""
    judged = registry.recorded_verdict(settings.model, version)
    if judged is None:
        return STALE_DAYS
    return (settings.as_of - judged.as_of).days
