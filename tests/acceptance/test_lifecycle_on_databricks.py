"""lifecycle_job of the real bundle with platform=databricks, against the recording workspace.

The same notebooks in the same order; the SDK and MLflow's Databricks clients talk HTTP. The
embedded engine stands in for Spark, our local store for the feature engineering client.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from lakehouses import SMALL, assert_same, tables
from workspace.behind import METRICS, answer_by, profile_by
from workspace.routes import ROUTES
from workspace.server import TOKEN, Workspace

from nextbest.platforms.local.session import open_session

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(1800)]

ROOT = Path(__file__).parents[2]
DBB = Path(sys.executable).with_name("dbb")
MODELS = "/api/2.0/mlflow/unity-catalog/registered-models"
SCHEMA = "juan_dev.ml_nba_demo_dev"


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The workspace after the job ran twice, the lakehouse, and both runs' records."""
    home = tmp_path_factory.mktemp("databricks")
    lakehouse, volume = home / "lakehouse", home / "volume"
    lakehouse.mkdir()
    volume.mkdir()
    space = Workspace()
    space.kept["pipelines"]["fills-the-online-table"] = ["QUEUED", "RUNNING", "COMPLETED"]
    space.hooks["profile"] = profile_by(open_session(lakehouse, [SCHEMA]), lakehouse)
    space.hooks["answer"] = answer_by(space, home / "served")
    # An absolute volume takes the place of /Volumes/…, which a laptop does not have.
    given = {**SMALL, "volume": str(volume)}
    words = ",".join(f"{key}={value}" for key, value in given.items())
    command = [sys.executable, "-m", "workspace.cluster", lakehouse, "lifecycle_job", words]
    known = {"DATABRICKS_HOST": space.url, "DATABRICKS_TOKEN": TOKEN, "PYTHONPATH": "tests"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEXTBEST_LAKEHOUSE", str(lakehouse))  # of the model that is served
        runs, told = [], []
        for _ in range(2):
            done = subprocess.run(
                command, cwd=ROOT, env={**os.environ, **known}, capture_output=True, text=True
            )
            runs.append(done)
            told.append(space.transcript.copy())
            space.transcript.clear()
            assert done.returncode == 0, _why(lakehouse, done)
    yield space, lakehouse, told
    space.close()


def _why(lakehouse, done):
    records = [json.loads(each.read_text()) for each in lakehouse.glob("runs/*/run.json")]
    errors = [task["error"] for record in records for task in record["tasks"] if task["error"]]
    return json.dumps(errors, indent=1) + done.stderr[-3000:]


def test_it_runs_to_the_end_and_releases_a_champion(ran):
    space, lakehouse, _ = ran
    ((name, model),) = space.kept["models"].items()
    assert name.startswith(f"{SCHEMA}.")
    assert model["aliases"]["champion"] == 1
    (endpoint,) = space.kept["endpoints"].values()
    (entity,) = endpoint["config"]["served_entities"]
    assert (entity["entity_name"], entity["entity_version"]) == (name, "1")
    assert {each["state"] for each in space.kept["refreshes"].values()} == {"SUCCESS"}
    said = (lakehouse / "statements.log").read_text()
    for statement in ("COMMENT ON TABLE", "COMMENT 'Who'", "delta.enableChangeDataFeed"):
        assert statement in said


def test_its_tables_are_those_of_a_local_run(ran, tmp_path):
    _, lakehouse, _ = ran
    words = ",".join(f"{key}={value}" for key, value in SMALL.items())
    local = tmp_path / "lakehouse"
    command = [DBB, "run", "lifecycle_job", "--local", "--lakehouse", local, "--params", words]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    here, there = tables(local), tables(lakehouse)
    ours = {f"recommendations_{kind}" for kind in METRICS} | {"customer_features_online"}
    assert there.keys() - here.keys() == ours  # as Databricks names them
    common = here.keys() - {*METRICS, "profile_sketches"}  # there: of the stand-in for profiling
    assert_same({name: here[name] for name in common}, {name: there[name] for name in common})


def test_nothing_is_asked_that_a_workspace_refuses(ran):
    """What is not there yet is asked for once; all else is answered."""
    _, _, (first, second) = ran
    refused = Counter(
        (each.endpoint, each.answer["error_code"]) for each in first if each.status != 200
    )
    absent = {endpoint for endpoint, _ in refused}
    assert {code for _, code in refused} <= {"RESOURCE_DOES_NOT_EXIST", "ENDPOINT_NOT_FOUND"}
    assert absent
    assert not [
        each for each in second if each.status != 200 and "create-download" not in each.path
    ]


def test_the_second_run_for_the_day_uploads_and_registers_nothing(ran):
    _, _, (_, second) = ran
    uploads = [each.path for each in second if each.method == "PUT" and "/fs/files/" in each.path]
    names = {path.rpartition("/")[2] for path in uploads}
    assert names == {"2026-03-01.json", "2026-03-01.html"}  # the verdict
    assert not [each for each in second if each.path.endswith(("versions/create", "runs/create"))]


def test_every_call_of_mlflow_stands_in_the_transcript(ran):
    _, _, told = ran
    asked = {(each.method, each.endpoint) for part in told for each in part}
    routes = {(each.method, each.template) for each in ROUTES if each.client == "mlflow"}
    by_deploy = {("PATCH", f"{MODELS}/update"), ("POST", f"{MODELS}/set-tag")}
    by_rollback = {("DELETE", f"{MODELS}/alias")}
    # Those: deploy/test_completed.py and contract/test_aliases.py.
    assert routes - by_deploy - by_rollback <= asked
