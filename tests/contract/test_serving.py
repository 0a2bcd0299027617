"""One suite for the serving port: both adapters, asked over HTTP.

The local one by its own server; Databricks' by the real SDK against the recorder, behind whose
endpoint MLflow loads the files that its Databricks client uploaded.
"""

from __future__ import annotations

import pytest

# On one worker: each registry is made once.
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("serving")]

MODEL = "juan_dev.ml_nba_demo_dev.served"


def register(factor):
    """A version that multiplies column a by a number."""
    import mlflow
    import pandas as pd
    from mlflow.models import infer_signature

    class Times(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return pd.DataFrame({"times": model_input["a"] * factor})

    signature = infer_signature(pd.DataFrame({"a": [1.0]}), pd.DataFrame({"times": [1.0]}))
    with mlflow.start_run():
        logged = mlflow.pyfunc.log_model(
            name="m", python_model=Times(), signature=signature, pip_requirements=["mlflow"]
        )
        mlflow.register_model(logged.model_uri, MODEL)


@pytest.fixture(scope="module", params=["local", "databricks"])
def serving(request, tmp_path_factory):
    """The adapter, where two versions are registered."""
    import mlflow

    home = tmp_path_factory.mktemp("serving")
    if request.param == "local":
        from nextbest.platforms.local.serving import LocalServing

        request.getfixturevalue("local_mlflow")(home)
        adapter = LocalServing(home)
    else:
        from workspace.behind import answer_by

        from nextbest.platforms.databricks.serving import DatabricksServing

        space = request.getfixturevalue("workspace_mlflow")
        space.hooks["answer"] = answer_by(space, home)
        adapter = DatabricksServing(space.client())
    mlflow.set_experiment("/Users/me@example.com/serving")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("databricks.sdk.clock.RealClock.sleep", lambda self, seconds: None)
        patch.setattr("time.sleep", lambda seconds: None)
        for factor in (2, 3):
            register(factor)
        yield adapter


def test_each_record_is_answered_in_its_order(serving):
    endpoint = serving.deploy("nba", MODEL, "1")
    assert (endpoint.name, endpoint.model_name, endpoint.version) == ("nba", MODEL, "1")
    assert endpoint.url.endswith("/serving-endpoints/nba/invocations")
    asked = [{"a": 1.0}, {"a": 4.0}, {"a": -1.5}]
    assert serving.query(endpoint, asked) == [{"times": 2.0}, {"times": 8.0}, {"times": -3.0}]


def test_another_version_takes_its_place_and_the_same_again_changes_nothing(serving):
    serving.deploy("nba", MODEL, "1")
    newer = serving.deploy("nba", MODEL, "2")
    assert serving.query(newer, [{"a": 1.0}]) == [{"times": 3.0}]
    assert serving.deploy("nba", MODEL, "2") == newer
    back = serving.deploy("nba", MODEL, "1")
    assert serving.query(back, [{"a": 1.0}]) == [{"times": 2.0}]


def test_endpoints_have_versions_of_their_own(serving):
    first, second = serving.deploy("one", MODEL, "1"), serving.deploy("two", MODEL, "2")
    assert serving.query(first, [{"a": 1.0}]) == [{"times": 2.0}]
    assert serving.query(second, [{"a": 1.0}]) == [{"times": 3.0}]
