"""The pages of notebook 07: one of the day, and the index over all days."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbest import registry, tables
from nextbest.lifecycle.measuring import measured_days
from nextbest.lifecycle.responding import newest_judged, read_responses
from nextbest.monitoring.assessment import Assessment
from nextbest.monitoring.index_page import index_page
from nextbest.monitoring.report import Response, Seen, page
from nextbest.monitoring.schemas import ALL_MODELS, TABLE
from nextbest.monitoring.verdict import Verdict
from nextbest.platforms import Monitor, Platform
from nextbest.settings import Settings

HISTORY = 90  # days on the pages
MEANS = ("value", "value_of_control", "lift")  # money per decision, each with its interval
EXPLAINED = 8  # decisions that the day's page names


def write_pages(
    settings: Settings, platform: Platform, watched: Monitor, assessment: Assessment, run: str
) -> Path:
    """Write the day's page and the index anew from the metric tables; the day's file.

    run: "job id/run id", or none by hand. A rerun replaces both, and nothing else.
    """
    verdict, metrics = assessment.verdict, platform.monitors.tables(watched)
    drift = _days(tables.read(platform.spark, metrics.drift), settings)
    profile = _days(tables.read(platform.spark, metrics.profile), settings)
    folder = platform.volume / "monitoring"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{settings.dataset}{settings.as_of}.html"
    index = folder / f"{settings.dataset}index.html"
    seen = _seen(settings, platform, watched, drift, profile, metrics.profile)
    done = _done(settings, platform.spark)
    told = page(
        settings.as_of, verdict, seen, threshold=settings.drift_threshold,
        responses=_responses(settings, verdict, done),
        links=_links(settings, platform, file, index, run), model_id=watched.model_id,
        explained_by=_explained_by(settings), assessment=assessment,
    )  # fmt: skip
    file.write_text(told, encoding="utf-8")
    known = re.compile(re.escape(settings.dataset) + r"(\d{4}-\d{2}-\d{2})\.html")
    pages = {
        match[1]: quote(each.name)
        for each in sorted(folder.iterdir())
        if (match := known.fullmatch(each.name))
    }
    index.write_text(_overview(settings, platform, watched, pages), encoding="utf-8")
    return file


def _overview(
    settings: Settings, platform: Platform, watched: Monitor, pages: Mapping[str, str]
) -> str:
    """The page over all days up to the newest that was judged, whichever was asked for now."""
    spark, metrics = platform.spark, platform.monitors.tables(watched)
    newest_day = max(settings.as_of, newest_judged(settings, spark) or settings.as_of)
    whole = dataclasses.replace(settings, as_of=newest_day)
    drift = _days(tables.read(spark, metrics.drift), whole)
    profile = _days(tables.read(spark, metrics.profile), whole).where("log_type = 'INPUT'")
    unsliced, newest = F.col("slice_key").isNull(), max(pages)
    drifted, risk = _judged(whole, spark)
    return index_page(
        drift.where(unsliced & (F.col("drift_type") == "BASELINE")).toPandas(),
        profile.where(unsliced & (F.col("column_name") == TABLE)).toPandas(),
        watched.columns, threshold=settings.drift_threshold, pages=pages,
        responses=_done(whole, spark), drifted=drifted, risk=risk, came=_came(whole, spark),
        links={f"newest ({newest})": pages[newest]}, model_id=watched.model_id,
        title=f"Monitoring of {settings.table('recommendations')}",
    )  # fmt: skip


def _days(metrics: DataFrame, settings: Settings) -> DataFrame:
    """Rows of the last HISTORY days up to as_of, of all models together, with `day` as text."""
    until = dt.datetime.combine(settings.as_of, dt.time(), dt.UTC)
    start = F.col("window.start")
    recent = (start <= F.lit(until)) & (start > F.lit(until - dt.timedelta(days=HISTORY)))
    return metrics.where(recent).withColumn("day", F.date_format(start, "yyyy-MM-dd"))


def _seen(
    settings: Settings,
    platform: Platform,
    watched: Monitor,
    drift: DataFrame,
    profile: DataFrame,
    profile_table: str,
) -> Seen:
    """What the day's page needs of the tables, and no more: slices of that day only."""
    today, whole = settings.as_of.isoformat(), F.col("slice_key").isNull()
    everyone = F.col(watched.model_id) == ALL_MODELS
    given = profile.where("log_type = 'INPUT'").where(whole)
    before = given.where(F.col("day") < today).agg(F.max("day")).collect()[0][0]
    of_table = F.col("column_name") == TABLE
    baseline = tables.read(platform.spark, profile_table).where("log_type = 'BASELINE'")
    return Seen(
        drift.where(everyone & (whole | (F.col("day") == today))).toPandas(),
        given.where(of_table | (everyone & F.col("day").isin([today, before or today]))).toPandas(),
        baseline.where(whole & everyone).toPandas(),
        _some_decisions(settings, platform.spark),
        _came(settings, platform.spark),
    )


