"""Where `dbb compare-models` looks: this machine's lakehouse, or a workspace."""

from __future__ import annotations

import argparse
import dataclasses
import getpass
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nextbest.bundle import find_root, load
from nextbest.errors import PlatformError, UsageError
from nextbest.runner.command import pairs
from nextbest.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Place:
    """A target's settings, and how a session over its tables is opened, which takes a while.

    MLflow is pointed to the place's registry already.
    """

    settings: Settings
    open: Callable[[], SparkSession]


def place_of(args: argparse.Namespace) -> Place:
    """The place that the flags local, lakehouse, target and var name.

    Raises UsageError for flags that don't go together, PlatformError when there is nothing.
    """
    if args.local:
        return _here(args)
    if args.lakehouse:
        raise UsageError("--lakehouse is a folder of this machine: it goes with --local")
    return _there(args)


def _here(args: argparse.Namespace) -> Place:
    from nextbest.commands.explain import settings_of
    from nextbest.platforms.local.environment import chosen_lakehouse, environment

    root = find_root(Path.cwd())
    bundle = load(root, args.target, pairs(args.var, "--var"), getpass.getuser())
    settings = settings_of(bundle)
    lakehouse = chosen_lakehouse(args.lakehouse, root)
    if not (lakehouse / settings.catalog / settings.schema).is_dir():
        raise PlatformError(
            f"no tables of {settings.catalog}.{settings.schema} in {lakehouse}: "
            f"`dbb run lifecycle_job -t {bundle.target} --local` makes them"
        )
    os.environ.update(environment(lakehouse))  # before MLflow is imported, which reads it

    def open_here() -> SparkSession:
        from nextbest.platforms.local.session import open_session

        return open_session(lakehouse, [f"{settings.catalog}.{settings.schema}"])

    return Place(settings, open_here)


def _there(args: argparse.Namespace) -> Place:
    from nextbest.commands.explain import settings_of
    from nextbest.platforms.databricks.asking import ask, connect
    from nextbest.platforms.databricks.tracking import mlflow_environment

    root, variables = find_root(Path.cwd()), pairs(args.var, "--var")
    where = load(root, args.target, variables).config.get("workspace") or {}
    host, profile = where.get("host"), where.get("profile")
    try:
        workspace = connect(host, profile)
    except PlatformError as error:
        raise PlatformError(
            f"{error}; to compare here, without a workspace, add --local"
        ) from error
    me = ask(workspace.current_user.me, "who asks", "a valid token").user_name
    settings = settings_of(load(root, args.target, variables, me))
    os.environ.update(mlflow_environment(host, profile))

    def open_there() -> SparkSession:
        from nextbest.platforms.databricks.session import SERVERLESS, open_session

        compute = os.environ.get("DATABRICKS_CLUSTER_ID") or SERVERLESS
        spark = open_session(compute, host, profile)
        spark.conf.set("spark.sql.session.timeZone", "UTC")
        return spark

    return Place(dataclasses.replace(settings, platform="databricks"), open_there)
