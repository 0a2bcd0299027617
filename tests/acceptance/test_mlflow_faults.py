"""What a training asks of MLflow on Databricks, with each thing that can go wrong at each call."""

from __future__ import annotations

import logging

import pytest
from workspace.faults import DROPPED, LOST, Fault
from workspace.mlflow_calls import OF_A_TRAINING

from nextbest import registry
from nextbest.errors import PlatformError

pytestmark = [pytest.mark.integration, pytest.mark.slow]

MODEL = "prod.nba.model"
# MLflow goes on without it.
SPARED = [each for each in OF_A_TRAINING if each[1].endswith("emit-lineage")]
LASTING = {401: "renew the token|it (needs|takes)", 403: "it (needs|takes)",
           404: "it (needs|takes)", 409: "run this again|it (needs|takes)"}  # fmt: skip
TAGS = ("PATCH", "/api/2.0/mlflow/logged-models/{model_id}/tags")
# What is done is refused when it is asked once more; and of files MLflow asks a second time by an
# older way, which the recorder does not have: the run has to be repeated.
REPEATED = {
    (("POST", "/api/2.0/mlflow/runs/outputs"), LOST),
    *((place, kind) for place in OF_A_TRAINING if "/fs/" in place[1] for kind in (500, 502, 504)),
}


def train(space):
    """Log a model, register it, call it the candidate, read it back."""
    import mlflow

    class Doubled(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input: list[float]) -> list[float]:
            return [2 * each for each in model_input]

    with registry.asking("training", "CAN EDIT on the experiment"):
        mlflow.set_experiment("/Users/me@example.com/training")
        with mlflow.start_run():
            mlflow.log_params({"seed": 7})
            logged = mlflow.pyfunc.log_model(
                name="model", python_model=Doubled(), pip_requirements=["mlflow"]
            )
            found = mlflow.register_model(logged.model_uri, MODEL, tags={"training_key": "k"})
    registry.name_candidate(MODEL, found.version)
    with registry.asking("the candidate", f"EXECUTE on {MODEL}"):
        return mlflow.pyfunc.load_model(f"models:/{MODEL}/{found.version}").predict([1.0])


@pytest.fixture(scope="module")
def patient(workspace_mlflow):
    """A workspace that nobody waits for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("databricks.sdk.clock.RealClock.sleep", lambda self, seconds: None)
        patch.setattr("mlflow.utils.rest_utils._time_sleep", lambda seconds: None)
        logging.getLogger("mlflow").setLevel(logging.ERROR)
        yield workspace_mlflow
        logging.getLogger("mlflow").setLevel(logging.INFO)


@pytest.fixture
def space(patient):
    """No model yet, and nothing wrong."""
    for service in ("models", "versions", "files"):
        patient.kept[service].clear()
    patient.faults.clear()
    patient.transcript.clear()
    return patient


def ready(space):
    versions = space.kept["versions"][MODEL].values()
    return [each["version"] for each in versions if each["status"] == "READY"]


def test_the_calls_that_are_tried_are_those_of_a_training(space):
    assert train(space) == [2.0]
    asked = {(each.method, each.endpoint) for each in space.transcript if each.status == 200}
    assert {*OF_A_TRAINING} - asked == set()


@pytest.mark.parametrize("kind", [429, 500, 502, 503, 504, DROPPED, LOST])
@pytest.mark.parametrize("place", OF_A_TRAINING, ids=" ".join)
def test_what_passes_leaves_one_version_that_can_be_used(space, place, kind):
    space.faults.append(Fault(kind, *place))
    if (place, kind) in REPEATED:
        with pytest.raises(PlatformError, match="training: refused"):
            train(space)
    assert train(space) == [2.0]
    (version,) = ready(space)
    assert space.kept["models"][MODEL]["aliases"] == {"candidate": int(version)}
    assert registry.version_trained_on(MODEL, "k") == version


@pytest.mark.parametrize("kind", LASTING)
@pytest.mark.parametrize("place", OF_A_TRAINING, ids=" ".join)
def test_what_lasts_is_told_and_done_when_it_is_mended(space, place, kind):
    space.faults.append(Fault(kind, *place, times=1000))
    if place in SPARED or (place, kind) == (TAGS, 404):
        train(space)
    else:
        with pytest.raises(PlatformError, match=LASTING[kind]):
            train(space)
    space.faults.clear()
    assert train(space) == [2.0]
    assert registry.version_trained_on(MODEL, "k") == ready(space)[-1]
