"""What past runs add up to: by job, by task, by day, and per run that succeeded."""

from __future__ import annotations

import datetime as dt
import re
import statistics
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from nextbest.platforms.run_history import History, PastRun, Usage

# Usage is there within 12 hours as a rule (billable usage system table reference).
SETTLED = dt.timedelta(hours=24)
LATE = dt.timedelta(hours=48)
BILLED, SO_FAR, NOT_YET = "billed", "so far", "not billed yet"
NO_USAGE, NO_PRICE, FREE = "no usage", "no price", ""
SLOWEST = 10


@dataclass(frozen=True)
class RunLine:
    """A run with what it cost; billing says what to make of cost, which is None unless known."""

    run_id: str
    job: str
    start: dt.datetime
    seconds: float | None
    state: str
    passed: bool | None
    cost: float | None
    billing: str


@dataclass(frozen=True)
class JobLine:
    """A job: ended runs without the skipped ones; shares of them; seconds are of those with an end.

    cost_per_success: of all wholly billed runs, failed ones included, per one that succeeded.
    """

    job: str
    runs: int
    failed: int
    failed_share: float | None
    median_seconds: float | None
    longest_seconds: float | None
    cost: float | None
    cost_per_success: float | None
    not_billed_yet: int


@dataclass(frozen=True)
class TaskLine:
    """A task of a job over all runs; retries: attempts beyond the first, repairs included."""

    job: str
    task: str
    runs: int
    median_seconds: float
    longest_seconds: float
    retries: int


@dataclass(frozen=True)
class DayLine:
    """What a job, or a product outside of jobs, cost on a day (UTC)."""

    day: dt.date
    job: str
    cost: float


@dataclass(frozen=True)
class Report:
    """All of it; money is in `currency` at list prices, None: nothing is billed where it ran."""

    target: str
    since: dt.datetime
    until: dt.datetime
    currency: str | None
    cost: float | None
    whole: JobLine
    jobs: tuple[JobLine, ...]
    tasks: tuple[TaskLine, ...]
    runs: tuple[RunLine, ...]
    days: tuple[DayLine, ...]
    notes: tuple[str, ...]


def report(
    target: str,
    past: History,
    since: dt.datetime,
    until: dt.datetime,
    waiting: Collection[tuple[str, str]] = (),
) -> Report:
    """Add the history up, as of `until` (UTC).

    `waiting`: (job, task) of tasks that only wait for a run of another job, and are never the
    slowest; jobs as `plain` names them.
    """
    of_run = defaultdict(list)
    for each in past.usage:
        of_run[each.run_id].append(each)
    runs = tuple(_line(run, of_run[run.run_id], past.currency, until) for run in past.runs)
    known = [each for each in past.usage if each.cost is not None]
    days: dict[tuple[dt.date, str], float] = defaultdict(float)
    for each in known:
        days[each.day, _owner(each)] += each.cost or 0.0
    names = dict.fromkeys([*(run.job for run in runs), *(each.job for each in known if each.job)])
    return Report(
        target=target,
        since=since,
        until=until,
        currency=past.currency,
        cost=_sum(known),
        whole=_job("all", runs, _sum(each for each in known if each.job)),
        jobs=tuple(
            _job(name, [run for run in runs if run.job == name],
                 _sum(each for each in known if each.job == name))
            for name in sorted(names)
        ),
        tasks=_slowest(past.runs, waiting),
        runs=runs,
        days=tuple(DayLine(*key, cost) for key, cost in sorted(days.items())),
        notes=tuple(_notes(past, runs)),
    )  # fmt: skip


def plain(job: str) -> str:
    """A job's name without what development mode puts before it, whoever deployed it."""
    return re.sub(r"^\[dev [^]]*\] ", "", job)


def _owner(usage: Usage) -> str:
    return usage.job or f"({usage.product.lower().replace('_', ' ')})"


def _sum(usage: Iterable[Usage]) -> float | None:
    """None of nothing: what was not billed has not cost 0."""
    costs = [each.cost for each in usage if each.cost is not None]
    return sum(costs) if costs else None


def _line(
    run: PastRun, usage: Sequence[Usage], currency: str | None, until: dt.datetime
) -> RunLine:
    age = until - run.start - dt.timedelta(seconds=run.seconds or 0.0)
    if currency is None:
        billing = FREE
    elif any(each.cost is None for each in usage):
        billing = NO_PRICE
    elif usage:
        billing = BILLED if run.state and age > SETTLED else SO_FAR
    else:
        billing = NO_USAGE if run.state and age > LATE else NOT_YET
    cost = _sum(usage) if billing in (BILLED, SO_FAR) else None
    return RunLine(
        run.run_id, run.job, run.start, run.seconds, run.state, run.passed, cost, billing
    )


def _job(name: str, runs: Sequence[RunLine], cost: float | None) -> JobLine:
    ended = [run for run in runs if run.passed is not None]
    failed = sum(not run.passed for run in ended)
    seconds = [run.seconds for run in ended if run.seconds is not None]
    billed = [run for run in ended if run.billing == BILLED]
    succeeded = sum(bool(run.passed) for run in billed)
    return JobLine(
        job=name,
        runs=len(ended),
        failed=failed,
        failed_share=failed / len(ended) if ended else None,
        median_seconds=statistics.median(seconds) if seconds else None,
        longest_seconds=max(seconds, default=None),
        cost=cost,
        cost_per_success=sum(run.cost or 0.0 for run in billed) / succeeded if succeeded else None,
        not_billed_yet=sum(run.billing == NOT_YET for run in runs),
    )


def _slowest(runs: Sequence[PastRun], waiting: Collection[tuple[str, str]]) -> tuple[TaskLine, ...]:
    found = defaultdict(list)
    for run in runs:
        for task in run.tasks:
            if task.seconds is not None and (plain(run.job), task.key) not in waiting:
                found[run.job, task.key].append(task)
    lines = [
        TaskLine(
            job=job,
            task=key,
            runs=len(tasks),
            median_seconds=statistics.median(task.seconds for task in tasks),
            longest_seconds=max(task.seconds for task in tasks),
            retries=sum(task.attempts - 1 for task in tasks),
        )
        for (job, key), tasks in found.items()
    ]
    return tuple(sorted(lines, key=lambda line: -line.median_seconds)[:SLOWEST])


def _notes(past: History, runs: Sequence[RunLine]) -> Iterable[str]:
    if past.currency is None:
        yield "runs on this machine are not billed: times, failures and retries only"
        return
    yield (
        f"list prices in {past.currency}, with promotions, without discounts of a contract; the "
        "machines of job clusters come with the cloud's own bill"
    )
    for billing, told in (
        (NOT_YET, "not billed yet: usage takes up to a day, and is not in the sums"),
        (SO_FAR, "billed in part so far"),
        (NO_USAGE, "without usage: they only start other jobs, or ran where jobs are not billed "
                   "(all-purpose compute, a SQL warehouse)"),
    ):  # fmt: skip
        if count := sum(run.billing == billing for run in runs):
            yield f"{count} run{'s' if count > 1 else ''} {told}"
    for sku in sorted({each.sku for each in past.usage if each.cost is None}):
        yield f"{sku} has no list price in {past.currency}: it is not in the sums (--currency)"
    shown = {run.run_id for run in runs}
    if earlier := _sum(u for u in past.usage if u.job and u.run_id not in shown):
        yield f"{earlier:,.2f} {past.currency} are of runs that began before"
