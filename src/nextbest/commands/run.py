"""`dbb run`: here with --local, else on Databricks, with the same flags."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from nextbest.errors import PlatformError, UsageError


def run(args: argparse.Namespace) -> int:
    """Run a job; returns 0 when it succeeded and 1 when it did not.

    Without --local the job must have been deployed. Raises UsageError for an unknown job and for
    flags that don't go together, PlatformError when the workspace refuses.
    """
    if args.repair is not None and (args.params or args.only):
        raise UsageError("--repair runs with the parameters and tasks of the run it repairs")
    if args.local:
        if args.no_wait:
            raise UsageError("--no-wait: a run here is waited for, and ends with this program")
        from nextbest.runner.command import run as run_here

        return run_here(args)
    return _run_on_databricks(args)


def _run_on_databricks(args: argparse.Namespace) -> int:
    from nextbest.bundle import find_root, load
    from nextbest.commands.run_progress import telling
    from nextbest.platforms.databricks import jobs
    from nextbest.platforms.databricks.asking import ask, connect
    from nextbest.runner.command import pairs

    if args.lakehouse:
        raise UsageError("--lakehouse is a folder of this machine: it goes with --local")
    if args.repair is not None and not args.repair.isdigit():
        raise UsageError(f"--repair '{args.repair}': runs on Databricks have numbers")
    root, variables = find_root(Path.cwd()), pairs(args.var, "--var")
    place = load(root, args.target, variables).config.get("workspace") or {}
    try:
        workspace = connect(place.get("host"), place.get("profile"))
    except PlatformError as error:
        raise PlatformError(f"{error}; to run here, without a workspace, add --local") from error
    me = ask(workspace.current_user.me, "who asks", "a valid token").user_name
    bundle = load(root, args.target, variables, me)  # names in development mode tell whose they are
    if args.job not in bundle.jobs:
        raise UsageError(f"no job '{args.job}': there are {', '.join(sorted(bundle.jobs))}")
    name = bundle.jobs[args.job].name
    number, repair = None if args.repair is None else int(args.repair), None
    if number is None:
        parameters = pairs(args.params, "--params")
        number = jobs.start(workspace, jobs.find(workspace, name), parameters, args.only)
    else:
        repair = jobs.repair(workspace, number)
    if args.no_wait:
        print(json.dumps({"run_id": number}) if args.json else f"run {number} of '{name}' goes on")
        return 0
    try:
        with telling(number, args.job, tasks=not args.json) as seen:
            ended = jobs.follow(workspace, number, seen, repair)
    except (KeyboardInterrupt, PlatformError):
        print(f"run {number} of '{name}' goes on in the workspace", file=sys.stderr)
        raise
    if args.json:
        print(json.dumps(dataclasses.asdict(ended), indent=2))
    else:
        for task in (task for task in ended.tasks if task.error):
            print(f"\n{args.job}/{task.key} {task.state}: {task.error}\n  {task.url}")
        told = f": {ended.message}" if ended.message else ""
        print(f"\nrun {number} of {args.job} [{bundle.target}]: {ended.state}{told}\n{ended.url}")
        if ended.state not in jobs.PASSED:
            print(
                f"mend what failed, then: dbb run {args.job} -t {bundle.target} --repair {number}"
            )
    return 0 if ended.state in jobs.PASSED else 1
