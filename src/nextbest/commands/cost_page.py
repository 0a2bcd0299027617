"""The page of `dbb costs`: what past runs took and cost, in one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from nextbest.commands import cost_plots
from nextbest.commands.cost_report import Report, RunLine
from nextbest.commands.cost_words import cost_of, money, total
from nextbest.runner.duration import span
from nextbest.runner.page_style import document

_STYLE = """
h2{font-size:1.1rem;margin:2rem 0 .2rem}table{width:100%}
td.n,th.n{text-align:right}.facts{display:flex;flex-wrap:wrap;gap:.6rem 2.4rem;margin:1.2rem 0}
.facts b{display:block;font-size:1.35rem;font-variant-numeric:tabular-nums}
.facts span{color:var(--soft);font-size:13px}.bad{color:var(--bad)}.wide{overflow-x:auto}
"""


def page(found: Report) -> str:
    """The whole page; everything that came from outside is escaped."""
    names = [*(job.job for job in found.jobs)]
    names += [name for name in dict.fromkeys(day.job for day in found.days) if name not in names]
    colour = cost_plots.colours(names)
    parts = [
        f"<style>{_STYLE}{cost_plots.STYLE}</style>",
        f"<h1>What the jobs of {escape(found.target)} took and cost</h1>",
        f'<p class="soft">{found.since:%Y-%m-%d %H:%M} to {found.until:%Y-%m-%d %H:%M} UTC</p>',
        _facts(found),
    ]
    window = found.since, found.until
    if found.currency is not None:
        plot = cost_plots.daily_costs(found.days, *window, found.currency, colour)
        owners = {day.job for day in found.days}
        billed = cost_plots.key([name for name in names if name in owners], colour)
        parts.append("<h2>Cost per day</h2>")
        parts.append(plot + billed if plot else _soft("nothing billed yet"))
    plot = cost_plots.durations(found.runs, *window, colour)
    runners = {run.job for run in found.runs}
    failed = "<span><b>✕</b>failed</span>"
    ran = cost_plots.key([name for name in names if name in runners], colour, failed)
    parts.append("<h2>How long each run took</h2>")
    parts.append(plot + ran if plot else _soft("no run has ended"))
    parts += [_jobs(found), _tasks(found), _runs(found)]
    notes = "".join(f"<li>{escape(note)}</li>" for note in found.notes)
    parts.append(f'<ul class="soft">{notes}</ul>')
    return document(f"costs · {found.target}", "\n".join(parts))


def _soft(told: str) -> str:
    return f'<p class="soft">{told}</p>'


def _facts(found: Report) -> str:
    whole, facts = found.whole, []
    if found.currency is not None:
        facts += [
            (total(found), "at list prices"),
            (money(whole.cost_per_success), f"{found.currency} per billed run that succeeded"),
        ]
    share = "—" if whole.failed_share is None else f"{whole.failed_share:.0%}"
    facts += [(str(whole.runs), "runs ended"), (share, f"failed ({whole.failed})")]
    if found.tasks:
        slow = found.tasks[0]
        facts.append((span(slow.median_seconds), f"slowest task: {slow.task} of {slow.job}"))
    told = "".join(
        f"<div><b>{escape(much)}</b><span>{escape(what)}</span></div>" for much, what in facts
    )
    return f'<div class="facts">{told}</div>'


def _jobs(found: Report) -> str:
    billed = found.currency is not None
    rows = (
        [job.job, str(job.runs), f"{job.failed} ({job.failed_share:.0%})" if job.failed else "0",
         span(job.median_seconds), span(job.longest_seconds),
         *((money(job.cost, "nothing billed"), money(job.cost_per_success),
            str(job.not_billed_yet or "")) if billed else ())]
        for job in found.jobs
    )  # fmt: skip
    priced = ("cost", "per successful run", "not billed yet") if billed else ()
    return _table("Jobs", ("job",), ("runs", "failed", "median", "longest", *priced), rows)


def _tasks(found: Report) -> str:
    rows = (
        [task.job, task.task, str(task.runs), span(task.median_seconds),
         span(task.longest_seconds), str(task.retries or "")]
        for task in found.tasks
    )  # fmt: skip
    heads = ("runs", "median", "longest", "retries")
    return _table("Slowest tasks", ("job", "task"), heads, rows)


def _runs(found: Report) -> str:
    billed = found.currency is not None
    rows = (
        [run.run_id, run.job, f"{run.start:%Y-%m-%d %H:%M}", _state(run), span(run.seconds),
         *((cost_of(run.cost, run.billing),) if billed else ())]
        for run in sorted(found.runs, key=lambda run: run.start, reverse=True)
    )  # fmt: skip
    heads = ("took", *(("cost",) if billed else ()))
    return _table("Runs", ("run", "job", "start", "state"), heads, rows)


def _state(run: RunLine) -> str:
    return run.state or "RUNNING"


def _table(
    title: str, texts: tuple[str, ...], numbers: tuple[str, ...], rows: Iterable[list[str]]
) -> str:
    """A table whose last columns are numbers; nothing without rows."""
    head = "".join(f"<th>{name}</th>" for name in texts)
    head += "".join(f'<th class="n">{name}</th>' for name in numbers)
    body = ""
    for row in rows:
        cells = [f"<td>{escape(cell)}</td>" for cell in row[: len(texts)]]
        cells += [f'<td class="n">{escape(cell)}</td>' for cell in row[len(texts) :]]
        body += f"<tr>{''.join(cells)}</tr>"
    if not body:
        return ""
    return f'<h2>{title}</h2><div class="wide"><table><tr>{head}</tr>{body}</table></div>'
