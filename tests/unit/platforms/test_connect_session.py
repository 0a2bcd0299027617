"""A session of Databricks Connect: on the compute that was named, and on no other.

databricks-connect brings a PySpark of its own and can't be installed beside ours: the builder here
has the methods and refusals of 17.3.15 (`databricks/connect/session.py`) that concern us.
"""

from __future__ import annotations

import sys
import types

import pytest
from workspace.server import TOKEN, Workspace

from nextbest.errors import PlatformError, UsageError
from nextbest.platforms.databricks.session import open_session

pytestmark = pytest.mark.integration


class Builder:
    """Of the real one: `sdkConfig(config)`, and `create()`, which takes exactly one compute."""

    def sdkConfig(self, config):
        self._config = config
        return self

    def create(self):
        config = self._config
        if config.cluster_id is not None and config.serverless_compute_id is not None:
            raise Exception("Can't set both cluster id and serverless_compute_id in SDK config.")
        if config.cluster_id is None and config.serverless_compute_id is None:
            raise Exception("Cluster id or serverless are required but were not specified.")
        if config.cluster_id == "gone":
            raise Exception("Cluster gone does not exist\nwith more lines")
        return config


@pytest.fixture
def connect(monkeypatch, tmp_path):
    """databricks.connect, and credentials of a workspace: its address."""
    module = types.ModuleType("databricks.connect")
    module.DatabricksSession = types.SimpleNamespace(builder=Builder())
    monkeypatch.setitem(sys.modules, "databricks.connect", module)
    space = Workspace()
    monkeypatch.setenv("DATABRICKS_HOST", space.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "none"))
    yield space.url
    space.close()


@pytest.mark.parametrize(
    ("compute", "cluster", "serverless"),
    [("serverless", None, "auto"), ("0123-456789-abcdefgh", "0123-456789-abcdefgh", None)],
)
def test_the_compute_is_the_one_that_was_named(connect, monkeypatch, compute, cluster, serverless):
    """Whatever the environment says."""
    monkeypatch.setenv("DATABRICKS_CLUSTER_ID", "of-the-environment")
    monkeypatch.setenv("DATABRICKS_SERVERLESS_COMPUTE_ID", "auto")
    config = open_session(compute)
    assert (config.cluster_id, config.serverless_compute_id) == (cluster, serverless)
    assert config.host == connect


def test_no_compute_is_not_any(connect):
    with pytest.raises(UsageError, match="no compute was named: 'serverless', or the id"):
        open_session(" ")


def test_what_it_refuses_is_told_without_the_token(connect):
    with pytest.raises(PlatformError) as raised:
        open_session("gone")
    assert f"no session of Databricks Connect on gone at {connect}" in str(raised.value)
    assert "(Cluster gone does not exist)" in str(raised.value)
    assert "CAN ATTACH TO" in str(raised.value)
    assert TOKEN not in str(raised.value)


def test_without_databricks_connect_it_says_how_to_get_it():
    with pytest.raises(PlatformError, match=r"pip install 'databricks-connect==17.3.\*'.*without"):
        open_session("serverless")


def test_without_credentials(connect, monkeypatch):
    monkeypatch.delenv("DATABRICKS_HOST")
    monkeypatch.delenv("DATABRICKS_TOKEN")
    with pytest.raises(PlatformError, match="databricks auth login"):
        open_session("serverless")