def _came(settings: Settings, spark: SparkSession) -> pd.DataFrame:
    """decision_metrics of days with outcomes, shaped as metrics of a whole table."""
    rows = measured_days(settings, spark, HISTORY)
    told = rows[(rows["model_version"] == ALL_MODELS) & (rows["matured"] > 0)]
    means = [f"{name}{end}" for name in MEANS for end in ("", "_low", "_high")]
    first = ["model_version", *means]
    left = {*first, "model", "counted", "sums", "decisions"}
    left |= {name for name in told if name.startswith("foretold_")}
    last = ["matured", "controls", "contacts", "action_shares"]
    middle = [name for name in told if name not in left | {*last}]
    return told.reindex(columns=[*first, *middle, *last]).assign(
        day=told["day"].astype(str), column_name=TABLE, slice_key=None
    )


def _some_decisions(settings: Settings, spark: SparkSession) -> pd.DataFrame:
    """The day's decisions with the highest expected value, one of each action first."""
    table = settings.table("recommendations")
    day = F.to_date("decided_at") == F.lit(settings.as_of)
    names = ["decision_id", "action_id", "channel", "expected_value"]
    rows = tables.read(spark, table).where(day).select(*names)
    best = rows.groupBy("action_id").agg(
        F.max_by(F.struct(*names), F.struct("expected_value", "decision_id")).alias("best")
    )
    found = best.select("best.*").orderBy(F.desc("expected_value"), "decision_id")
    return found.limit(EXPLAINED).toPandas()


def _done(settings: Settings, spark: SparkSession) -> dict[str, list[str]]:
    """By day what was done about the verdict and who was told, as far as tables tell."""
    found: dict[str, list[str]] = {}
    since = settings.as_of - dt.timedelta(days=HISTORY)
    recent = F.col("as_of").between(F.lit(since), F.lit(settings.as_of))
    mine = recent & (F.col("model") == settings.model)
    responses, alerts = settings.table("responses"), settings.table("alerts")
    if tables.exists(spark, responses):
        for row in spark.table(responses).where(mine).orderBy("as_of").collect():
            found.setdefault(str(row["as_of"]), []).append(f"{row['action']}: {row['reason']}")
    if tables.exists(spark, alerts):
        standing = spark.table(alerts).where(mine & F.col("standing"))
        counted = standing.groupBy("as_of", "severity").count().orderBy("as_of", "severity")
        for row in counted.collect():
            told = f"{row['count']} {row['severity']} alert{'s' if row['count'] > 1 else ''}"
            found.setdefault(str(row["as_of"]), []).append(told)
    return found


def _judged(settings: Settings, spark: SparkSession) -> tuple[dict[str, bool], dict[str, float]]:
    """By day: the verdict, and the risk score of days that were told one."""
    if not tables.exists(spark, settings.table("responses")):
        return {}, {}
    rows = read_responses(settings, spark, settings.as_of - dt.timedelta(days=HISTORY))
    risks = {str(each.as_of): each.risk for each in rows if each.risk is not None}
    return {str(each.as_of): each.drifted for each in rows}, risks


def _responses(
    settings: Settings, verdict: Verdict, done: Mapping[str, Sequence[str]]
) -> list[Response]:
    """What follows the verdict, and what stands ready in the registry."""
    told = [Response(text) for text in done.get(settings.as_of.isoformat(), ())]
    if verdict.drifted and not told:
        told.append(Response("monitoring_job starts training_job: a new version is trained"))
    champion = registry.version_at(settings.model, "champion")
    candidate = registry.version_at(settings.model, "candidate")
    if candidate is not None and candidate != champion:
        found = registry.recorded_verdict(settings.model, candidate)
        words = "not yet judged" if found is None else f"judged on {found.as_of}: {found.text}"
        told.append(Response(f"version {candidate} was trained and is {words}"))
    return told


def _links(
    settings: Settings, platform: Platform, file: Path, index: Path, run: str
) -> Mapping[str, str | None]:
    found: dict[str, str | None] = {"All days": quote(index.name)}
    if (address := platform.links.run(run, file)) is not None:
        found["This run"] = address
    named: dict[str, str] = {}
    for alias in ("champion", "candidate"):
        if (version := registry.version_at(settings.model, alias)) is not None:
            named.setdefault(version, alias)
    for version, alias in named.items():
        if (its := registry.run_of(settings.model, version)) is not None:
            told = f"MLflow run of {alias} {version}"
            found[told] = platform.links.mlflow(its.experiment_id, its.run_id)
    found["Decisions to explain"] = "#decisions"
    return found


def _explained_by(settings: Settings) -> str:
    if settings.platform == "local":
        return "dbb explain {} --local"
    return f"SELECT * FROM {settings.table('recommendations')} WHERE decision_id = '{{}}'"
