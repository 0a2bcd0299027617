"""Parameters: who gives them, who reads them, and which references name them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from nextbest.bundle.checks_graph import calls_of, tasks_of
from nextbest.bundle.diagnostics import error, near, respelled, warning
from nextbest.bundle.dynamic import dynamic_references, unknown_part
from nextbest.bundle.graph import (
    Diagnostic,
    Edit,
    ForEachTask,
    Job,
    Location,
    NotebookTask,
    OtherTask,
)
from nextbest.bundle.notebooks import HEADER, Notebook, read_notebook
from nextbest.bundle.yaml_source import Node, walk


class Notebooks:
    """The notebooks of a bundle, each read once; what is wrong with one is reported once."""

    def __init__(self, root: Path, found: list[Diagnostic]) -> None:
        self.root, self.found = root, found
        self.read: dict[Path, Notebook] = {}

    def get(self, path: Path) -> Notebook:
        """What the notebook reads."""
        if path not in self.read:
            notebook = self.read[path] = read_notebook(path, self.root)
            shown = os.path.relpath(path, self.root)
            if notebook.problem is not None:
                line, reason = notebook.problem
                at = Location(shown, line)
                self.found.append(error(f"notebook {shown} is {reason}", at, fix="correct it"))
            elif not notebook.header:
                summary = f"{shown} is no notebook: its first line is not '{HEADER}'"
                fix = "add that line at the top"
                self.found.append(error(summary, Location(shown, 1), fix=fix))
        return self.read[path]


def check_parameters(
    job: Job,
    node: Node,
    jobs: Mapping[str, Job],
    notebooks: Notebooks,
    variables: Collection[str],
    found: list[Diagnostic],
) -> None:
    """Report parameters of one job that nobody reads, and readers that nobody serves.

    `variables` are those of the bundle that hold a text: a reader of that name can be served.
    """
    path = f"resources.jobs.{job.key}"
    names = {parameter.name for parameter in job.parameters}
    _defaults(path, node, found)
    used = _references(path, node, names, found)
    open_ended = False
    specs = _specs(job)
    readers = []
    for below, task, _ in tasks_of(node, path):
        spec = specs.get(below)
        if isinstance(spec, NotebookTask):
            notebook = notebooks.get(spec.path)
            used |= notebook.known
            open_ended |= notebook.open_ended or notebook.problem is not None
            readers.append((f"{below}.notebook_task", task, spec, notebook))
        elif isinstance(spec, OtherTask):
            open_ended = True
    for call in calls_of(job.tasks):
        if call.job_key in jobs:
            used |= {parameter.name for parameter in jobs[call.job_key].parameters}
    unread = [] if open_ended else sorted(names - used - {""})
    for below, task, spec, notebook in readers:
        missing = _notebook(below, task, spec, notebook, names, notebooks, found)
        for widget, item in missing.items():
            from nextbest.bundle.wiring import served  # only for findings: keeps the start quick

            edit = served(widget, node, list(notebook.required), variables, unread)
            found.append(item._replace(edit=edit))
    for index, parameter in enumerate(node.items("parameters")):
        if (name := parameter.text("name")) in unread:
            summary = f"no task of job '{job.key}' reads parameter '{name}'"
            fix = "remove it, or read it with dbutils.widgets.get"
            below = f"{path}.parameters[{index}]"
            found.append(warning(summary, parameter.location, below, fix))


def _specs(job: Job) -> dict[str, object]:
    """Each task's work by its path, loops included."""
    specs: dict[str, object] = {}
    for index, task in enumerate(job.tasks):
        below = f"resources.jobs.{job.key}.tasks[{index}]"
        specs[below] = task.spec
        if isinstance(task.spec, ForEachTask):
            specs[f"{below}.for_each_task.task"] = task.spec.task.spec
    return specs


def _defaults(path: str, node: Node, found: list[Diagnostic]) -> None:
    for index, parameter in enumerate(node.items("parameters")):
        default = parameter.at("default")
        if default is not None and default.literal:
            summary = (
                f"default of parameter '{parameter.text('name')}' is not a string:"
                f" {default.literal} becomes '{default.data}'"
            )
            fix = f"write '{default.literal}' in quotes"
            below = f"{path}.parameters[{index}].default"
            edit = None
            if default.literal == default.data:  # or quotes would change what it is
                edit = Edit("value", default.location, default.literal, f'"{default.literal}"')
            found.append(warning(summary, default.location, below, fix, edit))


