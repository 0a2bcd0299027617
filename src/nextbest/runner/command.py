"""`dbb run --local` and `dbb runs`."""

from __future__ import annotations

import argparse
import getpass
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from nextbest.bundle import find_root, load
from nextbest.errors import UsageError
from nextbest.platforms.local.environment import chosen_lakehouse
from nextbest.runner import store
from nextbest.runner.duration import span
from nextbest.runner.process import ForkServer
from nextbest.runner.record import RunRecord, every_task, seconds, to_json
from nextbest.runner.start import preload, run_job
from nextbest.runner.states import FAILURES, KILLED, exit_code
from nextbest.runner.tree import tree


def run(args: argparse.Namespace) -> int:
    """Run a job here; args as commands.declared defines them for `run`."""
    root = find_root(Path.cwd())
    given = pairs(args.params, "--params")
    # Its imports take seconds: they begin before the bundle is read.
    with closing(ForkServer(preload())) as server:
        bundle = load(root, args.target, pairs(args.var, "--var"), getpass.getuser())
        lakehouse = chosen_lakehouse(args.lakehouse, root)
        record = run_job(
            bundle,
            args.job,
            lakehouse=lakehouse,
            parameters=given,
            only=args.only,
            repair=args.repair,
            progress=not args.json,
            server=server,
        )
    print(to_json(record) if args.json else report(lakehouse, record))
    return exit_code(record.state, record.error)


def runs(args: argparse.Namespace) -> int:
    """List the runs of the lakehouse, newest first; child runs are shown by their parents."""
    lakehouse = chosen_lakehouse(args.lakehouse, find_root(Path.cwd()))
    records = [store.load(lakehouse, run_id) for run_id in store.run_ids(lakehouse)]
    records = [record for record in records if record.parent is None]
    if args.json:
        print(json.dumps([asdict(record) for record in records], indent=1))
    elif not records:
        print(f"no runs in {lakehouse}: `dbb run JOB --local` makes one")
    for each in [] if args.json else records:
        took = span(seconds(each.start, each.end)) if each.end else ""
        started = each.start[:19].replace("T", " ")
        print(
            f"{each.run_id}  {each.state:<21} {each.target:<8} {each.job_key:<24} {started} {took}"
        )
    return 0


def show(args: argparse.Namespace) -> int:
    """Show one run with its tasks, child runs, errors and pages; args.run_id may be a prefix."""
    lakehouse = chosen_lakehouse(args.lakehouse, find_root(Path.cwd()))
    record = store.load(lakehouse, store.find(lakehouse, args.run_id))
    if args.json:
        print(to_json(record))
        return 0
    from rich.console import Console

    children = {each.run_id: each for each in _family(lakehouse, record)}
    Console().print(tree(record, children))
    print(report(lakehouse, record))
    return 0


def report(lakehouse: Path, record: RunRecord) -> str:
    """What is said when a run has ended: its result, errors, summaries and where its pages are."""
    folder = store.runs_folder(lakehouse) / record.run_id
    lines = [""]
    for each in _family(lakehouse, record):
        lines += [
            f"{each.job_key}/{task.key} {task.state}: {task.error}"
            for task in every_task(each.tasks)
            if task.error is not None
        ]
    if record.error:
        lines.append(f"the run was stopped: {record.error}")
    lines += store.summaries(lakehouse, record)
    took = span(seconds(record.start, record.end))
    lines.append(
        f"run {record.run_id} of {record.job_key} [{record.target}]: {record.state}, {took}"
    )
    page = folder / "index.html"
    lines.append(f"pages: {page}" if page.is_file() else f"logs: {folder / 'tasks'}")
    if (lakehouse / "mlflow" / "mlflow.db").is_file():
        lines.append("MLflow: dbb mlflow")
    if record.state in FAILURES | {KILLED}:
        lines.append(
            f"mend what failed, then: dbb run {record.job_key} -t {record.target} "
            f"--local --repair {record.run_id}"
        )
    return "\n".join(lines)


def _family(lakehouse: Path, record: RunRecord) -> Iterator[RunRecord]:
    """The child runs, deepest first, then the run itself."""
    known = store.run_ids(lakehouse)
    for task in every_task(record.tasks):
        if task.child_run_id in known:
            yield from _family(lakehouse, store.load(lakehouse, str(task.child_run_id)))
    yield record


def pairs(texts: Sequence[str], flag: str) -> dict[str, str]:
    """Names and values of `a=1,b=2` flags; raises UsageError for a text without a name."""
    found = {}
    for part in (part for text in texts for part in re.split(r",(?=[\w.-]+=)", text)):
        name, equals, value = part.partition("=")
        if not equals or not name:
            raise UsageError(f"{flag} '{part}' is no name=value")
        found[name] = value
    return found
