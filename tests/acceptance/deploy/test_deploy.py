"""What `dbb deploy` does, refuses and tells."""

from __future__ import annotations

import pytest
from workspace import unity_catalog
from workspace.faults import Fault
from workspace.identity import ME

pytestmark = pytest.mark.integration

SCHEMA = "prod.ml_nba_demo"
JOB = "nextbest training (prod)"
PLAN_AFTER_BINDING = """#!/bin/sh
mkdir -p dist && touch dist/a.whl
case "$2" in
plan) [ -e bound ] && action=recreate || action=create
  echo "{\\"plan\\": {\\"resources.schemas.nba_schema\\": {\\"action\\": \\"$action\\"}}}" ;;
deployment) touch bound ;;
*) touch deployed ;;
esac
"""


def verbs(bundle):
    return [" ".join(words[1:3]).partition(" --")[0] for words in bundle.asked()]


def test_the_first_deploy_makes_everything(bundle, dbb):
    code, told = dbb("deploy -t prod")
    assert code == 0
    assert "4/5 complete create online store prod-ml-nba-demo (CU_1; it costs money" in told
    steps = [line.split()[1] for line in told.splitlines() if line[1:3] == "/5"]
    assert list(dict.fromkeys(steps)) == ["validate", "plan", "deploy", "complete", "verify"]
    assert "create   jobs.training_job" in told
    assert "14 resources looked at, all as the bundle says" in told
    kept = bundle.kept()
    assert kept["schemas"] == {SCHEMA: ME}
    assert kept["tags"] == {
        f"{kind} {name} {key}": value
        for kind, name in (("schemas", SCHEMA), ("volumes", f"{SCHEMA}.landing"))
        for key, value in (("project", "nextbest"), ("stage", "prod"))
    }
    assert kept["models"][f"{SCHEMA}.nba"]["tags"] == {"project": "nextbest", "stage": "prod"}
    (dashboard,) = kept["dashboards"].values()
    assert dashboard["display_name"] == "nextbest monitoring (prod)"
    assert (dashboard["dataset_catalog"], dashboard["dataset_schema"]) == tuple(SCHEMA.split("."))
    assert dashboard["published"] == {"embed_credentials": False}
    assert kept["online stores"] == {"prod-ml-nba-demo": "CU_1"}
    assert [job["name"] for job in kept["jobs"]][-1] == JOB
    assert verbs(bundle) == ["plan", "deploy"]


@pytest.mark.slow
def test_a_deploy_spends_no_money_unasked(bundle, dbb):
    code, told = dbb("deploy -t dev")
    assert code == 0
    assert "online store" not in told
    assert "online stores" not in bundle.kept()
    assert dbb("deploy -t dev --var online_store=true")[0] == 0
    assert bundle.kept()["online stores"] == {"juan-dev-ml-nba-demo-dev": "CU_1"}
    code, told = dbb("deploy -t dev --var online_store=yes")
    assert code != 0
    assert "variable 'online_store' is 'yes': it is true or false" in told


@pytest.mark.parametrize("target", ["dev", "prod"])
def test_the_second_changes_nothing(bundle, dbb, target):
    assert dbb(f"deploy -t {target}")[0] == 0
    kept, writes = bundle.kept(), len(bundle.space.writes())
    code, told = dbb(f"deploy -t {target}")
    assert code == 0
    assert "no resource changes" in told
    assert len(bundle.space.writes()) == writes
    assert bundle.kept() == kept


def test_a_dry_run_changes_nothing(bundle, dbb):
    code, told = dbb("deploy -t prod --dry-run")
    assert code == 0
    assert "create   schemas.nba_schema" in told
    assert "then     create online store prod-ml-nba-demo (CU_1; it costs money" in told
    assert f"then     tag model {SCHEMA}.nba with stage=prod" in told
    assert told.endswith("nothing was changed (--dry-run)\n")
    assert bundle.space.writes() == []
    assert verbs(bundle) == ["plan"]


