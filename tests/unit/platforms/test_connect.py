"""A workspace from outside: where MLflow is pointed, and what is missing without Connect."""

from __future__ import annotations

import importlib.util

import pytest

from nextbest.errors import PlatformError
from nextbest.platforms.databricks.connect import mlflow_environment, open_session

pytestmark = pytest.mark.unit


def test_mlflow_is_pointed_to_unity_catalog():
    assert mlflow_environment(None, None) == {
        "MLFLOW_TRACKING_URI": "databricks", "MLFLOW_REGISTRY_URI": "databricks-uc",
    }  # fmt: skip
    assert mlflow_environment("https://w", "mine") == {
        "MLFLOW_TRACKING_URI": "databricks://mine", "MLFLOW_REGISTRY_URI": "databricks-uc://mine",
    }  # fmt: skip
    assert mlflow_environment("https://w", None)["DATABRICKS_HOST"] == "https://w"


def test_without_connect_the_way_to_mend_it_is_told():
    assert importlib.util.find_spec("databricks.connect") is None
    with pytest.raises(PlatformError, match="`pip install 'databricks-connect.*add --local"):
        open_session(None, None)
