"""`dbb explain` on the command line: the bundle's settings, the lakehouse, a printed answer."""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import getpass
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nextbest.bundle import Bundle, find_root, load
from nextbest.bundle.flags import parse_variables
from nextbest.errors import PlatformError, UsageError
from nextbest.platforms.local.environment import chosen_lakehouse, environment
from nextbest.settings import Settings

if TYPE_CHECKING:
    from nextbest.lifecycle.explaining import Explained


def explain(args: argparse.Namespace) -> int:
    """Explain args.decision_id; args as commands.declared defines them for `explain`.

    Returns the exit code: 0, or 1 when the decision, computed again, is another one. Raises
    UsageError without `local` and for an id that no decision has.
    """
    if not args.local:
        raise UsageError("explain reads the lakehouse of this machine: add --local")
    root = find_root(Path.cwd())
    bundle = load(root, args.target, parse_variables(args.var), getpass.getuser())
    settings = settings_of(bundle)
    lakehouse = chosen_lakehouse(args.lakehouse, root)
    if not (lakehouse / settings.catalog / settings.schema).is_dir():
        raise PlatformError(
            f"no tables of {settings.catalog}.{settings.schema} in {lakehouse}: "
            f"`dbb run lifecycle_job -t {bundle.target} --local` makes them"
        )
    os.environ.update(environment(lakehouse))  # before MLflow is imported, which reads it
    from nextbest.lifecycle.explaining import explain_decision
    from nextbest.platforms.local.session import open_session

    spark = open_session(lakehouse, [f"{settings.catalog}.{settings.schema}"])
    found = explain_decision(settings, spark, args.decision_id)
    print(as_json(found) if args.json else as_text(found))
    return 1 if found.differences else 0


def settings_of(bundle: Bundle) -> Settings:
    """What the bundle tells the notebooks on this target, run here; as_of is of no meaning.

    Raises UsageError when no job has every setting among its parameters.
    """
    wanted = {field.name for field in dataclasses.fields(Settings)}
    for job in bundle.jobs.values():
        told = {parameter.name: parameter.default for parameter in job.parameters}
        if wanted <= told.keys():
            fixed = {"platform": "local", "as_of": dt.date.min.isoformat()}
            return Settings.parse({name: told[name] for name in wanted} | fixed)
    raise UsageError(
        f"no job of target '{bundle.target}' has all settings as parameters: "
        f"{', '.join(sorted(wanted))}"
    )


def as_text(found: Explained) -> str:
    """The sentence, the verdict on it, and a line for every treatment."""
    lines = [f"{found.logged['decision_id']}: {found.sentence}"]
    if found.table is None or found.differences is None:
        return "\n".join([*lines, "", *_known(found.logged)])
    if found.differences:
        lines.append("computed again it differs from the log; tables or actions changed since:")
        lines += [f"  {difference}" for difference in found.differences]
    else:
        lines.append("computed again, choice and propensity are the logged ones")
    table = found.table
    open_ = table[table["eligible"]].drop(columns=["eligible", "rejected", "chosen"])
    open_ = open_.drop(columns=[name for name in ("lever", "context") if (open_[name] == 1).all()])
    open_ = open_.set_axis(["→ " + open_.iloc[0, 0], *("  " + t for t in open_["treatment"][1:])])
    shown = open_.drop(columns="treatment").to_string(float_format=lambda x: f"{x:.4g}")
    closed = table.loc[~table["eligible"], ["treatment", "rejected"]].itertuples(index=False)
    rejected = [f"  {name}: {why}" for name, why in closed]
    return "\n".join([*lines, "", shown, *(["", "not eligible:"] if rejected else []), *rejected])


def as_json(found: Explained) -> str:
    """Everything as one JSON object; what is not a number is null."""
    table = found.table
    rows = None if table is None else [_plain(row) for row in table.to_dict("records")]
    answer = {
        "sentence": found.sentence,
        "same": None if found.differences is None else not found.differences,
        "differences": found.differences,
        "logged": _plain(found.logged),
        "treatments": rows,
    }
    return json.dumps(answer, indent=1, default=str)


def _known(row: Mapping[str, Any]) -> list[str]:
    width = max(map(len, row))
    return [f"  {name:<{width}}  {value}" for name, value in row.items() if value is not None]


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: None if value != value else value for name, value in row.items()}
