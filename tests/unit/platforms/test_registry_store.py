"""The local registry refuses what Unity Catalog refuses, through the ordinary MLflow client."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.integration


class Echo:
    def predict(self, model_input):
        return model_input


@pytest.fixture(scope="module")
def mlflow_home(tmp_path_factory, local_mlflow):
    return local_mlflow(tmp_path_factory.mktemp("lakehouse"))


@pytest.fixture
def logged(mlflow_home):
    """Log a tiny model with the given signature; gives its URI."""
    import mlflow
    from sklearn.dummy import DummyClassifier

    def log(signature=None):
        with mlflow.start_run():
            model = DummyClassifier().fit([[0], [1]], [0, 1])
            return mlflow.sklearn.log_model(
                model, name="m", signature=signature, pip_requirements=["scikit-learn"]
            ).model_uri

    return log


def signature(outputs=True):
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    schema = Schema([ColSpec("double", "x")])
    return ModelSignature(inputs=schema, outputs=schema if outputs else None)


def test_a_signed_model_registers_under_three_levels_and_takes_an_alias(logged):
    import mlflow

    name = "juan_dev.ml_nba_demo_dev.signed"
    version = mlflow.register_model(logged(signature()), name)
    client = mlflow.MlflowClient()
    client.set_registered_model_alias(name, "champion", version.version)
    assert client.get_model_version_by_alias(name, "champion").version == version.version
    assert [v.version for v in client.search_model_versions(f"name='{name}'")] == [1]


@pytest.mark.parametrize(
    ("given", "named"), [(None, "inputs and outputs"), (signature(outputs=False), "outputs")]
)
def test_a_model_without_signature_is_refused(logged, given, named):
    import mlflow

    with pytest.raises(mlflow.MlflowException, match=named):
        mlflow.register_model(logged(given), "juan_dev.ml_nba_demo_dev.unsigned")


@pytest.mark.parametrize("name", ["nba", "schema.nba", "a.b.c.d", "a..c", "a.b.c d"])
def test_a_name_that_is_not_three_level_is_refused(mlflow_home, name):
    import mlflow

    with pytest.raises(mlflow.MlflowException):
        mlflow.MlflowClient().create_registered_model(name)


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.get_latest_versions("a.b.c"),
        lambda client: client.transition_model_version_stage("a.b.c", "1", "Production"),
        lambda client: client.search_registered_models("name = 'a.b.c'"),
        lambda client: client.search_registered_models(order_by=["name"]),
        lambda client: client.search_model_versions("name = 'a.b.c'", order_by=["version_number"]),
    ],
    ids=["latest", "stage", "filter", "order models", "order versions"],
)
def test_what_unity_catalog_lacks_is_refused(mlflow_home, call):
    import mlflow

    client = mlflow.MlflowClient()
    if "a.b.c" not in [model.name for model in client.search_registered_models()]:
        client.create_registered_model("a.b.c")
    with pytest.raises(mlflow.MlflowException, match="Unity Catalog has no"):
        call(client)


@pytest.mark.parametrize("alias", ["latest", "v1", "V23"])
def test_a_reserved_alias_is_refused(logged, alias):
    import mlflow

    version = mlflow.register_model(logged(signature()), "juan_dev.ml_nba_demo_dev.aliased")
    with pytest.raises(mlflow.MlflowException):
        mlflow.MlflowClient().set_registered_model_alias(version.name, alias, version.version)


def test_a_deployment_job_that_nobody_would_start_is_refused(mlflow_home):
    import mlflow
    from mlflow.exceptions import MlflowException

    client = mlflow.MlflowClient()
    client.create_registered_model("a.b.connected")
    with pytest.raises(MlflowException, match="on a laptop starts no job"):
        client.update_registered_model("a.b.connected", deployment_job_id="7")
    client.update_registered_model("a.b.connected", description="told")
    assert client.get_registered_model("a.b.connected").description == "told"
