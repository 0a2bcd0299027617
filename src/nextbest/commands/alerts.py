"""`dbb alerts`: what was found, who was told, what was done; and `dbb alerts ack`."""

from __future__ import annotations

import argparse
import datetime as dt
import getpass
import json
import os
from collections.abc import Callable, Mapping
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nextbest.bundle import Bundle, find_root, load
from nextbest.bundle.flags import parse_variables
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

    since = _since(args.days, args.since)
    settings, asked = _opened(args)
    found = listed(settings, asked.query, since.isoformat())
    if args.json:
        print(json.dumps(found, indent=1))
    else:
        _show(found)
    alarming = [a for a in found if a["severity"] == "critical" and not a["acknowledged_by"]]
    return 1 if alarming else 0


def ack(args: argparse.Namespace) -> int:
    """Acknowledge an alert: no reminder of it as long as it goes on, unless it gets worse."""
    from nextbest.lifecycle.alert_list import chosen

    if not args.reason.strip():
        raise UsageError(
            "--reason: say what is done about it, whoever is next on call will read it"
        )
    settings, asked = _opened(args)
    number = chosen(settings, asked.query, args.alert_id)
    asked.acknowledge(number, asked.who, args.reason.strip())
    print(f"{number} is acknowledged by {asked.who}")
    return 0


def _since(days: int, day: str | None) -> dt.date:
    """The first day asked for: the one that is named, else so many with today (of UTC)."""
    if day is not None:
        try:
            return dt.date.fromisoformat(day)
        except ValueError:
            raise UsageError(f"--since '{day}' is no day: write one like 2026-01-31") from None
    today = dt.datetime.now(dt.UTC).date()
    if not 1 <= days <= today.toordinal():
        raise UsageError(f"--days {days}: one day at least, and none before the calendar's first")
    return today - dt.timedelta(days=days - 1)


class Asked(NamedTuple):
    """A target's tables: how to ask them, who asks, and how an alert (id, who, reason) is noted."""

    query: Query
    who: str
    acknowledge: Callable[[str, str, str], None]


def _opened(args: argparse.Namespace) -> tuple[Settings, Asked]:
    if args.local and args.warehouse:
        raise UsageError("--warehouse: tables of this machine are asked without one")
    if args.lakehouse and not args.local:
        raise UsageError("--lakehouse is a folder of this machine: it goes with --local")
    root = find_root(Path.cwd())
    bundle = load(root, args.target, parse_variables(args.var), getpass.getuser())
    settings = settings_of(bundle)
    if args.local:
        return settings, _here(args, root, bundle, settings)
    return settings, _there(args, bundle, settings)


def _here(args: argparse.Namespace, root: Path, bundle: Bundle, settings: Settings) -> Asked:
    lakehouse = chosen_lakehouse(args.lakehouse, root)
    schema = f"{settings.catalog}.{settings.schema}"
    table = settings.table("alert_deliveries")
    if not lakehouse.joinpath(*table.split(".")).is_dir():
        raise PlatformError(
            f"no table {table} in {lakehouse}: `dbb run monitoring_job -t {bundle.target} --local` "
            "makes it, once there is a champion"
        )
    os.environ.update(environment(lakehouse))
    from nextbest.lifecycle.alert_list import acknowledge_here
    from nextbest.platforms.local.session import open_session

    spark = open_session(lakehouse, [schema])

    def query(sql: str, given: Mapping[str, str]) -> list[dict[str, Any]]:
        return [row.asDict() for row in spark.sql(sql, args=dict(given)).collect()]

    return Asked(query, getpass.getuser(), partial(acknowledge_here, settings, spark))


def _there(args: argparse.Namespace, bundle: Bundle, settings: Settings) -> Asked:
    from nextbest.lifecycle.alert_list import acknowledge_there
    from nextbest.platforms.databricks.asking import ask, connect
    from nextbest.platforms.databricks.statements import choose_warehouse, rows_of

    place = bundle.config.get("workspace") or {}
    workspace = connect(place.get("host"), place.get("profile"))
    me = ask(workspace.current_user.me, "who asks", "a valid token").user_name or ""
    warehouse = choose_warehouse(workspace, args.warehouse)
    right = "USE SCHEMA and SELECT on the target's schema, MODIFY to acknowledge"
    query = partial(rows_of, workspace, warehouse, right=right)
    return Asked(query, me, partial(acknowledge_there, settings, query))


def _show(found: list[dict[str, Any]]) -> None:
    """A paragraph per day: what is done about it, who was told, and a line per alert."""
    if not found:
        print("no alerts")
    for day, some in groupby(found, key=lambda each: each["as_of"]):
        alerts_of_day = list(some)
        first = alerts_of_day[0]
        lost = f", {first['undelivered']} NOT taken" if first["undelivered"] else ""
        print(f"{day}  {first['response']}; {first['delivered']} messages taken{lost}")
        for each in alerts_of_day:
            print(
                f"  {MARKS[each['severity']]} {each['alert_id']}  {each['told']:<8}  {each['text']}"
            )
            if each["acknowledged_by"]:
                print(f"      {each['acknowledged_by']}: {each['acknowledged_because']}")
