"""Good bundles come out as Databricks would deploy them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nextbest.bundle import diagnose, load
from nextbest.bundle.graph import (
    ConditionTask,
    Dependency,
    ForEachTask,
    NotebookTask,
    OtherTask,
    RunJobTask,
)

pytestmark = pytest.mark.unit

GOOD = Path(__file__).parents[2] / "bundle" / "good"
CASES = [
    (folder.name, target)
    for folder in sorted(GOOD.iterdir())
    for target in json.loads((folder / "expected.json").read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("name", "target"), CASES)
def test_resolved(name: str, target: str, user: str):
    expected = json.loads((GOOD / name / "expected.json").read_text(encoding="utf-8"))[target]
    bundle, found = diagnose(GOOD / name, target, None, user)
    assert all(item.severity == "note" for item in found)  # of how the files are written
    assert bundle.variables == expected["variables"]
    assert bundle.resources == expected["resources"]
    assert bundle.config["resources"] == bundle.resources


def test_default_target_and_mode(user: str):
    assert load(GOOD / "development", None, None, user).target == "plain"
    assert load(GOOD / "anchors", None, None, user).target == "default"
    assert load(GOOD / "development", "dev", None, user).mode == "development"
    assert load(GOOD / "development", "plain", None, user).mode == ""


def test_graph_keeps_the_order_of_declaration(user: str):
    tasks = load(GOOD / "merged", "prod", None, user).jobs["etl"].tasks
    assert [task.key for task in tasks] == ["load", "prepare", "check"]
    assert tasks[0].depends_on == (Dependency("prepare"), Dependency("check"))
    assert tasks[0].max_retries == 2
    assert tasks[0].spec == NotebookTask(GOOD / "merged" / "notebooks" / "load.py")
    assert tasks[1].spec == NotebookTask(GOOD / "merged" / "notebooks" / "prepare.ipynb")
    assert tasks[2].spec == ConditionTask("GREATER_THAN", "{{tasks.prepare.values.rows}}", "0")


def test_places_survive_merge_and_interpolation(user: str):
    job = load(GOOD / "merged", "prod", None, user).jobs["etl"]
    assert str(job.location) == "resources/etl.yml:3"
    assert str(job.tasks[0].location) == "resources/etl.yml:13"


def test_every_kind_of_task(user: str):
    calls = load(GOOD / "calls", None, None, user)
    assert calls.jobs["all"].tasks[0].spec == RunJobTask("load", {"size": "large"})
    task, other = calls.jobs["load"].tasks
    assert (task.disabled, task.timeout_seconds, task.run_if) == (True, 5, "ALL_DONE")
    assert other.spec == OtherTask("spark_python_task")
    loop = load(GOOD / "anchors", None, None, user).jobs["etl"].tasks[2].spec
    assert isinstance(loop, ForEachTask)
    assert (loop.inputs, loop.concurrency) == ('["a", "b"]', 2)
    assert loop.task.spec.base_parameters == {"item": "{{input}}"}


def test_schedule_and_limits(user: str):
    job = load(GOOD / "development", "dev", None, user).jobs["etl"]
    assert job.name == "[dev ana_diaz] etl"
    assert job.schedule.quartz_cron_expression == "0 0 8 * * ?"
    assert (job.schedule.timezone_id, job.schedule.pause_status) == ("Europe/Madrid", "PAUSED")
    assert job.max_concurrent_runs == 4
    plain = load(GOOD / "development", "plain", None, user).jobs["etl"]
    assert (plain.schedule.pause_status, plain.max_concurrent_runs) == ("UNPAUSED", 1)
