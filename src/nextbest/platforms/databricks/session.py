"""Databricks' ports over the session that the cluster (or serverless) gives a notebook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nextbest.platforms import Platform
from nextbest.platforms.databricks import catalog, feature_store, links, monitors, serving

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from nextbest.settings import Settings


def open_platform(settings: Settings, spark: SparkSession) -> Platform:
    """The workspace's ports; credentials are the ones the notebook runs with."""
    from databricks.sdk import WorkspaceClient

    workspace = WorkspaceClient()
    return Platform(
        name="databricks",
        spark=spark,
        features=feature_store.DatabricksFeatureStore(spark, workspace),
        monitors=monitors.DatabricksMonitors(workspace),
        serving=serving.DatabricksServing(workspace),
        catalog=catalog.DatabricksCatalog(spark),
        links=links.DatabricksLinks(workspace),
        volume=Path("/Volumes", settings.catalog, settings.schema, settings.volume),
    )
