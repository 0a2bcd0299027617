"""`dbb destroy`: what it takes down, what it keeps, and that it can be cut off anywhere."""

from __future__ import annotations

import json

import pytest
from workspace import (
    alerts,
    dashboards,
    experiments,
    jobs,
    registered_models,
    secrets,
    unity_catalog,
)
from workspace.deployable import Death
from workspace.faults import DROPPED, LOST, Fault

pytestmark = pytest.mark.integration

SCHEMA = "prod.ml_nba_demo"
MODEL, OTHER = f"{SCHEMA}.nba", f"{SCHEMA}.nba_open_bandit_all"
DATA = ("schemas", "volumes", "models", "versions", "tables", "experiments", "secret scopes")


@pytest.fixture
def lived_in(bundle, dbb):
    """What is deployed, after its jobs have run."""
    assert dbb("deploy -t prod")[0] == 0
    kept = bundle.space.kept
    kept["tables"][f"{SCHEMA}.decisions"] = 1
    kept["models"][OTHER] = {"comment": ""}
    kept["versions"].update({MODEL: {1: {}, 2: {}, 3: {}}, OTHER: {1: {}}})
    kept["endpoints"]["nextbest-prod"] = {
        "name": "nextbest-prod", "state": {"ready": "READY", "config_update": "NOT_UPDATING"},
    }  # fmt: skip
    return bundle


def data_of(bundle):
    kept = bundle.kept()
    return {name: kept.get(name) for name in DATA}


def test_jobs_go_and_data_stays(lived_in, dbb):
    data = data_of(lived_in)
    code, told = dbb("destroy -t prod", "y\n")
    assert code == 0
    assert "these are kept:\n    schema prod.ml_nba_demo\n" in told
    assert "    table prod.ml_nba_demo.decisions\n" in told
    assert f"    model {MODEL}: 3 versions\n" in told
    kept = lived_in.kept()
    assert data_of(lived_in) == data
    assert (kept["jobs"], kept["known"]) == ([], [])
    assert "endpoints" not in kept
    assert "online stores" not in kept
    unbound = [words[3] for words in lived_in.asked() if words[1:3] == ["deployment", "unbind"]]
    assert sorted(unbound) == [
        "landing", "nba_experiment", "nba_model", "nba_schema", "nba_secrets"
    ]  # fmt: skip


@pytest.mark.slow
def test_it_is_deployed_again_over_its_data(lived_in, dbb):
    lived_in.space.kept["endpoints"].clear()
    kept = lived_in.kept()
    assert dbb("destroy -t prod --auto-approve")[0] == 0
    code, told = dbb("deploy -t prod --auto-approve")
    assert code == 0
    assert f"adopt    nba_model: {MODEL} is there already" in told
    assert "adopt    nba_secrets: nextbest-prod is there already" in told
    now = lived_in.kept()
    connected = [each["models"][MODEL].pop("deployment_job_id") for each in (kept, now)]
    assert connected[0] != connected[1]  # the job is another
    assert now == kept


@pytest.mark.slow
@pytest.mark.parametrize("words", ["destroy -t prod", "destroy -t prod --data"])
@pytest.mark.parametrize("answer", ["n\n", "other.schema\n", ""])
def test_nothing_goes_unless_it_is_agreed_to(lived_in, dbb, words, answer):
    kept = lived_in.kept()
    code, told = dbb(words, answer)
    assert code == (1 if answer else 2)
    assert "nothing was changed" in told
    assert lived_in.kept() == kept


def test_data_goes_when_the_schema_is_typed_back(lived_in, dbb):
    lived_in.space.kept["tables"].update(dict.fromkeys(
        (f"{SCHEMA}.customer_features", f"{SCHEMA}.customer_features_online"), 1))  # fmt: skip
    code, told = dbb("destroy -t prod --data", f"{SCHEMA}\n")
    assert code == 0
    assert f"these are LOST, with all that they hold:\n    schema {SCHEMA}\n" in told
    assert f"    model {OTHER}: 1 versions" in told
    assert f"type {SCHEMA} to delete all of it:" in told
    assert lived_in.kept() == {"jobs": [], "alerts": [], "experiments": [], "known": []}


