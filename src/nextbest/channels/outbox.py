"""What has to be delivered where, and how far it got: rows that outlive whoever sends."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nextbest.channels.declared import Channel
from nextbest.channels.sending import Sent
from nextbest.monitoring.messages import Message

PENDING, DELIVERED, FAILED, SUPERSEDED = "pending", "delivered", "failed", "superseded"
OPEN = (PENDING, FAILED)


@dataclass(frozen=True)
class Delivery:
    """One message for one channel: a row of `alert_deliveries`, by the same names.

    state: PENDING until it was tried, DELIVERED, FAILED (tried again by the next run), or
    SUPERSEDED (its findings changed, or its channel is gone, before it was taken; PENDING again
    once both are as they were). payload: the message as JSON. attempts: of all runs. Times are
    UTC.
    """

    delivery_id: str
    message_id: str
    model: str
    as_of: dt.date
    channel: str
    state: str
    attempts: int
    error: str
    payload: str
    created_at: dt.datetime
    updated_at: dt.datetime

    @property
    def open(self) -> bool:
        """Whether it is still to be sent."""
        return self.state in OPEN


def plan(
    messages: Iterable[Message],
    channels: Sequence[Channel],
    known: Iterable[Delivery],
    as_of: dt.date,
    now: dt.datetime,
) -> list[Delivery]:
    """The rows that change: new ones, PENDING, and those that nobody wants any more, SUPERSEDED.

    `messages`: of `as_of`, of recent days and of each with an open row; `known`: rows of these.
    A superseded one that is wanted again is PENDING again, worded as it is now. The message of
    `as_of` goes to every channel. An older one, of a run that was cut off, does so only if it has
    no row at all: a channel that is declared today is not told what was before.
    """
    messages, rows = list(messages), {each.delivery_id: each for each in known}
    planned = {each.message_id for each in rows.values()}
    wanted: dict[str, Delivery] = {}
    for message in messages:
        payload = json.dumps(dataclasses.asdict(message), default=str, ensure_ascii=False)
        for channel in channels:
            number = _digest(message.message_id, channel.name)
            if number in rows or message.as_of == as_of or message.message_id not in planned:
                wanted[number] = Delivery(
                    number, message.message_id, message.model, message.as_of, channel.name,
                    PENDING, 0, "", payload, now, now,
                )  # fmt: skip
    stale = [
        dataclasses.replace(row, state=SUPERSEDED, updated_at=now)
        for number, row in rows.items()
        if row.open and number not in wanted
    ]
    again = [
        dataclasses.replace(rows[number], state=PENDING, payload=row.payload, updated_at=now)
        for number, row in wanted.items()
        if number in rows and rows[number].state == SUPERSEDED
    ]
    return [row for number, row in wanted.items() if number not in rows] + again + stale


def after(delivery: Delivery, sent: Sent, now: dt.datetime) -> Delivery:
    """The row once it was tried."""
    return dataclasses.replace(
        delivery,
        state=FAILED if sent.error else DELIVERED,
        attempts=delivery.attempts + sent.attempts,
        error=sent.error,
        updated_at=now,
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]
