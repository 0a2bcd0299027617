import json
from pathlib import Path

import mlflow
import numpy as np
import pytest

from nextbest.decisions.arbitration import Arbitration
from nextbest.decisions.decide import Decider
from nextbest.decisions.policy import Policy
from nextbest.errors import DataError, PlatformError
from nextbest.training import packaging
from nextbest.training.reward_model import fit

pytestmark = pytest.mark.integration

FEATURES = ("x", "y", "segment", "consent")
NAME = "juan_dev.ml_nba_demo_dev.packaging"


@pytest.fixture(scope="module")
def log(make_log):
    return make_log(4_000)


@pytest.fixture(scope="module")
def decider(log, heads, treatments):
    model = fit(log, heads, FEATURES, 1, lambda text: None)
    policy = Policy("nba", "key", epsilon=0.1, control_share=0.05)
    return Decider(model, treatments, Arbitration(heads), policy)


@pytest.fixture(scope="module")
def version(decider, log, local_mlflow, tmp_path_factory):
    local_mlflow(tmp_path_factory.mktemp("lakehouse"))
    with (
        mlflow.start_run(experiment_id=mlflow.create_experiment("packaging")),
        packaging.packaged(decider, log.head(3)) as parts,
    ):
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=parts.model,
            pip_requirements=list(parts.requirements),
            **parts.save,
        )
        assert parts.outputs.input_names() == ["p_response", "p_purchase"]
    return mlflow.register_model(logged.model_uri, NAME).version


def test_a_version_decides_as_the_model_did(version, decider, log):
    loaded = packaging.load(f"models:/{NAME}/{version}")
    assert loaded.policy == decider.policy
    customers, eligible = log.head(200), np.ones((200, len(decider.treatments)), dtype=bool)
    np.testing.assert_array_equal(
        loaded.scores(customers, eligible).score, decider.scores(customers, eligible).score
    )


def test_what_the_registry_knows(version):
    info = mlflow.models.get_model_info(f"models:/{NAME}/{version}")
    assert info.signature.outputs.input_names() == ["p_response", "p_purchase"]
    assert set(info.signature.inputs.input_names()) == {*FEATURES, "action_id", "channel"}
    assert info.metadata["heads"] == ["response", "purchase"]
    folder = Path(mlflow.artifacts.download_artifacts(f"models:/{NAME}/{version}"))
    assert json.loads((folder / "artifacts" / "policy.json").read_text())["epsilon"] == 0.1
    requirements = (folder / "requirements.txt").read_text().split()
    assert f"lightgbm=={packaging.version('lightgbm')}" in requirements


def test_as_mlflow_model_it_predicts_rows(version, decider, log):
    rows = log.head(20)[[*FEATURES, "action_id", "channel"]]
    found = mlflow.pyfunc.load_model(f"models:/{NAME}/{version}").predict(rows)
    np.testing.assert_allclose(found, decider.model.predict(rows), rtol=1e-12)


def test_what_cannot_be_packaged_is_refused(decider, log, treatments):
    with (
        pytest.raises(DataError, match="input example has no row"),
        packaging.packaged(decider, log[:0]),
    ):
        pass
    other = Decider(object(), treatments, decider.arbitration, decider.policy)
    with (
        pytest.raises(DataError, match="a object is no RewardModel"),
        packaging.packaged(other, log),
    ):
        pass


def test_what_is_no_model_of_ours_is_refused(version, log):
    with pytest.raises(
        DataError, match=rf"{NAME}/99 can't be loaded .*train it anew by training_job"
    ):
        packaging.load(f"models:/{NAME}/99")


@pytest.mark.parametrize(
    ("code", "error"),
    [("PERMISSION_DENIED", PlatformError), ("REQUEST_LIMIT_EXCEEDED", PlatformError),
     ("RESOURCE_DOES_NOT_EXIST", DataError), ("INTERNAL_ERROR", DataError)],
)  # fmt: skip
def test_a_registry_that_would_not_say_is_told_from_a_model_that_is_gone(monkeypatch, code, error):
    import mlflow.pyfunc
    from mlflow.exceptions import RestException

    def refuses(uri):
        raise RestException({"error_code": code, "message": "no"})

    monkeypatch.setattr(mlflow.pyfunc, "load_model", refuses)
    with pytest.raises(error, match="models:/a/1"):
        packaging.load("models:/a/1")