def test_a_bundle_without_schema_is_asked_for_too(bundle, dbb):
    """There is no name to type then."""
    file, models = bundle.root / "resources/storage.yml", "  registered_models:\n"
    storage = models + file.read_text().partition(models)[2]
    storage = storage.replace("${resources.schemas.nba_schema.name}", "${var.schema}")
    experiment = "  experiments:\n    nba_experiment:\n      name: /Users/me/nextbest-prod\n"
    file.write_text(f"resources:\n{experiment}{storage}")
    page = bundle.root / "resources/monitoring_dashboard.yml"
    page.write_text(
        page.read_text().replace("${resources.schemas.nba_schema.name}", "${var.schema}")
    )
    code, told = dbb("deploy -t prod")
    assert code == 0, told
    kept = bundle.kept()
    code, told = dbb("destroy -t prod --data", "n\n")
    assert code == 1
    assert "take down prod, data and all?" in told
    assert bundle.kept() == kept


@pytest.mark.slow
def test_data_that_a_destroy_had_kept(lived_in, dbb):
    assert dbb("destroy -t prod --auto-approve")[0] == 0
    assert dbb("destroy -t prod --data --auto-approve")[0] == 0
    assert not any(data_of(lived_in).values())


@pytest.mark.slow
def test_an_online_store_that_serves_stays(lived_in, dbb):
    for table in ("customer_features", "customer_features_online"):
        lived_in.space.kept["tables"][f"{SCHEMA}.{table}"] = 1
    code, told = dbb("destroy -t prod --auto-approve")
    assert code == 0
    assert "the online store, which serves online tables (and goes on costing money)" in told
    assert lived_in.kept()["online stores"] == {"prod-ml-nba-demo": "CU_1"}


@pytest.mark.slow
def test_jobs_that_a_killed_deploy_left_go_too(opened, dbb):
    bundle = opened()
    bundle.space.faults.append(Fault(LOST, "POST", jobs.CREATE, after=2))
    assert dbb("deploy -t prod")[0] != 0
    settings = {"name": "nextbest training (prod)", "tasks": []}
    bundle.space.kept["jobs"][7] = {**settings, "settings": settings}
    assert dbb("destroy -t prod --auto-approve --force-lock")[0] == 0
    assert list(bundle.space.kept["jobs"]) == [7]  # of somebody else


def test_what_is_not_there_is_destroyed_in_peace(bundle, dbb):
    code, told = dbb("destroy -t prod --auto-approve")
    assert code == 0
    assert bundle.space.writes() == []
    assert told.endswith("prod: 0 left, 0 resources with data are kept\n")


def test_nothing_is_destroyed_while_data_is_bound(lived_in, dbb):
    """As with a program that unbinds nothing."""
    program = lived_in.bin / "databricks"
    text = program.read_text()
    program.write_text(text.replace("exec", '[ "$2" = deployment ] && exit 0\nexec'))
    kept = lived_in.kept()
    code, told = dbb("destroy -t prod --auto-approve")
    assert code == 1
    assert "schemas.nba_schema" in told
    assert "could not be taken out of the deployment: nothing was deleted" in told
    assert lived_in.kept() == kept


def test_data_that_the_yaml_forgot_is_not_deleted(lived_in, dbb):
    state = lived_in.state / "prod.json"
    known = json.loads(state.read_text())
    known["resources.volumes.old"] = {"id": f"{SCHEMA}.old", "config": {}}
    state.write_text(json.dumps(known))
    code, told = dbb("destroy -t prod --auto-approve")
    assert code == 1
    assert "volumes.old belongs to the deployment, but is no longer in the YAML: put it" in told


