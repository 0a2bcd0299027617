"""What stops a job before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from nextbest.bundle.graph import (
    Bundle,
    Dependency,
    ForEachTask,
    Job,
    Location,
    OtherTask,
    Parameter,
    RunJobTask,
    Task,
)
from nextbest.errors import UsageError
from nextbest.runner.preflight import check

pytestmark = pytest.mark.unit


def task(key, spec, *needs, line=1, **options):
    depends_on = tuple(Dependency(each) for each in needs)
    return Task(key, spec, Location("jobs.yml", line), depends_on, **options)


def bundle(**jobs):
    made = {
        key: Job(key, key, tasks, Location("jobs.yml", 1), (Parameter("x", "1"),))
        for key, tasks in jobs.items()
    }
    return Bundle(Path("/nowhere"), "b", "dev", "", {}, made, {}, {})


RUNS = RunJobTask("b")


def test_everything_is_reported_together():
    each = ForEachTask("[1]", task("inner", OtherTask("python_wheel_task")))
    jobs = bundle(
        a=(
            task("one", OtherTask("sql_task"), "two", line=3),
            task("two", RUNS, "one", "tow", line=4),
            task("three", each, line=5),
            task("four", RunJobTask("b", {"y": "1"}), line=6),
            task("five", RunJobTask("nothing"), line=7),
        ),
        b=(task("back", RunJobTask("a"), line=8),),
    )
    with pytest.raises(UsageError) as refused:
        check(jobs, "a", {"z": "1", "platform": "databricks"}, None)
    for text in (
        "job 'a' has no parameter 'z'",
        "platform=databricks contradicts --local",
        "jobs.yml:3: job 'a', task 'one': depends_on leads back to the task itself",
        "jobs.yml:3: job 'a', task 'one': a sql_task can run on Databricks only",
        "jobs.yml:4: job 'a', task 'two': depends_on: the job has no task 'tow'",
        "jobs.yml:5: job 'a', task 'three': a python_wheel_task",
        "jobs.yml:6: job 'a', task 'four': job 'b' has no parameter 'y'",
        "jobs.yml:7: job 'a', task 'five': the bundle has no job 'nothing'",
        "jobs.yml:8: job 'b', task 'back': jobs run each other in a circle: a → b → a",
    ):
        assert text in str(refused.value)


def test_what_does_not_run_may_be_what_it_is():
    jobs = bundle(a=(task("off", OtherTask("sql_task"), disabled=True), task("on", RUNS)), b=())
    assert check(jobs, "a", {"x": "2"}, None).key == "a"
    assert check(jobs, "a", {}, "on").key == "a"
    with pytest.raises(UsageError, match="sql_task"):
        check(jobs, "a", {}, "off")
