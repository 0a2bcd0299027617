"""A workspace from outside: where MLflow is pointed."""

from __future__ import annotations

import pytest

from nextbest.platforms.databricks.tracking import mlflow_environment

pytestmark = pytest.mark.unit


def test_mlflow_is_pointed_to_unity_catalog():
    assert mlflow_environment(None, None) == {
        "MLFLOW_TRACKING_URI": "databricks", "MLFLOW_REGISTRY_URI": "databricks-uc",
    }  # fmt: skip
    assert mlflow_environment("https://w", "mine") == {
        "MLFLOW_TRACKING_URI": "databricks://mine", "MLFLOW_REGISTRY_URI": "databricks-uc://mine",
        "DATABRICKS_CONFIG_PROFILE": "mine",
    }  # fmt: skip
    assert mlflow_environment("https://w", None)["DATABRICKS_HOST"] == "https://w"
