"""`dbb alerts`: what was found, who was told, what was done; and `dbb alerts ack`."""

from __future__ import annotations

import argparse
import datetime as dt
import getpass
import json
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nextbest.bundle import Bundle, find_root, load
from nextbest.bundle.command import parse_variables
from nextbest.commands.explain import settings_of
from nextbest.errors import PlatformError, UsageError
from nextbest.platforms.local.environment import chosen_lakehouse, environment
from nextbest.settings import Settings

if TYPE_CHECKING:
    from nextbest.lifecycle.alert_list import Query

MARKS = {"critical": "✗", "warning": "!"}


def alerts(args: argparse.Namespace) -> int:
    """List the alerts of the last days; args as commands.declared defines them for `alerts`.

    Returns 0, or 1 when one of them is critical and nobody has acknowledged it.
    """
    from nextbest.lifecycle.alert_list import listed

    if args.days < 1:
        raise UsageError(f"--days {args.days}: one day at least")
    settings, query, _ = _opened(args)
    since = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=args.days)
    found = listed(settings, query, args.since or since.isoformat())
    if args.json:
        print(json.dumps(found, indent=1))
    else:
        _show(found)
    alarming = [a for a in found if a["severity"] == "critical" and not a["acknowledged_by"]]
    return 1 if alarming else 0


def ack(args: argparse.Namespace) -> int:
    """Acknowledge an alert: no reminder of it as long as it goes on, unless it gets worse."""
    from nextbest.lifecycle.alert_list import acknowledge

    if not args.reason.strip():
        raise UsageError(
            "--reason: say what is done about it, whoever is next on call will read it"
        )
    settings, query, who = _opened(args)
    number = acknowledge(settings, query, args.alert_id, who, args.reason.strip())
    print(f"{number} is acknowledged by {who}")
    return 0


def _opened(args: argparse.Namespace) -> tuple[Settings, Query, str]:
    """Settings of the target, how to ask its tables, and who asks."""
    if args.local and args.warehouse:
        raise UsageError("--warehouse: tables of this machine are asked without one")
    if args.lakehouse and not args.local:
        raise UsageError("--lakehouse is a folder of this machine: it goes with --local")
    root = find_root(Path.cwd())
    bundle = load(root, args.target, parse_variables(args.var), getpass.getuser())
    settings = settings_of(bundle)
    query, who = _here(args, root, bundle, settings) if args.local else _there(args, bundle)
    return settings, query, who


def _here(
    args: argparse.Namespace, root: Path, bundle: Bundle, settings: Settings
) -> tuple[Query, str]:
    lakehouse = chosen_lakehouse(args.lakehouse, root)
    schema = f"{settings.catalog}.{settings.schema}"
    table = settings.table("alert_deliveries")
    if not lakehouse.joinpath(*table.split(".")).is_dir():
        raise PlatformError(
            f"no table {table} in {lakehouse}: `dbb run monitoring_job -t {bundle.target} --local` "
            "makes it, once there is a champion"
        )
    os.environ.update(environment(lakehouse))
    from nextbest.platforms.local.session import open_session

    spark = open_session(lakehouse, [schema])

    def query(sql: str, given: Mapping[str, str]) -> list[dict[str, Any]]:
        return [row.asDict() for row in spark.sql(sql, args=dict(given)).collect()]

    return query, getpass.getuser()


def _there(args: argparse.Namespace, bundle: Bundle) -> tuple[Query, str]:
    from nextbest.platforms.databricks.asking import ask, connect
    from nextbest.platforms.databricks.statements import choose_warehouse, rows_of

    place = bundle.config.get("workspace") or {}
    workspace = connect(place.get("host"), place.get("profile"))
    me = ask(workspace.current_user.me, "who asks", "a valid token").user_name or ""
    warehouse = choose_warehouse(workspace, args.warehouse)
    right = "USE SCHEMA and SELECT on the target's schema, MODIFY to acknowledge"
    return partial(rows_of, workspace, warehouse, right=right), me


def _show(found: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, highlight=False)
    if not found:
        console.print("no alerts")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("", "id", "day", "finding", "told", "messages", "response", "acknowledged"):
        table.add_column(name, overflow="fold", no_wrap=name in ("id", "day"))
    for each in found:
        sent = f"{each['delivered']} taken"
        if each["undelivered"]:
            sent += f", {each['undelivered']} not"
        who = each["acknowledged_by"]
        seen = f"{who}: {each['acknowledged_because']}" if who else ""
        table.add_row(
            MARKS[each["severity"]], each["alert_id"], each["as_of"], each["text"], each["told"],
            sent, each["response"], seen,
        )  # fmt: skip
    console.print(table)
