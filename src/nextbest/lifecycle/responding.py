"""After a verdict: its alerts and what is done about it, on two tables."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbest import tables
from nextbest.monitoring.alerts import (
    RETRAIN,
    Alert,
    Brake,
    Response,
    decide_response,
    raised,
)
from nextbest.monitoring.assessment import Assessment
from nextbest.settings import Settings

ALERTS = (
    "alert_id string, model string, as_of date, version string, kind string, subject string, "
    "severity string, value double, threshold double, text string, told string, episode string, "
    "standing boolean"
)  # standing: the day's last run found it, too
RESPONSES = (
    "model string, as_of date, version string, drifted boolean, action string, reason string, "
    "verdict string, advice string, risk double, causes string, report string, run string"
)
PLACES = "model string, as_of date, report string, run string"  # of responses, written later
ACKNOWLEDGEMENTS = (
    "alert_id string, acknowledged_at timestamp, acknowledged_by string, reason string"
)
LOOK_BACK = dt.timedelta(days=366)  # for when a finding began


def respond(
    settings: Settings, spark: SparkSession, version: str, seen: Assessment
) -> Response:  # fmt: skip
    """Write the verdict's alerts and its response; a repeated run writes the same rows.

    Alerts of the day that this run does not find again stay, no longer `standing`. A retraining
    that an earlier run for the day started stays written down, whatever this one decides: the brake
    counts it. The first call makes the tables, that of acknowledgements too.
    """
    names = {name: settings.table(name) for name in ("alerts", "responses")}
    acknowledgements = settings.table("alert_acknowledgements")
    for table, schema, keys in (
        (names["alerts"], ALERTS, ["alert_id"]),
        (names["responses"], RESPONSES, ["model", "as_of"]),
        (acknowledgements, ACKNOWLEDGEMENTS, ["alert_id"]),
    ):
        write(spark, [], schema, table, keys)
    responses = read_responses(settings, spark)
    past = [alert for alert, standing in _alerts(settings, spark) if standing]
    found = raised(
        seen.verdict,
        settings.model,
        version,
        settings.as_of,
        past=past,
        judged={each.as_of for each in responses},
        acknowledged={row["alert_id"] for row in spark.table(acknowledgements).collect()},
        reminder_days=settings.alert_reminder_days,
    )
    gone = [
        alert
        for alert, _ in _alerts(settings, spark)
        if alert.as_of == settings.as_of and alert.alert_id not in {each.alert_id for each in found}
    ]
    rows = [(*dataclasses.astuple(each), True) for each in found]
    rows += [(*dataclasses.astuple(each), False) for each in gone]
    write(spark, rows, ALERTS, names["alerts"], ["alert_id"])
    brake = Brake(
        settings.retrain_cooldown_days, settings.retrain_cap, settings.retrain_window_days
    )
    started = [each.as_of for each in responses if each.action == RETRAIN]
    drifted = seen.verdict.drifted
    action, reason = decide_response(
        drifted, settings.as_of, started, newest_judged(settings, spark), brake, seen.advice
    )
    response = Response(
        settings.model, settings.as_of, version, drifted, action, reason, seen.verdict.text,
        f"{seen.advice.response}: {seen.advice.why}", seen.risk.score,
        json.dumps([dataclasses.asdict(cause) for cause in seen.causes]),
    )  # fmt: skip
    earlier = next((each for each in responses if each.as_of == settings.as_of), response)
    kept = dataclasses.replace(response, report=earlier.report, run=earlier.run)
    if earlier.action == RETRAIN:
        kept = dataclasses.replace(kept, action=RETRAIN, reason=earlier.reason)
    row = dataclasses.astuple(kept)
    write(spark, [row], RESPONSES, names["responses"], ["model", "as_of"])
    return response


def locate(
    settings: Settings, spark: SparkSession, response: Response, report: str, run: str | None
) -> None:
    """Write down where the page of a day is, and the run that made it; messages tell."""
    row = (response.model, response.as_of, report, run)
    keys = ["model", "as_of"]
    write(spark, [row], PLACES, settings.table("responses"), keys)


def standing_alerts(
    settings: Settings, spark: SparkSession, since: dt.date | None = None
) -> list[Alert]:
    """Alerts of the model up to `as_of`, without those that a later run did not find again.

    since: the first day; None: LOOK_BACK before `as_of`, as for `read_responses`.
    """
    return [alert for alert, standing in _alerts(settings, spark, since) if standing]


def read_responses(
    settings: Settings, spark: SparkSession, since: dt.date | None = None
) -> list[Response]:
    """Responses of the model, up to `as_of`."""
    rows = _between(settings, spark.table(settings.table("responses")), since).collect()
    return [Response(**row.asDict()) for row in rows]


def newest_judged(settings: Settings, spark: SparkSession) -> dt.date | None:
    """The newest day of the model with a response, also after `as_of`; None without any."""
    table = settings.table("responses")
    if not tables.exists(spark, table):
        return None
    mine = spark.table(table).where(F.col("model") == settings.model)
    return mine.agg(F.max("as_of")).collect()[0][0]


def write(
    spark: SparkSession, rows: Sequence[tuple[Any, ...]], schema: str, table: str, keys: list[str]
) -> None:
    """Merge rows by key; none at all makes the table, or its newer columns, where they lack."""
    frame = spark.createDataFrame(list(rows), schema)
    there = spark.table(table).columns if tables.exists(spark, table) else []
    if rows or not set(frame.columns) <= set(there):
        tables.merge(frame, table, keys, unique=True)


def _alerts(
    settings: Settings, spark: SparkSession, since: dt.date | None = None
) -> list[tuple[Alert, bool]]:
    rows = _between(settings, spark.table(settings.table("alerts")), since).collect()
    told = [row.asDict() for row in rows]
    return [(Alert(**row), standing) for row in told for standing in [row.pop("standing")]]


def _between(settings: Settings, frame: DataFrame, since: dt.date | None) -> DataFrame:
    first = since or settings.as_of - LOOK_BACK
    mine = F.col("model") == settings.model
    return frame.where(mine & F.col("as_of").between(first, settings.as_of))
