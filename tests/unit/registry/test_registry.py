"""Versions, aliases and verdicts on real registries.

The registry is the local one, and Unity Catalog's by MLflow's own client and the recorder.
"""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from workspace.faults import Fault

from nextbest import registry
from nextbest.errors import PlatformError

# On one worker: each registry is made once.
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("registry")]

ALIAS = "/api/2.0/mlflow/unity-catalog/registered-models/alias"
FINALIZE = ("POST", "/api/2.0/mlflow/unity-catalog/model-versions/finalize")


@pytest.fixture(scope="module", params=["local", "databricks"])
def place(request, tmp_path_factory):
    """The registry that MLflow is pointed at: a lakehouse folder or the recorder."""
    if request.param == "local":
        return request.getfixturevalue("local_mlflow")(tmp_path_factory.mktemp("lakehouse"))
    return request.getfixturevalue("workspace_mlflow")


@pytest.fixture(scope="module")
def logged(place):
    import mlflow
    from mlflow.models import infer_signature
    from sklearn.dummy import DummyClassifier

    mlflow.set_experiment("/Users/me@example.com/registry")
    with mlflow.start_run():
        model = DummyClassifier().fit([[0], [1]], [0, 1])
        signature = infer_signature([[0.0]], [0])
        return mlflow.sklearn.log_model(
            model, name="m", signature=signature, pip_requirements=["scikit-learn"]
        ).model_uri


@pytest.fixture
def model(logged):
    """A registered model with two versions."""
    import mlflow

    name = f"juan_dev.ml_nba_demo_dev.m_{uuid.uuid4().hex}"
    for number in (1, 2):
        mlflow.register_model(
            logged, name, tags={"training_key": f"k{number}", "holdout_share": f"0.{number}"}
        )
    return name


def test_what_is_not_there_is_none_and_a_version_is_found_by_its_key(model):
    assert registry.version_at("juan_dev.ml_nba_demo_dev.nobody", "champion") is None
    assert registry.version_at(model, "champion") is None
    assert registry.version_trained_on(model, "k2") == "2"
    assert registry.version_trained_on(model, "k3") is None
    assert registry.version_trained_on("juan_dev.ml_nba_demo_dev.nobody", "k1") is None
    assert registry.holdout_share(model, "1") == 0.1


def test_a_version_that_does_not_say_what_it_never_saw_is_refused(logged):
    import mlflow

    name = f"juan_dev.ml_nba_demo_dev.m_{uuid.uuid4().hex}"
    mlflow.register_model(logged, name)
    with pytest.raises(PlatformError, match="holdout_share"):
        registry.holdout_share(name, "1")


@pytest.mark.parametrize("place", ["databricks"], indirect=True)
def test_a_version_whose_files_never_arrived_is_none(place, logged):
    """A run killed while it uploads leaves a version with its tags and without its files."""
    import mlflow
    from mlflow.exceptions import MlflowException

    name = f"juan_dev.ml_nba_demo_dev.m_{uuid.uuid4().hex}"
    place.faults.append(Fault(403, *FINALIZE))
    with pytest.raises(MlflowException, match="does not have permission"):
        mlflow.register_model(logged, name, tags={"training_key": "k1"})
    assert registry.version_trained_on(name, "k1") is None
    again = mlflow.register_model(logged, name, tags={"training_key": "k1"})
    assert registry.version_trained_on(name, "k1") == again.version == "2"


@pytest.mark.parametrize("place", ["databricks"], indirect=True)
def test_an_alias_that_may_not_be_read_is_not_taken_for_none(place, model):
    place.faults.append(Fault(403, "GET", ALIAS))
    with pytest.raises(PlatformError, match="@champion: refused .PERMISSION_DENIED.*needs EXECUTE"):
        registry.version_at(model, "champion")


def test_a_verdict_is_open_until_all_of_it_is_kept(model):
    assert registry.recorded_verdict(model, "1") is None
    told = {"text": "fine", "passed": True}
    registry.record_verdict(model, "1", told, against=None, as_of=dt.date(2026, 3, 1), holdout="h")
    found = registry.recorded_verdict(model, "1")
    assert found == registry.Recorded(True, "logging", dt.date(2026, 3, 1), "h", "fine")
    registry.client().set_model_version_tag(model, "1", "verdict_passed", "open")  # as if killed
    assert registry.recorded_verdict(model, "1") is None


def test_a_verdict_lies_with_the_runs_of_both_versions(model, tmp_path):
    import json

    import mlflow

    told = {"text": "better", "passed": True}
    with mlflow.start_run() as other:
        pass
    first = registry.client().get_model_version(model, "1").run_id
    registry.record_verdict(
        model, "2", told, against="1", as_of=dt.date(2026, 3, 1), holdout="h", page="<p>better</p>"
    )
    assert registry.recorded_verdict(model, "2").against == "1"
    assert registry.recorded_verdict(model, "1") is None  # judged was the other one
    files = {each.path for each in registry.client().list_artifacts(first, "verdicts")}
    assert {f"verdicts/2026-03-01-of-version-2.{kind}" for kind in ("json", "html")} <= files
    assert {f"verdicts/2026-03-01.{kind}" for kind in ("json", "html")} <= files
    uri = f"runs:/{first}/verdicts/2026-03-01-of-version-2.json"
    assert json.loads(mlflow.artifacts.load_text(uri)) == told
    assert not registry.client().list_artifacts(other.info.run_id)
