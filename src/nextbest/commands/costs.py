"""`dbb costs`: how long the jobs of a target took, how often they failed, what they cost."""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING

from nextbest.bundle import Bundle, find_root, load
from nextbest.bundle.flags import parse_variables
from nextbest.bundle.graph import RunJobTask
from nextbest.commands.cost_report import Report, plain, report
from nextbest.commands.cost_words import cost_of, money, of_runs, span, total
from nextbest.errors import BundleError, UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from nextbest.platforms.run_history import History

TAGS = ("project", "stage")  # which every resource carries, so that its cost is told apart
RECENT = 10
NO_RUNS = "`dbb run JOB` makes one; the system tables tell of it within hours"


def costs(args: argparse.Namespace) -> int:
    """Show past runs of a target; args as commands.declared defines them for `costs`.

    Raises BundleError for a broken bundle or one without tags, UsageError for flags that don't go
    together, PlatformError when the workspace refuses.
    """
    if args.days < 1:
        raise UsageError(f"--days {args.days}: one day at least")
    if args.local and args.warehouse:
        raise UsageError("--warehouse: runs on this machine are in its own records, not in tables")
    if args.lakehouse and not args.local:
        raise UsageError("--lakehouse is a folder of this machine: it goes with --local")
    root, until = find_root(Path.cwd()), dt.datetime.now(dt.UTC)
    bundle = load(root, args.target, parse_variables(args.var), getpass.getuser())
    since = until - dt.timedelta(days=args.days)
    past = _here(args, root, bundle, since) if args.local else _there(args, bundle, since)
    waiting = {(name, task.key) for job in bundle.jobs.values() for task in job.tasks
               for name in (job.key, plain(job.name)) if isinstance(task.spec, RunJobTask)
               }  # fmt: skip
    found = report(bundle.target, past, since, until, waiting)
    if args.page:
        from nextbest.commands.cost_page import page

        try:
            Path(args.page).write_text(page(found), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"--page {args.page} can't be written: {error.strerror}") from error
    if args.json:
        print(json.dumps(dataclasses.asdict(found), indent=2, default=lambda at: at.isoformat()))
    else:
        _show(found)
        if args.page:
            print(f"page: {args.page}")
    return 0


def _here(args: argparse.Namespace, root: Path, bundle: Bundle, since: dt.datetime) -> History:
    from nextbest.platforms.local.environment import chosen_lakehouse
    from nextbest.runner.history import history

    return history(chosen_lakehouse(args.lakehouse, root), bundle.target, since)


def _there(args: argparse.Namespace, bundle: Bundle, since: dt.datetime) -> History:
    from nextbest.platforms.databricks.asking import connect
    from nextbest.platforms.databricks.statements import choose_warehouse
    from nextbest.platforms.databricks.system_tables import history

    project, stage = tags_of(bundle)
    place = bundle.config.get("workspace") or {}
    workspace = connect(place.get("host"), place.get("profile"))
    warehouse = choose_warehouse(workspace, args.warehouse)
    return history(workspace, warehouse, project, stage, since, args.currency.upper())


def tags_of(bundle: Bundle) -> tuple[str, str]:
    """The tags `project` and `stage` of the target's jobs; BundleError where one lacks them."""
    found = {tuple((job.config.get("tags") or {}).get(name) for name in TAGS)
             for job in bundle.jobs.values()}  # fmt: skip
    if len(found) != 1 or None in (tags := next(iter(found))):
        raise BundleError(
            f"target {bundle.target}: its jobs have not the same tags {' and '.join(TAGS)}, by "
            "which their cost is told apart: set them in targets.<target>.presets.tags"
        )
    return tags


def _show(found: Report) -> None:
    from rich.console import Console

    console = Console(markup=False, highlight=False)  # "[dev me] training" is a name
    window = f"{found.since:%Y-%m-%d} to {found.until:%Y-%m-%d}"
    console.print(f"target {found.target}, {window} (UTC): {total(found)}")
    console.print(f"{of_runs(found)}\n")
    if not found.runs and not found.days:
        made = "`dbb run JOB --local` makes one" if found.currency is None else NO_RUNS
        console.print(f"no runs: {made}")
    billed = found.currency is not None
    jobs = _table("job", "runs", "failed", "median", "longest",
                  *(("cost", "per success", "not billed yet") if billed else ()))  # fmt: skip
    for job in found.jobs:
        share = "" if not job.failed else f" ({job.failed_share:.0%})"
        priced = (money(job.cost), money(job.cost_per_success), str(job.not_billed_yet or ""))
        jobs.add_row(job.job, str(job.runs), f"{job.failed}{share}", span(job.median_seconds),
                     span(job.longest_seconds), *(priced if billed else ()))  # fmt: skip
    tasks = _table("slowest tasks", "task", "runs", "median", "longest", "retries")
    for task in found.tasks:
        tasks.add_row(task.job, task.task, str(task.runs), span(task.median_seconds),
                      span(task.longest_seconds), str(task.retries or ""))  # fmt: skip
    runs = _table("latest runs", "job", "start", "state", "took", *(("cost",) if billed else ()))
    for run in sorted(found.runs, key=lambda run: run.start, reverse=True)[:RECENT]:
        runs.add_row(run.run_id, run.job, f"{run.start:%m-%d %H:%M}", run.state or "RUNNING",
                     span(run.seconds),
                     *((cost_of(run.cost, run.billing),) if billed else ()))  # fmt: skip
    for table in (jobs, tasks, runs):
        if table.row_count:
            console.print(table)
            console.print()
    for note in found.notes:
        console.print(f"· {note}")


def _table(*names: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in names:
        numeric = name in ("runs", "failed", "median", "longest", "cost", "per success", "took",
                           "retries", "not billed yet")  # fmt: skip
        table.add_column(
            name, justify="right" if numeric else "left", overflow="fold", no_wrap=name == names[0]
        )
    return table
