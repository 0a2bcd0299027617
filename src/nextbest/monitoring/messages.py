"""What people are sent of a day: what is new, what is done, why, and where to look."""

from __future__ import annotations

import datetime as dt
import json
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nextbest.monitoring.alerts import CRITICAL, RETRAIN, TOLD, Alert, Response, digest

MOST_LINES = 20  # findings that a message names; Teams takes 28 kB
MOST_LETTERS = 400  # of a cause
_FORMS = {
    "response": "{}",
    "why": "why, most likely: {}",
    "advice": "advice: {}",
    "risk": "risk: {:.0f} of 100",
    "report": "report: {}",
    "run": "run: {}",
}


@dataclass(frozen=True)
class Message:
    """What one channel is sent for a model and a day, with all that is new about it.

    why: the likeliest cause; risk: 0 to 100; report, run: where the day's page and the run that
    made it are seen, a URL or a path. What is not known is None. `message_id` tells of the findings
    alone: how they are explained changes no key.
    """

    message_id: str
    model: str
    as_of: dt.date
    severity: str
    title: str
    lines: tuple[str, ...]
    response: str
    why: str | None = None
    advice: str | None = None
    risk: float | None = None
    report: str | None = None
    run: str | None = None


def message(alerts: Sequence[Alert], response: Response) -> Message | None:
    """One message with all of a day's news, worst first; None where there is none.

    `alerts`: of the response's model and day. What is known already is counted, not repeated, and
    so is what is new beyond MOST_LINES.
    """
    news = sorted(
        (each for each in alerts if each.told in TOLD),
        key=lambda a: (a.severity != CRITICAL, a.told, a.subject),
    )
    if not news:
        return None
    title = f"{response.model} on {response.as_of}: {news[0].severity}, {len(news)} of "
    lines = [f"{each.severity}, {each.told}: {each.text}" for each in news[:MOST_LINES]]
    if more := len(news) - len(lines):
        lines.append(f"and {more} more that are new")
    if known := len(alerts) - len(news):
        lines.append(f"and {known} known already")
    does = "retraining is started" if response.action == RETRAIN else "no retraining"
    parts = sorted(f"{each.alert_id} {each.severity} {each.told}" for each in news)
    return Message(
        digest(response.model, response.as_of, *parts), response.model, response.as_of,
        news[0].severity, f"{title}{len(alerts)} findings are news", tuple(lines),
        f"{does}: {response.reason}", _likeliest(response.causes), response.advice or None,
        _risk(response.risk), response.report, response.run,
    )  # fmt: skip


def text_of(sent: Mapping[str, Any]) -> str:
    """A message (as a mapping by its fields) in plain text."""
    lines = [f"- {line}" for line in sent["lines"]]
    return "\n".join([str(sent["title"]), *lines, *what_follows(sent)])


def what_follows(sent: Mapping[str, Any]) -> list[str]:
    """What a message says after its findings, a line each.

    What it doesn't know is left out; one that was written down by an older version lacks more.
    """
    return [form.format(sent[name]) for name, form in _FORMS.items() if sent.get(name) is not None]


def _likeliest(causes: str | None) -> str | None:
    """The first of `responses.causes`, which rows of older versions don't have."""
    found = json.loads(causes or "[]")
    if not found:
        return None
    told = f"{found[0]['kind']}: {found[0]['text']}"
    return textwrap.shorten(told, MOST_LETTERS, placeholder=" …")


def _risk(score: float | None) -> float | None:
    """As JSON can say it: it has no NaN."""
    return None if score is None or not math.isfinite(score) else round(score, 1)
