"""dbb promote-model, approve and history against the recording workspace, over HTTP."""

from __future__ import annotations

import datetime as dt
import io
import uuid

import pytest
from workspace.deployable import Hurry
from workspace.faults import DROPPED, LOST, Fault
from workspace.ledger_sql import for_the_engine
from workspace.routes import Refused
from workspace.server import TOKEN

from nextbest.cli import main
from nextbest.platforms.databricks import jobs, statements

pytestmark = pytest.mark.integration

MODEL, ME = "prod.ml_nba_demo.nba", "me@example.com"
UC = "/api/2.0/mlflow/unity-catalog"
ALIAS = f"{UC}/registered-models/alias"
DAY = dt.date(2026, 3, 1)
VARIABLES = [
    "-t", "prod", "--var", "service_principal=p", "--var", f"as_of={DAY}", "--warehouse", "w1",
]  # fmt: skip


def verdict(against="logging", by="robot", passed="true"):
    told = {
        "verdict": "every gate passed", "verdict_against": against, "verdict_by": by,
        "verdict_as_of": str(DAY), "verdict_holdout": f"h-{against}", "verdict_passed": passed,
    }  # fmt: skip
    return [{"key": key, "value": value} for key, value in told.items()]


@pytest.fixture
def ledger():
    """The table that stands for the schema's `promotions`: one for each test."""
    return f"promotions_{uuid.uuid4().hex}"


@pytest.fixture
def space(workspace_mlflow, spark, monkeypatch, ledger):
    """Three versions, the first is the champion by the ledger; 2 has a verdict against it."""
    space = workspace_mlflow
    for name in ("POLL_SECONDS",):
        monkeypatch.setattr(statements, name, 0)
        monkeypatch.setattr(jobs, name, 0)
    hurry = Hurry()
    monkeypatch.setattr("databricks.sdk.clock.RealClock.sleep", lambda self, s: hurry.sleep(s))
    monkeypatch.setattr("databricks.sdk.clock.RealClock.time", lambda self: hurry.time())
    monkeypatch.setattr("mlflow.utils.rest_utils._time_sleep", lambda seconds: None)
    for service in list(space.kept):
        space.kept[service].clear()
    space.faults.clear()

    def engine(statement, given):
        try:
            mine = statement.replace("`promotions`", ledger)
            rows = spark.sql(for_the_engine(mine, given))
            return rows.columns, [tuple(row) for row in rows.collect()]
        except Exception as error:
            raise Refused(400, "BAD_REQUEST", f"[TABLE_OR_VIEW_NOT_FOUND] {error}") from error

    space.kept["warehouses"]["w1"] = "small"
    space.kept["sql"]["engine"] = engine
    space.kept["models"][MODEL] = {"aliases": {"champion": 1, "staging": 2}}
    space.kept["versions"][MODEL] = {
        number: {"name": MODEL, "version": str(number), "status": "READY", "tags": verdict(
            "logging" if number == 1 else "1")}
        for number in (1, 2, 3)
    }  # fmt: skip
    space.kept["versions"][MODEL][3]["tags"] = []
    for number in (1, 2, 3):
        space.kept["files"][f"/Models/{MODEL.replace('.', '/')}/{number}/MLmodel"] = b"flavors: {}"
    space.transcript.clear()
    return space


