"""The online store, by the port: Databricks' adapter, its calls by name, type and order."""

from __future__ import annotations

from unittest import mock

import pytest

from nextbest.errors import PlatformError
from nextbest.platforms import Published

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("online_store")]


@pytest.fixture
def client(monkeypatch):
    import databricks.feature_engineering as package

    made = mock.create_autospec(package.FeatureEngineeringClient, instance=True)
    monkeypatch.setattr(package, "FeatureEngineeringClient", lambda: made)
    return made


@pytest.fixture
def pipelines():
    """Databricks' pipelines, whose newest update ends at the second look."""
    from databricks.sdk.service import pipelines as sdk

    def updates(*states):
        return [
            sdk.GetPipelineResponse(
                latest_updates=[
                    sdk.UpdateStateInfo(state=sdk.UpdateStateInfoState(state), update_id="1")
                ]
            )
            for state in states
        ]

    made = mock.create_autospec(sdk.PipelinesAPI, instance=True)
    made.updates = updates
    made.get.side_effect = updates("RUNNING", "COMPLETED")
    return made


@pytest.fixture
def on_databricks(client, pipelines):
    from databricks.ml_features.entities.published_table import PublishedTable

    from nextbest.platforms.databricks import online_store
    from nextbest.platforms.databricks.feature_store import DatabricksFeatureStore

    client.publish_table.return_value = PublishedTable("prod.nba.features_online", "p-1")
    with mock.patch.object(online_store, "POLL_SECONDS", 0):
        yield DatabricksFeatureStore(mock.Mock(), mock.Mock(pipelines=pipelines))


def online(state):
    from databricks.feature_engineering import DatabricksOnlineStore

    return DatabricksOnlineStore("prod-nba", "CU_1", state=DatabricksOnlineStore.State(state))


def test_databricks_publishes_what_changed_into_a_store_that_is_there(on_databricks, client):
    client.get_online_store.return_value = online("AVAILABLE")
    assert on_databricks.publish("prod.nba.features") == Published("prod.nba.features_online")
    (statement,) = on_databricks._spark.sql.call_args.args
    assert "`prod`.`nba`.`features` SET TBLPROPERTIES (delta.enableChangeDataFeed = true)" in (
        statement
    )
    assert client.method_calls == [
        mock.call.get_online_store(name="prod-nba"),
        mock.call.publish_table(
            online_store=online("AVAILABLE"), source_table_name="prod.nba.features",
            online_table_name="prod.nba.features_online", publish_mode="TRIGGERED",
        ),
    ]  # fmt: skip


def test_databricks_creates_the_store_and_waits_for_it(on_databricks, client):
    client.get_online_store.side_effect = [None, online("STARTING"), online("AVAILABLE")]
    client.create_online_store.return_value = online("STARTING")
    on_databricks.publish("prod.nba.features")
    assert [call[0] for call in client.method_calls] == [
        "get_online_store", "create_online_store", "get_online_store", "get_online_store",
        "publish_table",
    ]  # fmt: skip
    client.create_online_store.assert_called_once_with(name="prod-nba", capacity="CU_1")


def test_databricks_tells_a_store_that_does_not_come_up(on_databricks, client, monkeypatch):
    from nextbest.platforms.databricks import online_store

    monkeypatch.setattr(online_store, "PATIENCE_SECONDS", 0)
    client.get_online_store.return_value = online("STARTING")
    with pytest.raises(PlatformError, match="prod-nba is STARTING"):
        on_databricks.publish("prod.nba.features")
    client.publish_table.assert_not_called()


@pytest.mark.parametrize("state", ["STOPPED", "DELETING"])
def test_databricks_waits_for_no_store_that_can_not_come_up(on_databricks, client, state):
    client.get_online_store.side_effect = [online(state)]
    with pytest.raises(PlatformError, match=f"prod-nba is {state}.*start it"):
        on_databricks.publish("prod.nba.features")


def test_databricks_waits_until_the_rows_have_arrived(on_databricks, client, pipelines):
    client.get_online_store.return_value = online("AVAILABLE")
    on_databricks.publish("prod.nba.features")
    assert pipelines.get.mock_calls == [mock.call("p-1")] * 2
    pipelines.get.side_effect = pipelines.updates("RUNNING", "FAILED")
    with pytest.raises(PlatformError, match="features was not published: pipeline p-1 is FAILED"):
        on_databricks.publish("prod.nba.features")


def test_the_name_of_a_store_ends_in_a_letter_or_digit():
    from nextbest.platforms.databricks.online_store import store_name

    assert store_name("_Prod.nba_1.features") == "prod-nba-1"
    assert store_name(f"{'c' * 62}.nba.features") == "c" * 62
