"""Databricks' ports over a session: a notebook's own, or one of Databricks Connect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nextbest.errors import PlatformError, UsageError
from nextbest.platforms import Platform
from nextbest.platforms.databricks import catalog, feature_store, links, monitors, serving
from nextbest.platforms.databricks.asking import connect
from nextbest.platforms.own_monitors import OwnMonitors

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from nextbest.settings import Settings

SERVERLESS = "serverless"


def open_session(
    compute: str, host: str | None = None, profile: str | None = None
) -> SparkSession:  # fmt: skip
    """A new session of Databricks Connect, from outside of the workspace.

    compute: "serverless", or the id of a cluster; what the profile or the environment say of
    compute is left out of account. A notebook has `spark` already, on whatever it is attached to.
    Raises UsageError without a compute, and PlatformError where databricks-connect is not
    installed, without credentials, and when no session comes about. Source: databricks-connect
    17.3, `session.py`: who gives an SDK config can give the builder nothing else.
    """
    if not compute.strip():
        raise UsageError(f"no compute was named: '{SERVERLESS}', or the id of a cluster")
    try:
        from databricks.connect import DatabricksSession
    except ImportError as error:
        raise PlatformError(
            "Databricks Connect is not installed here: make an environment of its own with "
            "`pip install 'databricks-connect==17.3.*'` and this project's wheel, without pyspark, "
            "which it replaces (docs/guides/databricks.md)"
        ) from error
    config = connect(host, profile).config
    for other in ("cluster_id", "serverless_compute_id"):  # of the profile or the environment
        config.as_dict().pop(other, None)
    if compute == SERVERLESS:
        config.serverless_compute_id = "auto"
    else:
        config.cluster_id = compute
    try:
        return DatabricksSession.builder.sdkConfig(config).create()
    except Exception as error:  # it raises Exception itself, for whatever doesn't fit
        told = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise PlatformError(
            f"no session of Databricks Connect on {compute} at {config.host} ({told}): it needs "
            "CAN ATTACH TO on a running cluster, or serverless compute, of a runtime no older than "
            "databricks-connect"
        ) from error


def open_platform(settings: Settings, spark: SparkSession) -> Platform:
    """The workspace's ports; credentials are those of the environment, as in a notebook."""
    workspace = connect(None, None)
    return Platform(
        name="databricks",
        spark=spark,
        features=feature_store.DatabricksFeatureStore(spark, workspace),
        monitors=(
            OwnMonitors(spark, whole_names=True)
            if settings.profiling == "own"
            else monitors.DatabricksMonitors(workspace, settings.profiling)
        ),
        serving=serving.DatabricksServing(workspace),
        catalog=catalog.DatabricksCatalog(spark),
        links=links.DatabricksLinks(workspace),
        volume=Path("/Volumes", settings.catalog, settings.schema, settings.volume),
    )
