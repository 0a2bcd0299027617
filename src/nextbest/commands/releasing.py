"""What commands about releases have in common: whose model it is, and where its registry is."""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import getpass
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nextbest.bundle import Bundle, find_root, load
from nextbest.bundle.flags import parse_variables
from nextbest.bundle.include import read_all
from nextbest.commands.explain import settings_of
from nextbest.errors import UsageError
from nextbest.platforms.local.environment import chosen_lakehouse, environment
from nextbest.platforms.releases import Releases
from nextbest.settings import Settings

if TYPE_CHECKING:
    from nextbest.platforms.databricks.asking import WorkspaceClient

SOMEBODY = "somebody"  # in the place of a user whose name will be known from a model's


@dataclass(frozen=True)
class Place:
    """A target's model, its registry and ledger; `source` is another target's to take from."""

    bundle: Bundle
    settings: Settings
    releases: Releases
    source: str | None
    lakehouse: Path | None  # of a local one
    workspace: WorkspaceClient | None

    @property
    def commit(self) -> str | None:
        """The commit of the bundle's folder, with `+` when something there is not committed."""
        root = str(self.bundle.root)
        try:
            asked = ["git", "-C", root, "rev-parse", "HEAD"]
            head = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
            asked = ["git", "-C", root, "status", "--porcelain", "--untracked-files=no"]
            changed = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):  # no git, or no repository
            return None
        return f"{head}+" if changed else head


def open_place(args: argparse.Namespace) -> Place:
    """The target that args.model belongs to; with --target, the one that it goes to.

    Raises UsageError for a name of another form, one that no target has, and flags that don't go
    together; PlatformError when the workspace refuses.
    """
    if not re.fullmatch(r"[^.\s]+\.[^.\s]+\.[^.\s]+", args.model):
        raise UsageError(f"'{args.model}' is no model: write CATALOG.SCHEMA.MODEL")
    if args.local and args.warehouse:
        raise UsageError("--warehouse: with --local the ledger is in the lakehouse")
    if args.lakehouse and not args.local:
        raise UsageError("--lakehouse is a folder of this machine: it goes with --local")
    root, variables = find_root(Path.cwd()), parse_variables(args.var)
    workspace = None if args.local else _connect(root, args.target, variables)
    user = getpass.getuser() if workspace is None else _me(workspace)
    platform = "local" if workspace is None else "databricks"
    bundle, source = _target(root, args, variables, user)
    settings = dataclasses.replace(settings_of(bundle), platform=platform, as_of=_as_of(bundle))
    ledger = settings.table("promotions")
    if workspace is not None:
        return _there(args, bundle, settings, source, workspace)
    from nextbest.platforms.local.releasing import in_a_folder

    lakehouse = chosen_lakehouse(args.lakehouse, root)
    os.environ.update(environment(lakehouse))  # before MLflow is imported, which reads it
    return Place(bundle, settings, in_a_folder(lakehouse, ledger), source, lakehouse, None)


def _there(
    args: argparse.Namespace,
    bundle: Bundle,
    settings: Settings,
    source: str | None,
    workspace: WorkspaceClient,
) -> Place:
    from nextbest.platforms.databricks.registered_models import point_mlflow
    from nextbest.platforms.databricks.releasing import from_elsewhere
    from nextbest.platforms.databricks.statements import choose_warehouse

    point_mlflow(workspace)
    warehouse = choose_warehouse(workspace, args.warehouse)
    ports = from_elsewhere(workspace, warehouse, settings.table("promotions"))
    return Place(bundle, settings, ports, source, None, workspace)


def _connect(root: Path, target: str | None, variables: Mapping[str, str]) -> WorkspaceClient:
    from nextbest.platforms.databricks.asking import connect

    place = load(root, target, variables).config.get("workspace") or {}
    return connect(place.get("host"), place.get("profile"))


def _me(workspace: WorkspaceClient) -> str:
    from nextbest.platforms.databricks.asking import ask

    return ask(workspace.current_user.me, "who asks", "a valid token").user_name


def _target(
    root: Path, args: argparse.Namespace, variables: Mapping[str, str], user: str
) -> tuple[Bundle, str | None]:
    """The bundle of the target that is changed, and the model of another one to take from."""
    config = read_all(root, [])
    names = (list(config.entries("targets")) if config is not None else []) or [None]
    if args.target is not None:
        bundle = _of_model(root, args.target, variables, args.model)
        if bundle is not None:
            return bundle, None
    for name in names:
        bundle = _of_model(root, name, variables, args.model)
        if bundle is not None and args.target is None:
            return bundle, None
        if bundle is not None:
            return load(root, args.target, variables, user), args.model
    models = {
        bundle.target: settings_of(bundle).model
        for bundle in (load(root, name, variables, user) for name in names)
    }
    told = ", ".join(f"{model} ({target})" for target, model in models.items())
    raise UsageError(
        f"{args.model} is the model of no target: there are {told}; for a log of your own give "
        "--var source=… and --var mapping=…, as its runs were given"
    )


def _of_model(
    root: Path, target: str | None, variables: Mapping[str, str], model: str
) -> Bundle | None:
    """The target as whose model it is sees it: in development mode its name tells whose."""
    whoever = settings_of(load(root, target, variables, SOMEBODY)).model
    found = re.fullmatch(re.escape(whoever).replace(SOMEBODY, r"(\w+?)"), model)
    if found is None:
        return None
    return load(root, target, variables, found[1] if found.groups() else SOMEBODY)


def _as_of(bundle: Bundle) -> dt.date:
    """The day that the bundle tells, or today (UTC) where each run is told its own."""
    told = next(
        each.default for job in bundle.jobs.values() for each in job.parameters
        if each.name == "as_of"
    )  # fmt: skip
    return dt.datetime.now(dt.UTC).date() if "{{" in told else dt.date.fromisoformat(told)
