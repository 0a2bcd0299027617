"""Models with their feature spec: Databricks' adapter, its calls by name, type and order."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from unittest import mock

import pytest
from pyspark.errors import PySparkException
from scored_models import FUNCTIONS, LOOKUPS, MODEL, REQUIREMENTS, new

from nextbest.errors import DataError
from nextbest.platforms import TrainingSpec

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("feature_models")]


@pytest.fixture
def client(client_spec, monkeypatch):
    """The real client's class without a workspace, where the adapter looks for it."""
    import databricks.feature_engineering as package

    made = mock.create_autospec(package.FeatureEngineeringClient, instance=True)
    monkeypatch.setattr(package, "FeatureEngineeringClient", lambda: made)
    return made


@pytest.fixture
def on_databricks(client):
    from nextbest.platforms.databricks.feature_store import DatabricksFeatureStore

    return DatabricksFeatureStore(mock.Mock(), mock.Mock())


def test_databricks_logs_with_its_training_set_and_registers_once(on_databricks, client, home):
    import mlflow
    from databricks.feature_engineering import FeatureFunction as ClientFunction
    from databricks.feature_engineering import FeatureLookup

    client.log_model.return_value.model_uri = "models:/m-1"
    # What the rows bring is no feature to look up: the client would refuse it.
    spine, model = (
        mock.Mock(columns=["customer_id", "decided_at", "age", "target", "visits"]),
        object(),
    )
    client.get_table.return_value = SimpleNamespace(
        primary_keys=["customer_id", "as_of"], timestamp_keys=["as_of"]
    )
    client.read_table.return_value.columns = ["customer_id", "as_of", "spend", "visits"]
    asked = TrainingSpec(spine, LOOKUPS, FUNCTIONS, ["target"], ["customer_id"])
    with mlflow.start_run(), mock.patch.object(mlflow, "register_model") as register:
        register.return_value.version = 7
        version = on_databricks.log_model(new(model), asked)
    assert version == "7"
    names = [call[0] for call in client.method_calls]
    assert names == ["get_table", "read_table", "create_training_set", "log_model"]
    asked = client.create_training_set.call_args.kwargs
    lookup, function = asked["feature_lookups"]
    assert isinstance(lookup, FeatureLookup)
    assert isinstance(function, ClientFunction)
    assert (lookup.lookup_key, lookup.timestamp_lookup_key) == (["customer_id"], "decided_at")
    assert lookup.lookback_window == dt.timedelta(days=30)
    assert (lookup.feature_names, lookup.default_values) == (["spend"], {})
    assert function.input_bindings == {"spent": "spent", "age": "age"}
    assert (asked["df"], asked["label"], asked["exclude_columns"]) == (
        spine, ["target"], ["customer_id"],
    )  # fmt: skip
    client.log_model.assert_called_once_with(
        model=model, artifact_path="model", flavor=mlflow.sklearn,
        training_set=client.create_training_set.return_value, pip_requirements=REQUIREMENTS,
        serialization_format="cloudpickle",
    )  # fmt: skip
    register.assert_called_once_with("models:/m-1", MODEL, tags={"why": "a test"})


def test_databricks_logs_only_within_a_run(on_databricks, client, home):
    with pytest.raises(DataError, match="no active MLflow run"):
        on_databricks.log_model(new(None), TrainingSpec(mock.Mock(), LOOKUPS, labels=["target"]))
    client.log_model.assert_not_called()


def test_databricks_scores_by_the_client(on_databricks, client):
    frame = mock.Mock()
    answer = on_databricks.score_batch("models:/a.b.c/1", frame, "float")
    client.score_batch.assert_called_once_with(
        model_uri="models:/a.b.c/1", df=frame, result_type="float"
    )
    assert answer is client.score_batch.return_value


@pytest.mark.parametrize("there", [True, False])
def test_databricks_knows_what_is_online(client, there):
    from nextbest.platforms.databricks.feature_store import DatabricksFeatureStore

    spark = mock.Mock()
    spark.catalog.tableExists.side_effect = lambda name: there and name == "a.b.c_online"
    assert DatabricksFeatureStore(spark, mock.Mock()).online("a.b.c") is there


@pytest.mark.parametrize(
    "error",
    [ValueError, TypeError, KeyError, IndexError, OverflowError, NotImplementedError, RuntimeError,
     PySparkException, Exception],
)  # fmt: skip
def test_what_databricks_refuses_is_told(on_databricks, client, home, error):
    import mlflow

    spine = mock.Mock(columns=["customer_id", "decided_at"])
    asked = TrainingSpec(spine, functions=FUNCTIONS)
    client.score_batch.side_effect = error("not so\n\nJVM stacktrace:\n at ...")
    with pytest.raises(DataError, match=r"^models:/a.b.c/1: the frame can't be scored: \W?not so"):
        on_databricks.score_batch("models:/a.b.c/1", spine)
    client.log_model.side_effect = error("not so")
    with mlflow.start_run(), pytest.raises(DataError, match=r"was not logged: \W?not so"):
        on_databricks.log_model(new(None), asked)
    client.create_training_set.side_effect = error("not so")
    with pytest.raises(DataError, match=r"^no training set: \W?not so"):
        on_databricks.training_set(asked)
    client.get_table.side_effect = error("not so")
    with pytest.raises(DataError, match=r"^no training set: \W?not so"):
        on_databricks.training_set(TrainingSpec(spine, LOOKUPS))
    with pytest.raises(DataError, match=r"^feature table a.b.c: \W?not so"):
        on_databricks.write("a.b.c", spine, ["customer_id"], None)
    client.get_online_store.side_effect = error("not so")
    with pytest.raises(DataError, match=r"^a.b.c was not published: \W?not so"):
        on_databricks.publish("a.b.c")
