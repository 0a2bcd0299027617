"""Versions with their runs, and `dbb trends` over them, on both registries."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import uuid
from pathlib import Path

import pytest

from nextbest import registry
from nextbest.cli import main

# On one worker: each registry is made once.
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("version_runs")]
ROOT = Path(__file__).parents[2]
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module", params=["local", "databricks"])
def place(request, tmp_path_factory):
    """A lakehouse folder whose MLflow is asked, or None: the recorder's."""
    if request.param == "local":
        return request.getfixturevalue("local_mlflow")(tmp_path_factory.mktemp("lakehouse"))
    request.getfixturevalue("workspace_mlflow")
    return None


@pytest.fixture(scope="module")
def model(place):
    """A model with three versions, one run each; the second's was deleted where that can be."""
    import mlflow
    from mlflow.models import infer_signature
    from sklearn.dummy import DummyClassifier

    mlflow.set_experiment("/Users/me@example.com/trends")
    name = f"juan_dev.ml_nba_demo_dev.m_{uuid.uuid4().hex}"
    fitted = DummyClassifier().fit([[0], [1]], [0, 1])
    signature = infer_signature([[0.0]], [0])
    for number in range(1, 4):
        with mlflow.start_run() as run:
            logged = mlflow.sklearn.log_model(
                fitted, name="m", signature=signature, pip_requirements=["scikit-learn"]
            )
            mlflow.log_metrics({"training_seconds": 10.0 * number})
        mlflow.register_model(logged.model_uri, name, tags={"as_of": f"2026-03-{number:02d}"})
        if number == 2 and place is not None:
            mlflow.MlflowClient().delete_run(run.info.run_id)
    registry.name_candidate(name, "3")
    return name


def test_all_versions_with_a_run_oldest_first(model, place):
    found = registry.version_runs(model)
    versions = ["1", "2", "3"] if place is None else ["1", "3"]
    assert [each.version for each in found] == versions
    seconds = [10.0 * int(version) for version in versions]
    assert [each.metrics["training_seconds"] for each in found] == seconds
    assert found[-1].tags["as_of"] == "2026-03-03"
    assert found[-1].aliases == ("candidate",)
    assert (registry.run_of(model, "2") is None) == (place is not None)
    assert registry.run_of(model, "3") == found[-1]


def test_what_was_measured_is_logged_but_for_what_is_no_number(model):
    registry.log_measures(
        model, "1", {"value": 1.5, "lift": None, "ess": math.nan, "n": 3, "low.a=b": 2}
    )
    (found,) = [each for each in registry.version_runs(model) if each.version == "1"]
    assert found.metrics == {"training_seconds": 10.0, "value": 1.5, "n": 3.0, "low.a:b": 2.0}
    registry.log_measures(model, "1", {"value": 1.5})
    assert registry.run_of(model, "1").metrics == found.metrics


def test_a_model_that_is_not_there_has_no_versions(model):
    assert registry.version_runs("juan_dev.ml_nba_demo_dev.nothing") == []


@pytest.fixture
def trends(place, monkeypatch, capsys):
    """`dbb trends` with these words: exit code, what was printed."""
    monkeypatch.chdir(ROOT)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        monkeypatch.setenv(name, "to be put back")
    where = ["--local", "--lakehouse", str(place)] if place else []

    def run(*words):
        code = main(["trends", *words, *where])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def test_trends_as_a_table_as_json_and_as_a_page(model, trends, place, tmp_path):
    registry.record_verdict(
        model, "3", {"text": EVIL, "passed": False}, against=None,
        as_of=dt.date(2026, 3, 12), holdout="h",
    )  # fmt: skip
    page = tmp_path / "trends.html"
    code, told, _ = trends(model, "--page", str(page))
    assert code == 0
    assert re.search(r"3 +2026-03-03 +refused +candidate", told)
    text = page.read_text(encoding="utf-8")
    assert f"training seconds over {2 if place else 3} versions, last 30" in text
    assert EVIL not in text
    assert text.index("<td>3</td>") < text.index("<td>1</td>")
    code, told, _ = trends(model, "--json")
    assert [each["version"] for each in json.loads(told)["versions"]][-1] == "3"


def test_what_cannot_be_shown_is_told(trends, place, tmp_path):
    code, _, told = trends("juan_dev.ml_nba_demo_dev.nothing")
    assert code == 1
    assert "has no version: training_job registers the first one" in told
    if place is None:
        assert main(["trends", "--lakehouse", str(tmp_path)]) == 2
    else:
        assert main(["trends", "--local", "--lakehouse", str(tmp_path)]) == 1
