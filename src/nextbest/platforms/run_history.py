"""What is known of past runs of jobs, wherever they ran: times, ends, and what was billed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class PastTask:
    """A task of a past run, over all its attempts; seconds is None where its end is not known."""

    key: str
    attempts: int
    seconds: float | None


@dataclass(frozen=True)
class PastRun:
    """A run of a job. start: UTC; state: as its platform words it, "" while it goes on.

    seconds: how long it was active, None where its end is not known; passed: None while it goes
    on, and where it was skipped, which is neither.
    """

    run_id: str
    job: str
    start: dt.datetime
    seconds: float | None
    state: str
    passed: bool | None
    tasks: tuple[PastTask, ...]


@dataclass(frozen=True)
class Usage:
    """What was billed on a day for one run, or for something else that carries the target's tags.

    job and run_id: None where it was no job's; cost: None without a list price of this currency.
    """

    day: dt.date
    product: str
    sku: str
    job: str | None
    run_id: str | None
    cost: float | None


@dataclass(frozen=True)
class History:
    """Runs that began since a moment, and the usage since that day.

    currency: of the costs; None: nothing is billed where they ran.
    """

    runs: tuple[PastRun, ...]
    usage: tuple[Usage, ...] = ()
    currency: str | None = None