@pytest.fixture
def dbb(space, capsys, monkeypatch, request):
    """Run dbb: words → exit code, stdout, stderr."""
    monkeypatch.setenv("DATABRICKS_HOST", space.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    monkeypatch.chdir(request.config.rootpath)
    monkeypatch.setattr("sys.stdin", io.StringIO())

    def run(*words):
        code = main([*words, *VARIABLES])
        out, err = capsys.readouterr()
        assert TOKEN not in out + err
        return code, out, err

    return run


def aliases(space):
    return dict(space.kept["models"][MODEL]["aliases"])


def asked(space, method, endpoint):
    found = space.transcript
    return [each.body for each in found if (each.method, each.endpoint) == (method, endpoint)]


def states(spark, ledger):
    rows = spark.table(f"prod.ml_nba_demo.{ledger}").orderBy("sequence", "promoted_at")
    return [(row["version"], row["state"]) for row in rows.collect()]


@pytest.mark.slow
def test_a_promotion_and_the_way_back(space, dbb, spark, ledger):
    space.kept["endpoints"]["nextbest-prod"] = {
        "name": "nextbest-prod", "state": {"ready": "READY", "config_update": "NOT_UPDATING"},
        "config": {"served_entities": [
            {"name": "live", "entity_name": MODEL, "entity_version": "1"}]},
    }  # fmt: skip
    code, out, err = dbb("promote-model", MODEL, "--reason", "it's better")
    assert code == 0, err
    assert f"{MODEL}: version 2 is champion; endpoint nextbest-prod answers by version 2" in out
    assert aliases(space) == {"champion": 2, "staging": 2, "previous_champion": 1}
    assert asked(space, "POST", ALIAS) == [
        {"name": MODEL, "alias": "previous_champion", "version": "1"},
        {"name": MODEL, "alias": "champion", "version": "2"},
    ]
    merges = [body for body in asked(space, "POST", "/api/2.0/sql/statements")
              if body["statement"].startswith("MERGE")]  # fmt: skip
    given = [{each["name"]: each.get("value") for each in body["parameters"]} for body in merges]
    assert [(each["state"], each["promoted_by"], each["reason"]) for each in given] == [
        ("intended", ME, "it's better"), ("done", ME, "it's better"),
    ]  # fmt: skip
    assert states(spark, ledger) == [("2", "intended"), ("2", "done")]
    code, out, err = dbb("promote-model", MODEL, "--rollback")
    assert code == 0, err
    assert "version 1 is champion again, version 2 is not; endpoint nextbest-prod answers" in out
    assert asked(space, "DELETE", ALIAS) == [{"name": MODEL, "alias": "previous_champion"}]
    assert aliases(space) == {"champion": 1, "staging": 2}
    (entity,) = space.kept["endpoints"]["nextbest-prod"]["config"]["served_entities"]
    assert entity["entity_version"] == "1"
    code, out, _ = dbb("history", MODEL)
    assert code == 0
    assert "roll back" in out


class Judging(dict):
    """How tasks end: when `evaluation` does, the version has a verdict."""

    def __init__(self, space, number, tags, end=("SUCCESS", "")):
        self.give = lambda: space.kept["versions"][MODEL][number].update(tags=tags)
        self.end = end

    def get(self, key, default=None):
        self.give()
        return self.end


def test_a_version_without_a_verdict_is_judged_by_the_deployment_job(space, dbb):
    name = "nextbest deployment (prod)"
    space.kept["jobs"][7] = {"name": name, "tasks": ["evaluation", "approval", "release"]}
    space.kept["ends"] = Judging(space, 3, verdict("1"))
    code, out, err = dbb("promote-model", MODEL, "--version", "3")
    assert code == 0, err
    assert "version 3: it has no whole verdict; it is judged now" in err
    (body,) = asked(space, "POST", "/api/2.2/jobs/run-now")
    assert (body["job_id"], body["only"]) == (7, ["evaluation"])
    assert body["job_parameters"] == {"model_version": "3", "as_of": "2026-03-01"}
    assert aliases(space)["champion"] == 3


def test_what_the_evaluation_refuses_is_not_promoted(space, dbb):
    space.kept["jobs"][7] = {"name": "nextbest deployment (prod)", "tasks": ["evaluation"]}
    space.kept["ends"] = Judging(space, 3, verdict("1", passed="false"), ("RUN_EXECUTION_ERROR",
                                 "version 3 is not released: too thin"))  # fmt: skip
    before = aliases(space)
    code, _, err = dbb("promote-model", MODEL, "--version", "3")
    assert code == 1
    assert "too thin" in err
    assert aliases(space) == before


@pytest.mark.slow
@pytest.mark.parametrize("kind", [401, 403, 409, 429, 500, 502, DROPPED])
def test_what_lasts_is_told_and_leaves_the_registry_as_it_was(space, dbb, spark, ledger, kind):
    before = aliases(space)
    space.faults.append(Fault(kind, "POST", ALIAS, times=1000))
    code, _, err = dbb("promote-model", MODEL)
    assert code == 1
    assert err.splitlines()[-1].startswith(f"dbb: alias {MODEL}@previous_champion: ")
    assert "Traceback" not in err
    assert aliases(space) == before
    assert states(spark, ledger) == [("2", "intended"), ("2", "abandoned")]
    space.faults.clear()
    assert dbb("promote-model", MODEL)[0] == 0
    assert aliases(space)["champion"] == 2


@pytest.mark.parametrize("kind", [429, 500, 502, 503, 504, DROPPED, LOST])
def test_what_passes_is_waited_for(space, dbb, spark, ledger, kind):
    space.faults.append(Fault(kind, "POST", ALIAS, after=1))
    assert dbb("promote-model", MODEL)[0] == 0
    assert aliases(space)["champion"] == 2
    assert states(spark, ledger) == [("2", "intended"), ("2", "done")]


def test_files_that_are_lost_and_a_version_that_is_not_there(space, dbb):
    before = aliases(space)
    del space.kept["files"][f"/Models/{MODEL.replace('.', '/')}/2/MLmodel"]
    code, _, err = dbb("promote-model", MODEL)
    assert code == 1
    assert "version 2: its files can't be read" in err
    code, _, err = dbb("promote-model", MODEL, "--version", "9")
    assert code == 1
    assert "version 9: does not exist" in err
    assert aliases(space) == before


def test_approval(space, dbb):
    code, out, err = dbb("approve", MODEL, "2")
    assert code == 0, err
    assert f"version 2 is approved by {ME}" in out
    tags = {each["key"]: each["value"] for each in space.kept["versions"][MODEL][2]["tags"]}
    assert tags["approval"] == "approved"
    space.kept["versions"][MODEL][1]["tags"] = verdict(by=ME)
    code, _, err = dbb("approve", MODEL, "1")
    assert code == 1
    assert f"{ME} had it judged, and so can't approve it" in err


def test_a_version_comes_from_another_target_by_its_own_call(space, dbb):
    other = "juan_dev.ml_nba_demo_staging.nba"
    space.kept["models"][other] = {"aliases": {"staging": 5}}
    tags = [*verdict(), {"key": "holdout_share", "value": "0.4"}]
    space.kept["versions"][other] = {
        5: {"name": other, "version": "5", "status": "READY", "run_id": "r1", "tags": tags}
    }
    for name in ("MLmodel", "model.pkl"):
        space.kept["files"][f"/Models/{other.replace('.', '/')}/5/{name}"] = MLMODEL
    code, _, err = dbb("promote-model", other)
    assert code == 1, err
    assert asked(space, "POST", f"{UC}/model-versions/create"), err
    (body,) = asked(space, "POST", f"{UC}/model-versions/create")
    assert code == 1  # no job here that would judge it
    assert f"{other} version 5 is version 4 of {MODEL}" in err
    assert (body["name"], body["run_id"]) == (MODEL, "r1")
    assert {each["key"]: each["value"] for each in body["tags"]} == {
        "holdout_share": "0.4", "source_model": other, "source_version": "5",
    }  # fmt: skip
    assert aliases(space) == {"champion": 1, "staging": 2, "candidate": 4}


MLMODEL = b"""flavors: {python_function: {loader_module: mlflow.sklearn}}
signature:
  inputs: '[{"type": "double", "name": "x", "required": true}]'
  outputs: '[{"type": "double", "required": true}]'
"""
