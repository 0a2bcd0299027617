"""From the configuration of a job to its graph of tasks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nextbest.bundle.diagnostics import error, near, respelled, warning
from nextbest.bundle.graph import (
    ConditionTask,
    Dependency,
    Diagnostic,
    Edit,
    ForEachTask,
    Job,
    NotebookTask,
    OtherTask,
    Parameter,
    RunJobTask,
    Schedule,
    Task,
)  # fmt: skip
from nextbest.bundle.references import is_unresolved
from nextbest.bundle.yaml_source import Node

TASK_SUFFIX = "_task"
_SUFFIXES = (".py", ".ipynb")
_LANGUAGES = (".sql", ".r", ".scala")  # notebooks too, but not for the local runner


def kinds_of(task: Node) -> list[str]:
    """The kinds a task names (it should be exactly one), like notebook_task."""
    return [key for key in task.entries() if key.endswith(TASK_SUFFIX)]


def job_of(key: str, job: Node, root: Path, found: list[Diagnostic]) -> Job:
    """The job as a frozen value; what is wrong with its tasks' kinds and paths is reported."""
    path = f"resources.jobs.{key}"
    schedule = job.at("schedule")
    in_git = job.at("git_source") is not None
    return Job(
        key=key,
        name=job.text("name"),
        tasks=tuple(
            _task(task, f"{path}.tasks[{index}]", root, in_git, found)
            for index, task in enumerate(job.items("tasks"))
        ),
        location=job.location,
        parameters=tuple(
            Parameter(item.text("name"), item.text("default")) for item in job.items("parameters")
        ),
        schedule=schedule
        and Schedule(
            schedule.text("quartz_cron_expression"),
            schedule.text("timezone_id"),
            schedule.text("pause_status"),
        ),
        max_concurrent_runs=_integer(job, "max_concurrent_runs", 1),
        timeout_seconds=_integer(job, "timeout_seconds", 0),
        config=job.plain(),
    )


def _task(task: Node, path: str, root: Path, in_git: bool, found: list[Diagnostic]) -> Task:
    kinds = kinds_of(task)
    refused = any(item.path.startswith(f"{path}.") and "_task" in item.path for item in found)
    if len(kinds) != 1 and not refused:
        name = f"task '{task.text('task_key')}'"
        if kinds:
            summary, fix = f"{name} is of several kinds: {', '.join(kinds)}", "keep one of them"
        else:
            summary, fix = f"{name} does nothing", "give it a notebook_task, or another kind"
        found.append(error(summary, task.location, path, fix))
    kind = kinds[0] if kinds else "none"
    spec = task.at(kind)
    return Task(
        key=task.text("task_key"),
        spec=_spec(kind, spec, path, root, in_git, found) if spec else OtherTask(kind),
        location=task.location,
        depends_on=tuple(
            Dependency(item.text("task_key"), item.text("outcome") or None)
            for item in task.items("depends_on")
        ),
        run_if=task.text("run_if") or "ALL_SUCCESS",  # an unknown one was reported
        max_retries=_integer(task, "max_retries", 0),
        min_retry_interval_millis=_integer(task, "min_retry_interval_millis", 0),
        retry_on_timeout=_flag(task, "retry_on_timeout"),
        timeout_seconds=_integer(task, "timeout_seconds", 0),
        disabled=_flag(task, "disabled"),
    )


def _spec(
    kind: str, spec: Node, path: str, root: Path, in_git: bool, found: list[Diagnostic]
) -> NotebookTask | ConditionTask | RunJobTask | ForEachTask | OtherTask:
    if kind == "notebook_task" and not in_git and spec.text("source") != "GIT":
        notebook = notebook_path(spec, f"{path}.{kind}", root, found)
        if notebook is not None:
            return NotebookTask(notebook, _strings(spec, "base_parameters"))
    if kind == "condition_task":
        return ConditionTask(spec.text("op"), spec.text("left"), spec.text("right"))
    if kind == "run_job_task" and spec.text("job_id"):
        return RunJobTask(spec.text("job_id"), _strings(spec, "job_parameters"))
    if kind == "for_each_task" and (nested := spec.at("task")) is not None:
        task = _task(nested, f"{path}.{kind}.task", root, in_git, found)
        return ForEachTask(spec.text("inputs"), task, _integer(spec, "concurrency", 1))
    return OtherTask(kind)


def notebook_path(spec: Node, path: str, root: Path, found: list[Diagnostic]) -> Path | None:
    """The file of a notebook task, relative to the YAML file that names it.

    None when the notebook lies in the workspace, is in a language of its own, or is missing
    (which is reported).
    """
    written = spec.at("notebook_path")
    path = f"{path}.notebook_path"
    if written is None or is_unresolved(written.data) or str(written.data).startswith("/"):
        return None
    name = os.path.normpath(root / Path(written.location.file).parent / str(written.data))
    if os.path.isfile(name):
        if name.endswith(_SUFFIXES):
            return Path(name)
        if not name.endswith(_LANGUAGES):
            summary = f"{written.data} is no notebook"
            fix = "name a .py, .ipynb, .sql, .r or .scala file"
            found.append(error(summary, written.location, path, fix))
        return None
    for suffix in _SUFFIXES:
        if os.path.isfile(name + suffix):
            summary = f"notebook {written.data} is named without its extension"
            fix = f"write {written.data}{suffix}: Databricks refuses the short form"
            edit = Edit("value", written.location, str(written.data), f"{written.data}{suffix}")
            found.append(warning(summary, written.location, path, fix, edit))
            return Path(name + suffix)
    shown = os.path.relpath(name, root)
    folder = os.path.dirname(name)
    there = (
        [f for f in os.listdir(folder) if f.endswith(_SUFFIXES)] if os.path.isdir(folder) else []
    )
    fix = "the path is relative to the YAML file that names it"
    if there:
        fix = f"{near(os.path.basename(name), there)}; {fix}"
    edit = respelled("value", written.location, os.path.basename(name), there)
    found.append(error(f"notebook {shown} does not exist", written.location, path, fix, edit))
    return None


def _strings(node: Node, key: str) -> Mapping[str, str]:
    return {name: str(value.data) for name, value in node.entries(key).items()}


def _integer(node: Node, key: str, default: int) -> int:
    value = node.at(key)
    return value.data if value is not None and isinstance(value.data, int) else default


def _flag(node: Node, key: str) -> bool:
    value: Any = node.at(key)
    return value is not None and value.data is True