def _notebook(
    path: str,
    task: Node,
    spec: NotebookTask,
    notebook: Notebook,
    names: set[str],
    notebooks: Notebooks,
    found: list[Diagnostic],
) -> dict[str, Diagnostic]:
    """Check what one task gives its notebook; returns findings by widget that nothing fills."""
    missing = {}
    key = task.text("task_key")
    shown = os.path.relpath(spec.path, notebooks.root)
    for widget, line in notebook.required.items():
        if widget not in names and widget not in spec.base_parameters:
            summary = f"task '{key}' reads widget '{widget}' ({shown}:{line}), which nothing fills"
            near_by = near(widget, names | set(spec.base_parameters))
            fix = f"add it to the job's parameters; {near_by}"
            at = task.at("notebook_task").location
            missing[widget] = error(summary, at, path, fix)
    for name, value in task.entries("notebook_task", "base_parameters").items():
        below = f"{path}.base_parameters.{name}"
        if name in names:
            summary = f"base parameter '{name}' never counts: the job's parameter overrides it"
            found.append(warning(summary, value.location, below, "remove one of them"))
        elif name not in notebook.known and not notebook.open_ended and not notebook.problem:
            summary = f"{shown} does not read base parameter '{name}'"
            edit = respelled("key", value.location, name, notebook.known)
            if edit is not None and edit.new in names:
                edit = None  # the job serves that one
            fix = near(name, notebook.known)
            found.append(warning(summary, value.location, below, fix, edit))
    return missing


def _references(path: str, job: Node, names: set[str], found: list[Diagnostic]) -> set[str]:
    """Check each `{{...}}` of a job; returns the names of the job parameters that are read."""
    tasks = {task.text("task_key"): task for task in job.items("tasks")}
    used: set[str] = set()
    for key, section in job.entries().items():
        if key != "tasks":
            for below, value in walk(section, f"{path}.{key}"):
                _text(below, value, names, {}, False, used, found)
    for below, task, top in tasks_of(job, path):
        before = {key: key in _ancestors(top, tasks) for key in tasks}
        for inside, value in walk(task, below):
            if task is not top or not inside.startswith(f"{below}.for_each_task.task."):
                _text(inside, value, names, before, task is not top, used, found)
    return used


def _ancestors(task: Node, tasks: Mapping[str, Node]) -> set[str]:
    seen: set[str] = set()
    waiting = [task]
    while waiting:
        for dependency in waiting.pop().items("depends_on"):
            key = dependency.text("task_key")
            if key in tasks and key not in seen:
                seen.add(key)
                waiting.append(tasks[key])
    return seen


def _text(
    path: str,
    value: Node,
    names: set[str],
    before: Mapping[str, bool],
    in_loop: bool,
    used: set[str],
    found: list[Diagnostic],
) -> None:
    if not isinstance(value.data, str):
        return
    for steps in dynamic_references(value.data):
        text = "{{" + ".".join(steps) + "}}"
        if steps[0] == "input":
            if not in_loop:
                summary, fix = f"{text} has a value only inside of for_each_task", "move it there"
                found.append(error(summary, value.location, path, fix))
        elif (unknown := unknown_part(steps)) is not None:
            summary = f"no dynamic value {text}"
            edit = _respelled_step(value, steps, *unknown)
            found.append(error(summary, value.location, path, near(*unknown), edit))
        elif steps[:2] == ["job", "parameters"]:
            name = ".".join(steps[2:])
            used.add(name)
            if name not in names:
                summary = f"{text}: the job has no parameter '{name}'"
                edit = respelled("value", value.location, name, names, "job.parameters.*")
                found.append(error(summary, value.location, path, near(name, names), edit))
        elif steps[0] == "tasks" and not before.get(steps[1]):
            edit = None
            if steps[1] in before:
                summary = f"{text}: task '{steps[1]}' need not have run before"
                fix = "add it to this task's depends_on"
            else:
                summary = f"{text}: no task '{steps[1]}'"
                fix = near(steps[1], before)
                edit = respelled("value", value.location, steps[1], before, "tasks.*")
            found.append(error(summary, value.location, path, fix, edit))


def _respelled_step(value: Node, steps: list[str], name: str, known: Iterable[str]) -> Edit | None:
    if steps.count(name) != 1:
        return None
    form = ".".join("*" if step == name else step for step in steps)
    names = [each.rstrip(".") for each in known]
    return respelled("value", value.location, name, names, form)
