"""`dbb doctor`: is the workspace ready for a target, and if not, who can mend it?"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from nextbest.bundle import Bundle, find_root, load
from nextbest.bundle.flags import parse_variables

if TYPE_CHECKING:
    from nextbest.platforms.databricks.needs import Finding, Needs, Warehouse

MARKS = {"ok": "✓", "wrong": "✗", "unknown": "?"}


def doctor(args: argparse.Namespace) -> int:
    """Examine the workspace of a target; changes nothing.

    Returns 0 when all is well, 1 when something is wrong or could not be looked at. Raises
    BundleError for a broken bundle and PlatformError where there are no credentials.
    """
    from nextbest.platforms.databricks.asking import connect
    from nextbest.platforms.databricks.doctor import examine

    bundle = load(find_root(Path.cwd()), args.target, parse_variables(args.var))
    place = bundle.config.get("workspace") or {}
    workspace = connect(place.get("host"), place.get("profile"))
    found = [_program(), *examine(workspace, needs_of(bundle))]
    if args.json:
        print(json.dumps([dataclasses.asdict(each) for each in found], indent=2))
    else:
        _show(bundle.target, found)
    return 0 if all(each.state == "ok" for each in found) else 1


def needs_of(bundle: Bundle) -> Needs:
    """What the jobs of a bundle's target need, as they would be deployed."""
    from nextbest.platforms.databricks.needs import Cluster, Needs

    clusters = {
        Cluster(each["job_cluster_key"], *(str(each["new_cluster"].get(name) or "") for name in
                ("spark_version", "node_type_id", "policy_id")))
        for job in bundle.jobs.values()
        for each in job.config.get("job_clusters") or ()
    }  # fmt: skip
    told = bundle.variables
    return Needs(
        catalog=told["catalog"],
        schema=told["schema"],
        volume=told["volume"],
        clusters=tuple(sorted(clusters, key=dataclasses.astuple)),
        profiling=told["profiling"],
        warehouses=_warehouses(bundle),
        runs_as=next((str(who) for who in (bundle.config.get("run_as") or {}).values() if who), ""),
    )


def _warehouses(bundle: Bundle) -> tuple[Warehouse, ...]:
    """The SQL warehouses that alerts and dashboards name.

    A variable that looks one up has its name in the place of the id, which the workspace knows.
    """
    from nextbest.platforms.databricks.needs import Warehouse

    variables = bundle.config.get("variables") or {}
    names = {
        each["value"] for each in variables.values()
        if each.get("value") and each["value"] == (each.get("lookup") or {}).get("warehouse")
    }  # fmt: skip
    users: dict[str, list[str]] = {}
    for group, kind in (("alerts", "alert"), ("dashboards", "dashboard")):
        for key, config in (bundle.resources.get(group) or {}).items():
            if named := config.get("warehouse_id"):
                users.setdefault(named, []).append(f"{kind} {key}")
    return tuple(Warehouse(", ".join(users[each]), each, each in names) for each in users)


def _program() -> Finding:
    from nextbest.platforms.databricks.needs import Finding

    if shutil.which("databricks"):
        return Finding("program", "ok", "the Databricks CLI is installed")
    return Finding(
        "program", "wrong", "the 'databricks' program is not installed; deploy and run need it",
        "get it from https://docs.databricks.com/dev-tools/cli/install", "you",
    )  # fmt: skip


def _show(target: str, found: list[Finding]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, title=f"target {target}", title_justify="left")
    for name in ("", "check", "found", "to mend it", "who can"):
        table.add_column(name, overflow="fold")
    for each in found:
        table.add_row(MARKS[each.state], each.check, each.told, each.mend, each.who)
    console = Console()
    console.print(table)
    bad = sum(each.state != "ok" for each in found)
    console.print(f"{len(found)} looked at, {bad} to be mended" if bad else "ready to deploy")
