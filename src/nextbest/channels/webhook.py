"""A message as a web hook: JSON in the receiver's form, signed by the Standard Webhooks rules."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import time
import urllib.request
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import cache
from html import escape
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

from nextbest.channels.trouble import Passing, Refused, of_connection
from nextbest.monitoring.messages import text_of, what_follows

PASSING = {408, 425, 429}  # and all from 500 on
_PREFIX = "whsec_"


class _Stay(urllib.request.HTTPRedirectHandler):
    """A redirect would take the message, and a key in the URL, to somewhere else."""

    def redirect_request(self, *args: Any) -> None:
        return None


@cache
def _opener() -> urllib.request.OpenerDirector:
    # Not urllib3: it logs the paths of URLs, and a hook's path is its key.
    return urllib.request.build_opener(_Stay)


def body_of(kind: str, sent: Mapping[str, Any]) -> bytes:
    """A message (as a mapping by its fields) as slack, teams or any other receiver wants it.

    Slack: https://api.slack.com/messaging/webhooks; Teams: an adaptive card, as its Workflows take
    it, with a button for what has an address; others get the fields themselves.
    """
    body: dict[str, Any] = dict(sent)
    if kind == "slack":
        body = {"text": escape(text_of(sent), quote=False)}
    elif kind == "teams":
        texts = [str(sent["title"]), *map(str, sent["lines"]), *what_follows(sent)]
        bold = {"weight": "Bolder", "size": "Medium"}
        blocks = [{"type": "TextBlock", "wrap": True, "text": text} for text in texts]
        card = {"type": "AdaptiveCard", "version": "1.4", "body": [{**blocks[0], **bold}]}
        card["body"] += blocks[1:]
        places = {name: str(sent.get(name)) for name in ("report", "run")}
        if buttons := [
            {"type": "Action.OpenUrl", "title": name, "url": url}
            for name, url in places.items()
            if url.startswith("https://")
        ]:
            card["actions"] = buttons
        kind_of_card = "application/vnd.microsoft.card.adaptive"
        body = {"type": "message", "attachments": [{"contentType": kind_of_card, "content": card}]}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def signature(key: str, number: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over "number.timestamp.body".

    The key is base64 after "whsec_", else its UTF-8 bytes. Refused for a key that is no base64.
    Source: Standard Webhooks (github.com/standard-webhooks/standard-webhooks), symmetric.
    """
    try:
        secret = (
            base64.b64decode(key.removeprefix(_PREFIX), validate=True)
            if key.startswith(_PREFIX)
            else key.encode()
        )
    except ValueError:  # binascii.Error is one, and so is what no codec takes
        raise Refused("its signing key is not base64 after whsec_, or no text") from None
    signed = f"{number}.{timestamp}.".encode() + body
    digest = hmac.new(secret, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def post(url: str, number: str, body: bytes, key: str, timeout: float) -> None:
    """Send it once; any 2xx will do, and the answer is not read.

    `number` is the same whenever the same is sent, so that a receiver takes it once: it stands in
    `webhook-id` and `Idempotency-Key`. Raises Refused or Passing, in words without the URL.
    """
    _refuse_open(url)
    now = int(time.time())
    head = {
        "Content-Type": "application/json",
        "User-Agent": "nextbest",
        "Idempotency-Key": number,
        "webhook-id": number,
        "webhook-timestamp": str(now),
    }
    if key:
        head["webhook-signature"] = signature(key, number, now, body)
    try:
        request = urllib.request.Request(url, body, head, method="POST")
        with _opener().open(request, timeout=timeout):
            return
    except HTTPError as error:
        told, wait = f"it answered {error.code}", _retry_after(error.headers.get("Retry-After"))
        passing = error.code in PASSING or error.code >= 500
        error.close()
        raise (Passing(told, wait) if passing else Refused(told)) from None
    except (HTTPException, OSError, ValueError) as error:
        raise of_connection(error) from None


def _refuse_open(url: str) -> None:
    """Only TLS, except to this machine."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        raise Refused("its address is no https:// URL") from None
    here = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and here)):
        raise Refused("its address is no https:// URL")


def _retry_after(text: str | None) -> float | None:
    """Seconds of a Retry-After header (RFC 9110, 10.2.3), or None without a readable one."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=dt.UTC)
    return max(0.0, (at - dt.datetime.now(dt.UTC)).total_seconds())
