"""What came of the live decisions, day by day: the table decision_metrics, late outcomes too."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbest import tables
from nextbest.decisions.reasons import WIDER
from nextbest.errors import DataError
from nextbest.lifecycle import frames
from nextbest.lifecycle.responding import write
from nextbest.monitoring.binning import Bins, bins_of
from nextbest.monitoring.causes import leaning
from nextbest.monitoring.decision_metrics import COLUMNS, KEY, SCHEMA, metrics_row
from nextbest.monitoring.schemas import ALL_MODELS
from nextbest.settings import Settings
from nextbest.use_cases import UseCase

TABLE = "decision_metrics"
LATE_DAYS = 30  # after a day's attribution window closed, so long are its outcomes looked at anew
OPT_OUT = "opt_out"
SCORE = "expected_value"  # what a decision is made by
_FEATURE = "feature "  # begins the names of features: beside what came, they can't be taken for it


def measure_decisions(settings: Settings, spark: SparkSession, case: UseCase) -> int:
    """Bring decision_metrics up to `as_of`; how many days were measured anew.

    A row per day and model version, and one of all versions of the day ("*"). A day is measured
    when it is new, when its outcomes have matured since, and when outcomes came late: `counted`
    tells. A run for an earlier `as_of` takes nothing back of what has matured since. Of a version
    whose decisions were made again by another one, a row of no decisions is left. Decisions of the
    eligibility-only group are no side of the comparison and left out.
    """
    write(spark, [], SCHEMA, settings.table(TABLE), list(KEY))
    logged = tables.read(spark, settings.table("recommendations")).columns
    features = [name for name in frames.feature_names(settings, spark) if name in logged]
    live = _live(settings, spark, case, features)
    now = {row["day"]: row["counted"] for row in live.groupBy("day").agg(_counted()).collect()}
    known = _known(settings, spark)
    changed = sorted(
        day for day, counted in now.items() if _is_news(counted, known.get((day, ALL_MODELS)))
    )
    apart: dict[str, dict[str, Bins]] = {}
    for day in changed:  # one day at a time: memory holds one
        versions = [version for of, version in known if of == day]
        of_day = live.where(F.col("day") == F.lit(day)).toPandas()
        for version in {*of_day["model_version"]} - {*apart}:
            apart[version] = _apart(settings, spark, version, features)
        rows = _metrics(settings, of_day, day, versions, apart)
        told = [
            {"model": settings.model, "model_version": version, "day": day, "counted": now[day]}
            | metrics
            for version, metrics in rows.items()
        ]
        write(
            spark, [tuple(row[name] for name in COLUMNS) for row in told],
            SCHEMA, settings.table(TABLE), list(KEY),
        )  # fmt: skip
    return len(changed)


def measured_days(settings: Settings, spark: SparkSession, days: int) -> pd.DataFrame:
    """Rows of decision_metrics of so many days up to `as_of`, oldest first."""
    since = settings.as_of - dt.timedelta(days=days)
    day = F.col("day")
    mine = (
        (F.col("model") == settings.model) & (day > F.lit(since)) & (day <= F.lit(settings.as_of))
    )
    rows = tables.read(spark, settings.table(TABLE)).where(mine)
    return rows.orderBy("day", "model_version").toPandas()


def decided_by(settings: Settings, spark: SparkSession) -> str | None:
    """The version that decided most on `as_of`; None where nothing of that day was measured.

    Not the champion of now: a day may be looked at again after another version was released.
    """
    rows = measured_days(settings, spark, 1)
    mine = rows[(rows["model_version"] != ALL_MODELS) & (rows["decisions"] > 0)]
    if mine.empty:
        return None
    return str(mine.sort_values(["decisions", "model_version"])["model_version"].iloc[-1])


def compared_share(settings: Settings) -> float:
    """The control group's share of who is compared, among whom eligibility-only is not."""
    return settings.control_share / (1 - settings.eligibility_share)


def _known(settings: Settings, spark: SparkSession) -> dict[tuple[dt.date, str], str]:
    """`counted` of what is measured already, by day and version."""
    kept = spark.table(settings.table(TABLE)).where(F.col("model") == settings.model)
    rows = kept.select("day", "model_version", "counted").collect()
    return {(row["day"], row["model_version"]): row["counted"] for row in rows}


