"""A workspace's Spark and MLflow from outside of it, as on a laptop without --local."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nextbest.errors import PlatformError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

INSTALL = "pip install 'databricks-connect>=17.3,<17.4' databricks-feature-engineering"


def mlflow_environment(host: str | None, profile: str | None) -> dict[str, str]:
    """Environment variables that point MLflow to a workspace and to Unity Catalog's registry.

    Set them before MLflow is imported, which reads them.
    """
    suffix = f"://{profile}" if profile else ""
    found = {
        "MLFLOW_TRACKING_URI": f"databricks{suffix}",
        "MLFLOW_REGISTRY_URI": f"databricks-uc{suffix}",
    }
    return found | ({"DATABRICKS_HOST": host} if host and not profile else {})


def open_session(host: str | None, profile: str | None) -> SparkSession:
    """A session by Databricks Connect: on DATABRICKS_CLUSTER_ID if it is set, else serverless.

    Raises PlatformError when Databricks Connect isn't installed or the workspace gives no session.
    Source: Databricks Connect for Python, compute configuration.
    """
    import os

    try:
        from databricks.connect import DatabricksSession
    except ImportError as error:
        raise PlatformError(
            "rows of a workspace are read by Databricks Connect, which is not installed here: in "
            "an environment of its own (it brings a PySpark that takes the place of the engine's) "
            f"run `{INSTALL}`; to compare on this machine's lakehouse, add --local"
        ) from error
    builder = DatabricksSession.builder
    if profile:
        builder = builder.profile(profile)
    elif host:
        builder = builder.host(host)
    if not os.environ.get("DATABRICKS_CLUSTER_ID"):
        builder = builder.serverless(True)
    try:
        spark = builder.getOrCreate()
        spark.conf.set("spark.sql.session.timeZone", "UTC")
    except Exception as error:  # Connect raises this very class where it finds no compute
        raise PlatformError(
            f"Databricks Connect gives no session ({error}): name a running cluster with runtime "
            "17.3 in DATABRICKS_CLUSTER_ID, or use serverless compute in this workspace"
        ) from error
    return spark