def test_a_finding_is_enough_to_refuse(bundle, dbb):
    bundle.edit("resources/training_job.yml", "tasks:", "taks: []\n      tasks:")
    code, told = dbb("deploy -t prod")
    assert code == 1
    assert "taks" in told
    assert bundle.asked() == []
    assert bundle.space.transcript == []


def test_variables_and_approval_are_passed_on(bundle, dbb):
    assert dbb("deploy -t prod --var seed=8 --var operators=ops --auto-approve")[0] == 0
    given = ["--target", "prod", "--var", "seed=8", "--var", "operators=ops"]
    assert bundle.asked()[0] == ["bundle", "plan", *given, "--output", "json"]
    assert bundle.asked()[1] == ["bundle", "deploy", "--auto-approve", *given]


def test_what_the_cli_ends_with(bundle, dbb):
    program = bundle.bin / "databricks"
    (bundle.root / "dist").mkdir()
    (bundle.root / "dist/a.whl").touch()
    program.write_text('#!/bin/sh\n[ "$2" = plan ] && echo "{}" && exit 0\nexit 7\n')
    code, told = dbb("deploy -t prod")
    assert (code, bundle.space.writes()) == (7, [])
    assert "`databricks bundle deploy` ended with 7: mend what it says" in told


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("exit 1", "`databricks bundle plan` ended with 1, see above; it takes the Databricks CLI"),
        ("echo no plan", "told something else than JSON: get the Databricks CLI 0.270 or newer"),
    ],
)
def test_a_program_that_makes_no_plan(bundle, dbb, script, told):
    (bundle.bin / "databricks").write_text(f"#!/bin/sh\n{script}\n")
    code, said = dbb("deploy -t prod")
    assert code == 1
    assert told in said


def test_without_the_program(bundle, dbb):
    (bundle.bin / "databricks").unlink()
    code, told = dbb("deploy -t prod")
    assert code == 1
    assert "the 'databricks' program is not installed: get the Databricks CLI from https" in told


def test_data_is_never_deleted_by_a_deploy(bundle, dbb):
    assert dbb("deploy -t prod")[0] == 0
    kept = bundle.kept()
    code, told = dbb("deploy -t prod --auto-approve --var schema=other")
    assert code == 1
    assert "this would delete data, so nothing was deployed:\n  recreate registered_models" in told
    assert bundle.kept() == kept


@pytest.mark.slow
def test_what_can_be_lost_is_asked_for(bundle, dbb):
    assert dbb("deploy -t prod")[0] == 0
    kept = bundle.kept()
    (bundle.root / "resources/lifecycle_job.yml").unlink()
    code, told = dbb("deploy -t prod")
    assert code == 2
    assert "delete   jobs.lifecycle_job" in told
    assert "nobody can answer here" in told
    assert dbb("deploy -t prod", "n\n")[0] == 1
    assert bundle.kept() == kept
    assert dbb("deploy -t prod", "y\n")[0] == 0
    assert "--auto-approve" in bundle.asked()[-1]
    assert len(bundle.kept()["jobs"]) == len(kept["jobs"]) - 1


def test_what_is_there_already_is_adopted(bundle, dbb):
    bundle.space.kept["schemas"][SCHEMA] = "platform-team"
    code, told = dbb("deploy -t prod", "y\n")
    assert code == 0
    assert f"adopt    nba_schema: {SCHEMA} is there already, and will belong" in told
    assert verbs(bundle) == ["plan", "deployment bind", "plan", "deploy"]
    assert bundle.space.kept["schemas"] == {SCHEMA: "platform-team"}


def test_what_the_cli_would_make_anew_is_not_deployed(bundle, dbb):
    """Adopted, the schema turns out to differ in what can't be altered."""
    bundle.space.kept["schemas"][SCHEMA] = "platform-team"
    (bundle.bin / "databricks").write_text(PLAN_AFTER_BINDING)
    code, told = dbb("deploy -t prod --auto-approve")
    assert code == 1
    assert "this would delete data, so nothing was deployed:\n  recreate schemas.nba" in told
    assert not (bundle.root / "deployed").exists()


