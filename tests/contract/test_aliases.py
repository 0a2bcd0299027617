"""The aliases port over both adapters, held to what MLflow's own client sees."""

from __future__ import annotations

import uuid

import pytest
from workspace.faults import Fault

from nextbest.errors import PlatformError
from nextbest.platforms.databricks.aliases import UnityCatalogAliases
from nextbest.platforms.local.aliases import LocalAliases

# On one worker: each registry is made once.
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("aliases")]

ALIAS = "/api/2.0/mlflow/unity-catalog/registered-models/alias"


@pytest.fixture(scope="module", params=["local", "databricks"])
def place(request, tmp_path_factory):
    """The adapter, MLflow's client, and a model of two versions; the recorder, or None."""
    import mlflow
    from mlflow.models import infer_signature
    from sklearn.dummy import DummyClassifier

    space = None
    if request.param == "local":
        home = tmp_path_factory.mktemp("lakehouse")
        request.getfixturevalue("local_mlflow")(home)
        aliases = LocalAliases(home)
        with pytest.raises(PlatformError, match="no registry in"):
            aliases.of("a.b.c")
    else:
        space = request.getfixturevalue("workspace_mlflow")
        aliases = UnityCatalogAliases(mlflow.MlflowClient())
    mlflow.set_experiment("/Users/me@example.com/aliases")
    name = f"prod.nba.m_{uuid.uuid4().hex}"
    with mlflow.start_run():
        fitted = DummyClassifier().fit([[0], [1]], [0, 1])
        uri = mlflow.sklearn.log_model(
            fitted, name="m", signature=infer_signature([[0.0]], [0]),
            pip_requirements=["scikit-learn"],
        ).model_uri  # fmt: skip
    for _ in range(2):
        mlflow.register_model(uri, name)
    return aliases, mlflow.MlflowClient(), name, space


def test_what_one_writes_the_other_reads(place):
    aliases, client, name, _ = place
    client.set_registered_model_alias(name, "champion", "1")
    assert dict(aliases.of(name)) == {"champion": "1"}
    aliases.move(name, "champion", "2")
    aliases.move(name, "previous_champion", "1")
    seen = client.get_registered_model(name).aliases
    assert {alias: str(at) for alias, at in seen.items()} == dict(aliases.of(name))
    assert str(client.get_model_version_by_alias(name, "champion").version) == "2"
    aliases.move(name, "previous_champion", None)
    aliases.move(name, "previous_champion", None)  # nothing to take away
    assert dict(aliases.of(name)) == {"champion": "2"}


def test_what_is_not_there_is_refused(place):
    aliases, _, name, _ = place
    before = dict(aliases.of(name))
    with pytest.raises(PlatformError, match=r"prod\.nba\.nobody"):
        aliases.of("prod.nba.nobody")
    with pytest.raises(PlatformError, match=name):
        aliases.move(name, "champion", "9")
    assert aliases.missing(name, "1") is None
    assert "does not exist" in aliases.missing(name, "9")
    assert dict(aliases.of(name)) == before


def test_the_calls_to_unity_catalog(place):
    aliases, _, name, space = place
    if space is None:
        pytest.skip("not asked over HTTP")
    space.transcript.clear()
    aliases.move(name, "champion", "1")
    aliases.move(name, "champion", None)
    aliases.of(name)
    assert [(each.method, each.endpoint, each.body) for each in space.writes()] == [
        ("POST", ALIAS, {"name": name, "alias": "champion", "version": "1"}),
        ("DELETE", ALIAS, {"name": name, "alias": "champion"}),
    ]
    # MLflow looks at the model itself before a change: a prompt has no such alias.
    others = {(each.method, each.endpoint) for each in space.transcript} - {
        ("POST", ALIAS), ("DELETE", ALIAS)
    }  # fmt: skip
    assert others == {("GET", ALIAS.replace("alias", "get"))}


def test_a_version_that_lost_its_files(place):
    aliases, _, name, space = place
    if space is None:
        pytest.skip("see unit/registry/test_promotion.py")
    lost = next(path for path in space.kept["files"] if path.endswith("/1/MLmodel"))
    held = space.kept["files"].pop(lost)
    try:
        assert "its files can't be read" in aliases.missing(name, "1")
    finally:
        space.kept["files"][lost] = held
    space.faults[:] = [Fault(403, "POST", ALIAS, times=9)]
    with pytest.raises(PlatformError, match="needs being the owner"):
        aliases.move(name, "champion", "1")
    space.faults.clear()
