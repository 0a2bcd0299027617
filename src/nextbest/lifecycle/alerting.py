"""Notebook 09: what is new about a day's findings goes to every channel, once."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Collection
from typing import Any

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from nextbest import tables
from nextbest.channels.declared import read_channels
from nextbest.channels.outbox import DELIVERED, OPEN, Delivery, after, plan
from nextbest.channels.sending import PATIENCE, Patience, send
from nextbest.errors import PlatformError
from nextbest.lifecycle.outcome import Outcome
from nextbest.lifecycle.responding import read_responses, standing_alerts, write
from nextbest.monitoring.messages import Message, message
from nextbest.platforms import open_secrets
from nextbest.settings import Settings

DELIVERIES = (
    "delivery_id string, message_id string, model string, as_of date, channel string, "
    "state string, attempts int, error string, payload string, created_at timestamp, "
    "updated_at timestamp"
)


def send_alerts(settings: Settings, spark: SparkSession, patience: Patience = PATIENCE) -> Outcome:
    """09: deliver the news of the day, and whatever earlier runs left undelivered.

    What is to be sent is written down before, and that it was taken after: a run that is killed
    between sends it again under the same id. The newest goes first; a channel that did not take a
    message is asked once for each of the others, so that a long outage costs little. Raises
    SettingsError for channels that can't be read and, when all was tried, PlatformError with every
    channel that did not take its message.
    """
    channels = {each.name: each for each in read_channels(settings.alert_channels)}
    if not tables.exists(spark, settings.table("responses")):
        return Outcome(f"{settings.model} has no verdict yet: there is nothing to tell")
    secret = open_secrets(settings)
    days, rows = _known(settings, spark)
    known = {each.delivery_id: each for each in rows}
    planned = plan(
        _messages(settings, spark, days), list(channels.values()), rows, settings.as_of, _now()
    )
    _write(settings, spark, planned)
    known |= {each.delivery_id: each for each in planned}
    tried: list[Delivery] = []
    down: set[str] = set()
    once = dataclasses.replace(patience, attempts=1)
    left = [each for each in known.values() if each.open]
    for delivery in sorted(left, key=lambda each: each.as_of, reverse=True):
        name, payload = delivery.channel, json.loads(delivery.payload)
        its = once if name in down else patience
        sent = send(channels[name], delivery.delivery_id, payload, secret, its)
        tried.append(after(delivery, sent, _now()))
        (down.add if sent.error else down.discard)(name)
        _write(settings, spark, tried[-1:])
        print(f"{delivery.as_of} {delivery.channel}: {sent.error or DELIVERED}", flush=True)
    failed = [each for each in tried if each.state != DELIVERED]
    if failed:
        told = "; ".join(f"{each.channel} on {each.as_of}: {each.error}" for each in failed)
        raise PlatformError(
            f"{len(failed)} of {len(tried)} messages were not taken: {told}. They stand in "
            f"{settings.table('alert_deliveries')} and are sent by the next run, or by a repair of "
            "this one"
        )
    shown = {"Deliveries": pd.DataFrame(tried).drop(columns="payload")} if tried else {}
    return Outcome(f"messages delivered: {len(tried)}, channels: {len(channels)}", shown)


def _messages(
    settings: Settings, spark: SparkSession, days: Collection[dt.date]
) -> list[Message]:  # fmt: skip
    """The messages of these days."""
    alerts = standing_alerts(settings, spark, min(days))
    found = [
        message([each for each in alerts if each.as_of == response.as_of], response)
        for response in read_responses(settings, spark, min(days))
        if response.as_of in days
    ]
    return [each for each in found if each is not None]


def _known(settings: Settings, spark: SparkSession) -> tuple[set[dt.date], list[Delivery]]:
    """The days to tell of, and what is written down about these and later ones.

    The last `alert_reminder_days`, since what is older is told by a reminder, if it goes on; two at
    least, so that a run makes up for one that was cut off. And every day of which a message is
    still to be delivered, however old.
    """
    table = settings.table("alert_deliveries")
    write(spark, [], DELIVERIES, table, ["delivery_id"])
    mine = (F.col("model") == settings.model) & (F.col("as_of") <= settings.as_of)
    rows = spark.table(table).where(mine)
    recent = range(max(settings.alert_reminder_days, 2))
    days = {settings.as_of - dt.timedelta(days=back) for back in recent}
    days |= {row["as_of"] for row in rows.where(F.col("state").isin(*OPEN)).collect()}
    found = rows.where(F.col("as_of") >= min(days)).collect()
    return days, [_read(row.asDict()) for row in found]


def _read(row: dict[str, Any]) -> Delivery:
    times = ("created_at", "updated_at")  # Spark gives them in this machine's zone, without it
    return Delivery(**{**row, **{name: row[name].astimezone(dt.UTC) for name in times}})


def _write(settings: Settings, spark: SparkSession, rows: list[Delivery]) -> None:
    table = settings.table("alert_deliveries")
    write(spark, [dataclasses.astuple(each) for each in rows], DELIVERIES, table, ["delivery_id"])


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(microsecond=0)
