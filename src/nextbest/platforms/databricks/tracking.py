"""MLflow of a workspace from outside of it, as on a laptop without --local."""

from __future__ import annotations


def mlflow_environment(host: str | None, profile: str | None) -> dict[str, str]:
    """Environment variables that point MLflow and the SDK to a workspace and its Unity Catalog.

    Set them before MLflow is imported, which reads them.
    """
    suffix = f"://{profile}" if profile else ""
    found = {
        "MLFLOW_TRACKING_URI": f"databricks{suffix}",
        "MLFLOW_REGISTRY_URI": f"databricks-uc{suffix}",
    }
    if profile:
        return found | {"DATABRICKS_CONFIG_PROFILE": profile}
    return found | ({"DATABRICKS_HOST": host} if host else {})