def test_a_job_of_somebody_else_is_not(bundle, dbb):
    bundle.space.kept["jobs"][7] = {"name": JOB, "tasks": [], "settings": {"name": JOB}}
    code, told = dbb("deploy -t prod")
    assert code == 1
    assert "deployment bind" not in verbs(bundle)
    assert f"job {JOB} is there 2 times (ids 7, 1" in told
    assert "1 differences" in told


@pytest.mark.slow
def test_a_dashboard_of_that_name_elsewhere_is_somebody_elses(bundle, dbb):
    theirs = {"display_name": "nextbest monitoring (prod)", "parent_path": "/Workspace/Shared"}
    bundle.space.kept["dashboards"]["/Workspace/Shared/nextbest monitoring (prod)"] = theirs
    code, told = dbb("deploy -t prod")
    assert code == 0
    assert "adopt" not in told
    assert len(bundle.space.kept["dashboards"]) == 2
    (ours,) = [each for name, each in bundle.kept()["dashboards"].items() if "Shared" not in name]
    bundle.space.kept["dashboards"].pop(f"{ours['parent_path']}/{ours['display_name']}")
    code, told = dbb("deploy -t prod")
    assert code == 1
    assert "nextbest monitoring (prod) is not there, or hidden" in told


def job_of(bundle, name):
    (found,) = [job for job in bundle.space.kept["jobs"].values() if job["name"] == name]
    return found["settings"]


@pytest.mark.slow
def test_every_difference_is_told(bundle, dbb):
    assert dbb("deploy -t prod")[0] == 0
    job_of(bundle, "nextbest inference (prod)")["schedule"]["pause_status"] = "PAUSED"
    of_training = {"quartz_cron_expression": "0 0 1 * * ?", "timezone_id": "UTC"}
    job_of(bundle, JOB)["schedule"] = {**of_training, "pause_status": "UNPAUSED"}
    bundle.space.kept["models"].clear()
    code, told = dbb("deploy -t prod")
    assert code == 1
    assert "its schedule is PAUSED, 0 0 8 * * ?, UTC, the bundle says UNPAUSED, 0 0 8" in told
    assert f"job {JOB}: its schedule is UNPAUSED, 0 0 1 * * ?, UTC, the bundle says none" in told
    assert f"model {SCHEMA}.nba is not there, or hidden" in told
    assert "3 differences" in told


@pytest.mark.slow
def test_schedules_are_paused_as_the_mode_says(bundle, dbb):
    for target, status, name in (
        ("dev", "PAUSED", "[dev me] nextbest inference (dev)"),
        ("staging", "PAUSED", "nextbest inference (staging)"),
    ):
        assert dbb(f"deploy -t {target}")[0] == 0
        assert job_of(bundle, name)["schedule"]["pause_status"] == status


def test_two_wheels_are_one_too_many(bundle, dbb):
    (bundle.root / "dist").mkdir()
    (bundle.root / "dist/nextbest-0.0.9-py3-none-any.whl").touch()
    code, told = dbb("deploy -t prod")
    assert code == 1
    assert "./dist/*.whl is 2 files (nextbest-0.0.9-py3-none-any.whl, nextbest-0.1.0" in told
    assert bundle.space.writes() == []


def test_without_credentials(bundle, dbb, monkeypatch):
    monkeypatch.delenv("DATABRICKS_HOST")
    code, told = dbb("deploy -t prod")
    assert code == 1
    assert "databricks auth login" in told


def test_a_right_that_the_cli_lacks(bundle, dbb):
    bundle.space.faults.append(Fault(403, "POST", unity_catalog.SCHEMAS))
    code, told = dbb("deploy -t prod")
    assert code == 1
    assert "Error: POST /api/2.1/unity-catalog/schemas: User does not have permission." in told
    assert dbb("deploy -t prod")[0] == 0
