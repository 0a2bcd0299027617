"""The workspace's ports of a release: in a task by its Spark, elsewhere by a SQL warehouse."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from nextbest.platforms.databricks.aliases import UnityCatalogAliases
from nextbest.platforms.databricks.asking import ask
from nextbest.platforms.databricks.ledger import DatabricksLedger, Run, by_spark, by_warehouse
from nextbest.platforms.databricks.serving import DatabricksServing
from nextbest.platforms.releases import Releases

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from pyspark.sql import SparkSession

    from nextbest.settings import Settings


def in_a_task(settings: Settings, spark: SparkSession) -> Releases:
    """The ports with the credentials that the notebook runs with."""
    from databricks.sdk import WorkspaceClient

    return _ports(WorkspaceClient(), by_spark(spark), settings.table("promotions"))


def from_elsewhere(workspace: WorkspaceClient, warehouse: str, ledger: str) -> Releases:
    """The ports of a machine without Spark; `ledger` is the table's three-level name."""
    return _ports(workspace, by_warehouse(workspace, warehouse), ledger)


def _ports(workspace: WorkspaceClient, run: Run, ledger: str) -> Releases:
    from mlflow import MlflowClient

    @cache
    def who() -> str:
        return ask(workspace.current_user.me, "who asks", "a valid token").user_name

    aliases = UnityCatalogAliases(MlflowClient())
    return Releases(DatabricksLedger(run, ledger), aliases, DatabricksServing(workspace), who)
