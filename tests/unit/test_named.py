"""Versions by what a person types, and whether two can be compared; every bad input is told.

The registry is the local one, and Unity Catalog's by MLflow's own client and the recorder.
"""

from __future__ import annotations

import datetime as dt
import shutil
import uuid
from pathlib import Path

import pytest
from workspace.faults import DROPPED, SLOW, Fault

from nextbest import registry
from nextbest.errors import DataError, PlatformError, UsageError
from nextbest.lifecycle.comparable import check_comparable
from nextbest.registry.named import named

# On one worker: each registry is made once.
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("named")]

UC = "/api/2.0/mlflow/unity-catalog"
TAGS = {"as_of": "2026-03-01", "holdout_share": "0.4"}
VERSION = ("GET", f"{UC}/model-versions/get")


@pytest.fixture(scope="module", params=["local", "databricks"])
def place(request, tmp_path_factory):
    """The registry that MLflow is pointed at: a lakehouse folder or the recorder."""
    if request.param == "local":
        yield request.getfixturevalue("local_mlflow")(tmp_path_factory.mktemp("lakehouse"))
        return
    space = request.getfixturevalue("workspace_mlflow")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("databricks.sdk.clock.RealClock.sleep", lambda self, seconds: None)
        patch.setattr("mlflow.utils.rest_utils._time_sleep", lambda seconds: None)
        yield space


@pytest.fixture(scope="module")
def register(place):
    """Register a model that reads and tells columns of these types; the name is a new one."""
    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema
    from sklearn.dummy import DummyClassifier

    mlflow.set_experiment("/Users/me@example.com/named")

    def columns(told):
        return Schema([ColSpec(kind, name) for name, kind in told.items()])

    def register(inputs, outputs, tags=TAGS):
        name = f"juan_dev.ml_nba_demo_dev.m_{uuid.uuid4().hex}"
        with mlflow.start_run():
            logged = mlflow.sklearn.log_model(
                DummyClassifier().fit([[0], [1]], [0, 1]), name="m",
                signature=ModelSignature(columns(inputs), columns(outputs)),
                pip_requirements=["scikit-learn"],
            )  # fmt: skip
        mlflow.register_model(logged.model_uri, name, tags=tags)
        return name

    return register


@pytest.fixture(scope="module")
def model(register):
    name = register({"x": "double", "city": "string"}, {"p_click": "double"})
    registry.name_candidate(name, "1")
    return name


def test_a_version_has_many_names(model):
    expected = (model, "1", dt.date(2026, 3, 1), 0.4)
    for text in (f"{model}@candidate", f"{model}:1", "@candidate", ":1"):
        found = named(text, model)
        assert (found.model, found.version, found.as_of, found.holdout_share) == expected
    assert named("@candidate", model).text.endswith("(@candidate)")
    assert named(":1", model).text == f"{model} version 1"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("champion", "'champion' names no version: write CATALOG.SCHEMA.MODEL@ALIAS"),
        ("a.b.c@x@y", "names no version"),
        ("a.b.c:one", "names no version"),
        ("nba@champion", "three-level name.*as in '@champion'.* it is {model}"),
        ("a..c:1", "three-level name"),
        (":7", "{model} has no version 7; it has 1"),
        ("@candidat", "no alias 'candidat': did you mean @candidate\\?; it has @candidate "),
        ("@zz", "no alias 'zz'; it has @candidate \\(version 1\\)"),
        ("{model}x:1", "there is no model {model}x \\(did you mean {model}\\?\\)"),
        ("a.b.c@x", "there is no model a.b.c, or it is hidden from you"),
    ],
)
def test_what_names_no_version_is_told_with_what_there_is(model, text, told):
    with pytest.raises(UsageError, match=told.format(model=model)) as refused:
        named(text.format(model=model), model)
    assert refused.value.exit_code == 2


def test_a_version_that_does_not_say_how_it_was_trained(register):
    name = register({"x": "double"}, {"p": "double"}, {"as_of": "2026-03-01"})
    with pytest.raises(PlatformError, match="version 1 has no tag 'holdout_share'.*train it anew"):
        named(":1", name)


def test_versions_that_read_and_tell_the_same_can_be_compared(model, register):
    other = register({"x": "double", "city": "string"}, {"p_click": "double"})
    check_comparable(named(":1", model), named(":1", other))


def test_other_inputs_are_named_column_by_column(model, register):
    other = register({"x": "string", "age": "long"}, {"p_click": "double"})
    with pytest.raises(UsageError, match="different input schemas") as refused:
        check_comparable(named(":1", model), named(":1", other))
    for told in ("input x is double in the first and string in the second",
                 "input city (string) is only in the first",
                 "input age (long) is only in the second"):  # fmt: skip
        assert told in str(refused.value)


def test_other_outputs_are_another_task(model, register):
    other = register({"x": "double", "city": "string"}, {"p_churn": "double"})
    with pytest.raises(UsageError, match="different tasks.*output p_click .*output p_churn"):
        check_comparable(named(":1", model), named(":1", other))


@pytest.mark.parametrize("place", ["local"], indirect=True)
@pytest.mark.parametrize("harm", ["lost", "cut", "overwritten"])
def test_a_version_without_its_files_is_told(place, register, harm):
    name = register({"x": "double"}, {"p": "double"})
    for file in list(Path(place).rglob("MLmodel")):
        if harm == "lost":
            shutil.rmtree(file.parent)
        else:
            file.write_bytes(b"{" if harm == "cut" else b"\x00\xff" * 40)
    with pytest.raises(DataError, match=f"{name} version 1 has lost its files.*train it anew"):
        check_comparable(named(":1", name), named(":1", name))


@pytest.mark.parametrize("place", ["databricks"], indirect=True)
@pytest.mark.parametrize("kind", [429, 500, 503, DROPPED, SLOW])
def test_a_registry_that_stumbles_is_asked_again(place, model, kind):
    place.faults[:] = [Fault(kind, *VERSION, seconds=0.05)]
    assert named(":1", model).version == "1"
    assert not place.faults[0].times
    place.faults.clear()


@pytest.mark.parametrize("place", ["databricks"], indirect=True)
@pytest.mark.parametrize(
    ("kind", "told"), [(500, "run this again"), (403, "needs EXECUTE"), (401, "renew the token")]
)
def test_a_registry_that_refuses_for_good_is_told_and_unchanged(place, model, kind, told):
    before = repr([place.kept["models"], place.kept["versions"]])
    place.faults[:] = [Fault(kind, *VERSION, times=1000)]
    with pytest.raises(PlatformError, match=told) as refused:
        named(":1", model)
    place.faults.clear()
    assert refused.value.exit_code == 1
    assert model in str(refused.value)
    assert repr([place.kept["models"], place.kept["versions"]]) == before