def _metrics(
    settings: Settings,
    rows: pd.DataFrame,
    day: dt.date,
    versions: Sequence[str],
    apart: Mapping[str, Mapping[str, Bins]],
) -> dict[str, dict[str, Any]]:
    """By model version, these among them, and of all; DataError for a propensity that is none.

    apart: by version, for `metrics_row`; all together are told apart by treatment alone.
    """
    chances = rows["propensity"].to_numpy(dtype=float, na_value=float("nan"))
    if wrong := int((~((chances > 0) & (chances <= 1))).sum()):
        raise DataError(
            f"table {settings.table('recommendations')}: {wrong} of {len(rows)} decisions of {day} "
            "have a propensity outside (0, 1]; run inference_job for that day again"
        )
    share = compared_share(settings)
    parts = dict.fromkeys(versions, rows.iloc[:0]) | {ALL_MODELS: rows}
    parts |= {str(name): part for name, part in rows.groupby("model_version")}
    return {
        name: metrics_row(part, share, settings.confidence, apart.get(name))
        for name, part in parts.items()
    }


def _apart(
    settings: Settings, spark: SparkSession, version: str, features: Sequence[str]
) -> dict[str, Bins]:
    """By which features a version's decisions are told apart: those of its training window.

    They are the same on every day, so days add up. A version without a baseline has none.
    """
    baseline = tables.read(spark, settings.table("training_baseline"))
    known = [name for name in features if name in baseline.columns]
    mine = baseline.where(F.col("model_version") == version)
    rows = mine.select(SCORE, *map(tables.column, known)).toPandas()
    bins = bins_of(rows, leaning(rows, known, SCORE)) if len(rows) else ()
    return {_FEATURE + each.feature: each for each in bins}


def _live(
    settings: Settings, spark: SparkSession, case: UseCase, features: Sequence[str]
) -> DataFrame:
    """The days that may have changed: decisions with what came of them, as `metrics_row` reads."""
    since = settings.as_of - dt.timedelta(days=settings.attribution_days + LATE_DAYS)
    day = F.to_date("decided_at")
    made = tables.read(spark, settings.table("recommendations")).where(
        (day >= F.lit(since)) & (day <= F.lit(settings.as_of)) & (F.col("reason_code") != WIDER)
    )
    decided = made.select(
        "decision_id", "decided_at", "model_version", "treatment", "action_id", "channel",
        "propensity", "control_group", "p_response",
        *(tables.column(name).alias(_FEATURE + name) for name in features),
    )  # fmt: skip
    kinds = frames.kinds(case)
    opted_out = F.col(OPT_OUT) if OPT_OUT in kinds else F.lit(0.0)
    joined = decided.join(frames.labels_of(settings, spark, case, decided), "decision_id")
    return joined.select(
        day.alias("day"), "model_version", "treatment", "action_id", "propensity",
        "control_group", "p_response", "matured", "value", F.col(kinds[0]).alias("came"),
        opted_out.alias("opted_out"), *(tables.column(_FEATURE + name) for name in features),
    )  # fmt: skip


def _is_news(counted: str, known: str | None) -> bool:
    """Whether a day must be measured anew: other rows, and not only fewer that have matured."""
    if known is None or counted == known:
        return known is None
    (rows, matured), (rows_before, matured_before) = (
        map(int, each.split()[:2]) for each in (counted, known)
    )
    return rows < rows_before or matured >= matured_before


def _counted() -> Any:
    """One text per day that is another when decisions, or what came of them, are others.

    It begins with the number of decisions and how many of them have matured.
    """
    decided = F.crc32(F.concat_ws(" ", "model_version", "treatment", "propensity"))
    sums = [
        F.count(F.lit(1)),
        F.sum(F.col("matured").cast("bigint")),
        F.sum(decided),
        F.coalesce(F.sum("came"), F.lit(0.0)).cast("bigint"),
        F.coalesce(F.sum("opted_out"), F.lit(0.0)).cast("bigint"),
        F.round(F.coalesce(F.sum("value"), F.lit(0.0)), 4),
    ]
    return F.concat_ws(" ", *(each.cast("string") for each in sums)).alias("counted")
