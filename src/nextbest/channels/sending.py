"""One message to one channel: tried again while that can help, for a bounded time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_random_exponential

from nextbest.channels.declared import Channel, reference
from nextbest.channels.mail import mail
from nextbest.channels.trouble import Passing, Refused
from nextbest.channels.webhook import body_of, post
from nextbest.errors import PlatformError
from nextbest.monitoring.messages import text_of

LOG = logging.getLogger("nextbest.alerts")
Secret = Callable[[str, str], str]  # scope, key → value; raises PlatformError


@dataclass(frozen=True)
class Patience:
    """How long a receiver is waited for, in seconds.

    timeout: for one answer; first, most: the pauses between attempts double up to `most`, and a
    receiver that asks for a longer one is left for the next run.
    """

    attempts: int = 5
    timeout: float = 10.0
    first: float = 1.0
    most: float = 30.0


PATIENCE = Patience()


@dataclass(frozen=True)
class Sent:
    """How it went: attempts made, and why it was not taken ("": it was)."""

    attempts: int
    error: str = ""


def send(
    channel: Channel,
    number: str,
    sent: Mapping[str, Any],
    secret: Secret,
    patience: Patience = PATIENCE,
) -> Sent:
    """Send a message (as a mapping by its fields) until it is taken or patience ends.

    `number` is the same whenever the same is sent. What went wrong never holds a secret.
    """
    try:
        place, key = _told(channel.place, secret), _told(channel.secret, secret)
    except PlatformError as error:
        return Sent(0, str(error))

    def once() -> None:
        if channel.kind == "log":
            LOG.warning("%s", text_of(sent))
        elif channel.kind == "email":
            mail(channel, number, sent, key, patience.timeout)
        else:
            post(place, number, body_of(channel.kind, sent), key, patience.timeout)

    trying = Retrying(
        retry=retry_if_exception(lambda error: _helps(error, patience)),
        stop=stop_after_attempt(patience.attempts),
        wait=_Wait(patience),
        reraise=True,
    )
    try:
        trying(once)
    except (Refused, Passing) as error:
        told = str(error)
        wait = getattr(error, "asked_to_wait", None)
        if wait is not None and wait > patience.most:
            told += f" and asks to wait {wait:.0f} s"
        return Sent(trying.statistics["attempt_number"], told)
    return Sent(trying.statistics["attempt_number"])


def _told(text: str, secret: Secret) -> str:
    """The text, or the secret that it refers to."""
    found = reference(text)
    return text if found is None else secret(*found).strip()


def _helps(error: BaseException, patience: Patience) -> bool:
    return isinstance(error, Passing) and (error.asked_to_wait or 0) <= patience.most


class _Wait(wait_random_exponential):
    """As long as the receiver asks for, else exponentially longer, with jitter."""

    def __init__(self, patience: Patience) -> None:
        super().__init__(multiplier=patience.first, max=patience.most)

    def __call__(self, retry_state: RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        asked = getattr(error, "asked_to_wait", None)
        return super().__call__(retry_state) if asked is None else asked
