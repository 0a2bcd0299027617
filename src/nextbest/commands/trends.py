"""`dbb trends`: a model's versions over time: what they are worth, what their training took."""

from __future__ import annotations

import argparse
import dataclasses
import getpass
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from nextbest.bundle import Bundle, find_root, load
from nextbest.bundle.flags import parse_variables
from nextbest.commands.explain import settings_of
from nextbest.errors import PlatformError, UsageError

if TYPE_CHECKING:
    from nextbest.registry import VersionRun

SHOWN = ("value", "lift", "training_seconds", "rows_learned")  # columns of the printed table


def trends(args: argparse.Namespace) -> int:
    """Show a model's versions, oldest first; args as commands.declared defines them for `trends`.

    Raises UsageError for flags that don't go together, PlatformError when MLflow refuses or the
    model has no version.
    """
    if args.lakehouse and not args.local:
        raise UsageError("--lakehouse is a folder of this machine: it goes with --local")
    root = find_root(Path.cwd())
    bundle = load(root, args.target, parse_variables(args.var), getpass.getuser())
    _point_mlflow(args, root, bundle)  # before MLflow is imported, which reads the environment
    from nextbest import registry

    model = args.model or settings_of(bundle).model
    found = registry.version_runs(model)
    if not found:
        raise PlatformError(f"{model} has no version: training_job registers the first one")
    if args.page:
        from nextbest.commands.trends_page import page

        try:
            Path(args.page).write_text(page(model, found), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"--page {args.page} can't be written: {error.strerror}") from error
    if args.json:
        told = [dataclasses.asdict(each) for each in found]
        print(json.dumps({"model": model, "versions": told}, indent=1, default=str))
        return 0
    _print(model, found)
    if args.page:
        print(f"page: {args.page}")
    return 0


def verdict_of(run: VersionRun) -> str:
    """What the gates said of a version: passed, refused, or not judged."""
    words = {"true": "passed", "false": "refused"}
    return words.get(run.tags.get("verdict_passed", ""), "not judged")


def _point_mlflow(args: argparse.Namespace, root: Path, bundle: Bundle) -> None:
    """Let MLflow look into the lakehouse, or into the target's workspace."""
    if args.local:
        from nextbest.platforms.local.environment import chosen_lakehouse, environment

        lakehouse = chosen_lakehouse(args.lakehouse, root)
        if not (lakehouse / "mlflow" / "mlflow.db").is_file():
            raise PlatformError(
                f"no MLflow in {lakehouse}: `dbb run training_job -t {bundle.target} --local` "
                "makes one"
            )
        os.environ.update(environment(lakehouse))
        return
    place = bundle.config.get("workspace") or {}
    profile = place.get("profile")
    if place.get("host"):
        os.environ.setdefault("DATABRICKS_HOST", str(place["host"]))
    os.environ["MLFLOW_TRACKING_URI"] = f"databricks://{profile}" if profile else "databricks"
    os.environ["MLFLOW_REGISTRY_URI"] = f"databricks-uc://{profile}" if profile else "databricks-uc"


def _print(model: str, found: list[VersionRun]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    heads = ("version", "as of", "verdict", "aliases", *(name.replace("_", " ") for name in SHOWN))
    for name in heads:
        table.add_column(name, justify="left" if name in heads[:4] else "right")
    for run in found:
        measured = [run.metrics.get(name) for name in SHOWN]
        cells = ["–" if value is None else f"{value:,.4g}" for value in measured]
        aliases = ", ".join(run.aliases)
        table.add_row(run.version, run.tags.get("as_of", "–"), verdict_of(run), aliases, *cells)
    console = Console(markup=False, highlight=False)
    console.print(f"{model}: {len(found)} versions")
    console.print(table)