def test_a_right_that_is_missing_is_named(lived_in, dbb):
    path = "/api/2.1/unity-catalog/models/{full_name}/versions/{version}"
    lived_in.space.faults.append(Fault(403, "DELETE", path, times=99))
    code, told = dbb("destroy -t prod --data --auto-approve")
    assert code == 1
    assert f"version 1 of {MODEL}: not allowed" in told
    assert f"it needs to own {MODEL}, or MANAGE on it" in told


@pytest.mark.slow
@pytest.mark.parametrize("words", ["destroy -t prod", "destroy -t prod --data"])
def test_cut_off_at_any_call_and_repeated(opened, dbb, words):
    def after(call=None):
        bundle = opened()
        assert dbb("deploy -t prod")[0] == 0
        bundle.space.kept["tables"][f"{SCHEMA}.decisions"] = 1
        bundle.space.kept["versions"][MODEL] = {1: {}, 2: {}}
        bundle.space.transcript.clear()
        if call is not None:
            bundle.space.faults.append(Death(LOST, call))
            assert dbb(f"{words} --auto-approve")[0] != 0
            bundle.space.faults.clear()
        code, told = dbb(f"{words} --auto-approve --force-lock")
        assert code == 0, told
        return bundle

    untroubled = after()
    for call in range(len(untroubled.space.transcript)):
        assert after(call).kept() == untroubled.kept(), f"call {call}"


# Of the Databricks CLI, whose stand-in waits for nothing.
OF_THE_CLI = {
    ("DELETE", unity_catalog.SCHEMA), ("DELETE", unity_catalog.VOLUME),
    ("DELETE", registered_models.MODEL), ("POST", experiments.DELETE), ("POST", jobs.DELETE),
    ("POST", secrets.DELETE),
    ("DELETE", dashboards.DASHBOARD), ("DELETE", alerts.ALERT),
}  # fmt: skip
DESTROY = "destroy -t prod --data --auto-approve"


@pytest.fixture
def in_ruins(opened, dbb):
    """Destroy under a fault of one call; then again without it: how the first ended."""

    def destroy(fault=None):
        bundle = opened()
        assert dbb("deploy -t prod")[0] == 0
        bundle.space.kept["tables"][f"{SCHEMA}.decisions"] = 1
        bundle.space.kept["versions"][MODEL] = {1: {}, 2: {}}
        bundle.space.transcript.clear()
        bundle.space.faults[:] = [fault] if fault else []
        first = dbb(DESTROY)
        bundle.space.faults.clear()
        if first[0]:
            code, told = dbb(f"{DESTROY} --force-lock")
            assert code == 0, told
        return bundle, first

    return destroy


def calls_of(bundle):
    asked = dict.fromkeys((each.method, each.endpoint) for each in bundle.space.transcript)
    return [each for each in asked if each not in OF_THE_CLI]


@pytest.mark.slow
@pytest.mark.parametrize("kind", [429, 500, 502, 503, 504, DROPPED, LOST])
def test_a_passing_fault_of_each_call_is_waited_out(in_ruins, kind):
    untroubled, _ = in_ruins()
    for method, path in calls_of(untroubled):
        bundle, (code, told) = in_ruins(Fault(kind, method, path))
        assert code == 0, (method, path, told)
        assert bundle.kept() == untroubled.kept(), (method, path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [401, 403, 409])
def test_a_lasting_fault_of_each_call_is_told(in_ruins, kind):
    reason = {401: "renew the token", 403: "it needs", 409: "run this again"}[kind]
    untroubled, _ = in_ruins()
    for method, path in calls_of(untroubled):
        bundle, (code, told) = in_ruins(Fault(kind, method, path, times=1000))
        assert code == 1, (method, path, told)
        assert reason in told, (method, path, told)
        assert bundle.kept() == untroubled.kept(), (method, path)
