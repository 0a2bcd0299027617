"""Who may do what in each target of this repository's bundle, and how its tasks fail."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nextbest.bundle import Bundle, diagnose
from nextbest.bundle.graph import NotebookTask

pytestmark = pytest.mark.unit

TARGETS = ("dev", "staging", "prod")
GROUPS = {"nextbest-viewers", "nextbest-operators", "nextbest-managers"}
PRINCIPAL = "11111111-2222-3333-4444-555555555555"
# Privileges that Unity Catalog knows for each securable ("Unity Catalog privileges reference").
GRANTABLE = {
    "schemas": {
        "APPLY_TAG", "CREATE_FUNCTION", "CREATE_MODEL", "CREATE_TABLE", "CREATE_VOLUME", "EXECUTE",
        "MANAGE", "MODIFY", "READ_VOLUME", "SELECT", "USE_SCHEMA", "WRITE_VOLUME",
    },
    "registered_models": {"APPLY_TAG", "EXECUTE", "MANAGE"},
    "volumes": {"APPLY_TAG", "MANAGE", "READ_VOLUME", "WRITE_VOLUME"},
}  # fmt: skip


def loaded(repository: Path, user: str, target: str, **variables: str) -> Bundle:
    bundle, found = diagnose(repository, target, variables, user)
    assert bundle is not None, found
    return bundle


def rights(bundle: Bundle) -> set[tuple[str, str, str]]:
    """Group, resource and level or privilege of everything that is given to somebody."""
    found = set()
    for kind, resources in bundle.resources.items():
        for resource in resources.values():
            for each in resource.get("permissions") or ():
                found.add((each["group_name"], kind, each["level"]))
            for each in resource.get("grants") or ():
                found |= {(each["principal"], kind, name) for name in each["privileges"]}
    return found


def test_dev_is_its_owners_alone(repository: Path, user: str):
    assert rights(loaded(repository, user, "dev")) == set()


@pytest.mark.parametrize("target", ["staging", "prod"])
def test_three_groups_each_with_more_rights(target: str, repository: Path, user: str):
    given = rights(loaded(repository, user, target))
    assert {group for group, _, _ in given} == GROUPS
    viewers, operators, managers = (
        {(kind, level) for group, kind, level in given if group == f"nextbest-{name}"}
        for name in ("viewers", "operators", "managers")
    )
    assert viewers == {
        ("jobs", "CAN_VIEW"), ("experiments", "CAN_READ"), ("schemas", "USE_SCHEMA"),
        ("schemas", "SELECT"), ("dashboards", "CAN_READ"), ("alerts", "CAN_READ"),
    }  # fmt: skip
    assert ("jobs", "CAN_MANAGE_RUN") in operators
    assert ("registered_models", "EXECUTE") in operators
    assert {("jobs", "CAN_MANAGE"), ("schemas", "MODIFY"), ("secret_scopes", "MANAGE")} <= managers
    # Secrets and raw rows are for managers only; nobody but they and the principal writes.
    for below in (viewers, operators):
        assert not {kind for kind, _ in below} & {"secret_scopes", "volumes"}
        assert not {level for _, level in below} & {"MODIFY", "MANAGE", "CAN_MANAGE", "CAN_EDIT"}


@pytest.mark.parametrize("target", ["staging", "prod"])
def test_only_what_unity_catalog_can_grant_there(target: str, repository: Path, user: str):
    given = rights(loaded(repository, user, target))
    for kind, allowed in GRANTABLE.items():
        assert {name for _, of, name in given if of == kind} <= allowed


def test_groups_are_variables_of_a_target(repository: Path, user: str):
    changed = loaded(repository, user, "prod", operators="on-call")
    groups = {group for group, _, _ in rights(changed)}
    assert groups == GROUPS - {"nextbest-operators"} | {"on-call"}


@pytest.mark.parametrize("target", TARGETS)
def test_no_target_lives_where_everybody_may_write(target: str, repository: Path, user: str):
    bundle = loaded(repository, user, target, service_principal=PRINCIPAL)
    owner = PRINCIPAL if target == "prod" else user
    for key in ("root_path", "file_path", "artifact_path", "state_path"):
        assert bundle.config["workspace"][key].startswith(f"/Workspace/Users/{owner}/")


def test_prod_runs_as_the_principal_and_says_so_when_there_is_none(repository: Path, user: str):
    bundle = loaded(repository, user, "prod", service_principal=PRINCIPAL)
    as_whom = [job["run_as"] for job in bundle.resources["jobs"].values()]
    assert as_whom == [{"service_principal_name": PRINCIPAL}] * len(bundle.jobs)
    _, found = diagnose(repository, "prod", None, user)
    assert [item.severity for item in found] == ["note"]
    assert "BUNDLE_VAR_service_principal" in found[0].fix
    for target in ("dev", "staging"):
        others = loaded(repository, user, target).resources["jobs"].values()
        assert not any("run_as" in job for job in others)


@pytest.mark.parametrize("target", TARGETS)
def test_runs_of_a_job_queue_up(target: str, repository: Path, user: str):
    for job in loaded(repository, user, target).resources["jobs"].values():
        assert job["max_concurrent_runs"] == 1  # in dev, too: its preset would allow four
        assert job["queue"] == {"enabled": True}
        assert job["health"]["rules"]
        assert job["notification_settings"]["no_alert_for_skipped_runs"] is True


@pytest.mark.parametrize(("target", "retries"), [("dev", 0), ("staging", 1), ("prod", 1)])
def test_notebooks_are_tried_again_and_nothing_else(
    target: str, retries: int, repository: Path, user: str
):
    bundle = loaded(repository, user, target)
    for job in bundle.jobs.values():
        for task in job.tasks:
            own = isinstance(task.spec, NotebookTask)
            alone = task.key == "approval"  # that does not come by trying again
            assert task.max_retries == (retries if own and not alone else 0)
            assert task.timeout_seconds == (28800 if own else 0)
            assert task.min_retry_interval_millis == (30_000 if own else 0)
            assert not task.retry_on_timeout


def test_a_budget_policy_is_named_only_when_given(repository: Path, user: str):
    for job in loaded(repository, user, "prod").resources["jobs"].values():
        assert "budget_policy_id" not in job
    given = loaded(repository, user, "prod", budget_policy_id="b-1")
    assert {job["budget_policy_id"] for job in given.resources["jobs"].values()} == {"b-1"}


def test_no_secret_is_written_down(repository: Path):
    files = [repository / "databricks.yml", *(repository / "resources").glob("*.yml")]
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"dapi[0-9a-f]{8}|client_secret|webhook.*https", text), file
