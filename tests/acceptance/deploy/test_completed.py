"""What `dbb deploy` does that YAML can't declare: tags, the first monitor, the deployment job."""

from __future__ import annotations

import pytest
from workspace.faults import Fault

pytestmark = pytest.mark.integration

SCHEMA = "prod.ml_nba_demo"


def test_a_tag_that_was_changed_is_set_again(bundle, dbb):
    assert dbb("deploy -t prod")[0] == 0
    kept = bundle.kept()
    bundle.space.kept["tags"][f"schemas {SCHEMA} stage"] = "other"
    bundle.space.kept["tags"][f"schemas {SCHEMA} owner"] = "them"
    of_model = bundle.space.kept["models"][f"{SCHEMA}.nba"]["tags"]
    of_model |= {"stage": "other", "owner": "them"}
    code, told = dbb("deploy -t prod")
    assert code == 0
    done = [line.split(maxsplit=2)[2] for line in told.splitlines() if " complete " in line]
    assert done == [
        f"tag schema {SCHEMA} with stage=prod",
        f"tag model {SCHEMA}.nba with stage=prod",
    ]
    del (
        bundle.space.kept["tags"][f"schemas {SCHEMA} owner"],
        of_model["owner"],
    )  # not ours: it stays
    assert bundle.kept() == kept


def test_who_may_not_tag_the_schema_is_told(bundle, dbb):
    bundle.space.faults.append(
        Fault(403, "POST", "/api/2.1/unity-catalog/entity-tag-assignments", times=100)
    )
    code, told = dbb("deploy -t prod")
    assert code == 1
    assert f"tag 'project' of {SCHEMA}: not allowed" in told
    assert f"it needs APPLY TAG on {SCHEMA}" in told


def test_who_may_not_tag_the_model_is_told(bundle, dbb):
    place = "/api/2.0/mlflow/unity-catalog/registered-models/set-tag"
    bundle.space.faults.append(Fault(403, "POST", place, times=9))
    code, told = dbb("deploy -t prod")
    assert code == 1
    assert f"tag 'project' of model {SCHEMA}.nba: refused (PERMISSION_DENIED" in told
    assert f"it needs APPLY TAG on {SCHEMA}.nba" in told
    bundle.space.faults.clear()
    assert dbb("deploy -t prod")[0] == 0
    assert bundle.kept()["models"][f"{SCHEMA}.nba"]["tags"]["stage"] == "prod"


def test_the_comment_of_a_model_that_is_adopted_is_the_bundles(bundle, dbb):
    bundle.space.kept["schemas"][SCHEMA] = "platform-team"
    bundle.space.kept["models"][f"{SCHEMA}.nba"] = {
        "comment": "somebody's",
        "tags": {"x": "theirs"},
    }
    assert dbb("deploy -t prod --auto-approve")[0] == 0
    model = bundle.space.kept["models"][f"{SCHEMA}.nba"]
    assert model["comment"] == "Reward model and policy of next best action"
    assert model["tags"] == {"x": "theirs", "project": "nextbest", "stage": "prod"}


def test_the_first_monitor_needs_its_tables(bundle, dbb):
    assert dbb("deploy -t prod")[0] == 0
    assert "monitors" not in bundle.kept()
    for table in ("recommendations", "training_baseline"):
        bundle.space.kept["tables"][f"{SCHEMA}.{table}"] = 1
    code, told = dbb("deploy -t prod")
    assert code == 0
    assert f"create the monitor of {SCHEMA}.recommendations" in told
    monitor = bundle.space.kept["monitors"][f"{SCHEMA}.recommendations"]
    assert monitor["baseline_table_name"] == f"{SCHEMA}.training_baseline"
    assert monitor["slicing_exprs"] == ["channel"]
    writes = len(bundle.space.writes())
    assert dbb("deploy -t prod")[0] == 0
    assert len(bundle.space.writes()) == writes


def test_the_deployment_job_is_connected_once(bundle, dbb):
    code, told = dbb("deploy -t prod")
    assert code == 0
    assert f"4/5 complete connect deployment_job to {SCHEMA}.nba" in told
    place = "/api/2.0/mlflow/unity-catalog/registered-models/update"
    (job,) = [
        number for number, job in bundle.space.kept["jobs"].items()
        if job["name"] == "nextbest deployment (prod)"
    ]  # fmt: skip
    (asked,) = [each for each in bundle.space.transcript if each.endpoint == place]
    assert asked.body == {"name": f"{SCHEMA}.nba", "deployment_job_id": str(job)}
    assert (asked.method, asked.status) == ("PATCH", 200)
    assert dbb("deploy -t prod")[0] == 0
    assert len([each for each in bundle.space.transcript if each.endpoint == place]) == 1
    bundle.space.kept["models"][f"{SCHEMA}.nba"]["deployment_job_id"] = "12345"  # one that is gone
    assert dbb("deploy -t prod")[0] == 0
    assert bundle.space.kept["models"][f"{SCHEMA}.nba"]["deployment_job_id"] == str(job)


def test_who_may_not_connect_it_is_told(bundle, dbb):
    place = "/api/2.0/mlflow/unity-catalog/registered-models/update"
    bundle.space.faults.append(Fault(403, "PATCH", place, times=9))
    code, told = dbb("deploy -t prod")
    assert code == 1
    assert f"of model {SCHEMA}.nba: refused (PERMISSION_DENIED" in told
    assert "being the owner of" in told
