"""The bundle of this repository, on all of its targets."""

from __future__ import annotations

from pathlib import Path

import pytest
from databricks.bundles.alerts import Alert
from databricks.bundles.dashboards import Dashboard
from databricks.bundles.experiments import MlflowExperiment
from databricks.bundles.jobs import Job
from databricks.bundles.registered_models import RegisteredModel
from databricks.bundles.schemas import Schema
from databricks.bundles.secret_scopes import SecretScope
from databricks.bundles.volumes import Volume

from nextbest.bundle import diagnose

pytestmark = pytest.mark.unit

TARGETS = ("dev", "staging", "prod")
COMPUTE = ("${var.ml_cluster}", "${var.serverless}")
TYPES = {
    "alerts": Alert,
    "jobs": Job,
    "experiments": MlflowExperiment,
    "registered_models": RegisteredModel,
    "schemas": Schema,
    "volumes": Volume,
    "dashboards": Dashboard,
    "secret_scopes": SecretScope,
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("compute", COMPUTE)
def test_nothing_to_report(target: str, compute: str, repository: Path, user: str):
    given = {"compute": compute, "service_principal": "11111111-2222-3333-4444-555555555555"}
    bundle, found = diagnose(repository, target, given, user)
    assert found == ()
    assert len(bundle.jobs) >= 6


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("compute", COMPUTE)
def test_databricks_accepts_every_resource(target: str, compute: str, repository: Path, user: str):
    bundle, _ = diagnose(repository, target, {"compute": compute}, user)
    assert set(bundle.resources) == set(TYPES)
    for group, resources in bundle.resources.items():
        for resource in resources.values():
            assert TYPES[group].from_dict(_as_deployed(resource))


def _as_deployed(resource: dict) -> dict:
    """With a number for what stands in for a job's id: only Databricks knows the real one."""
    if isinstance(resource, dict):
        return {
            key: 1 if key == "job_id" else _as_deployed(value) for key, value in resource.items()
        }
    if isinstance(resource, list):
        return [_as_deployed(item) for item in resource]
    return resource


def test_targets_write_to_places_of_their_own(repository: Path, user: str):
    homes = set()
    for target in TARGETS:
        bundle, _ = diagnose(repository, target, None, user)
        homes.add((bundle.variables["catalog"], bundle.variables["schema"]))
    assert homes == {
        ("juan_dev", "ml_nba_demo_dev"),
        ("juan_dev", "ml_nba_demo_staging"),
        ("prod", "ml_nba_demo"),
    }


def test_no_flag_moves_a_target_into_another(repository: Path, user: str):
    other = {"catalog": "prod", "schema": "ml_nba_demo"}
    bundle, found = diagnose(repository, "dev", other, user)
    assert bundle is None
    assert any("share prod.ml_nba_demo" in item.summary for item in found)
