"""`dbb validate --verbose`: each check, and what it looked at."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from nextbest.bundle.checks_graph import tasks_of
from nextbest.bundle.checks_left_out import TRIGGERS
from nextbest.bundle.graph import Bundle, Diagnostic
from nextbest.bundle.include import read_all
from nextbest.bundle.target import override, select
from nextbest.bundle.yaml_source import Node, walk
from nextbest.commands.check import Check


def looked_at(root: Path, target: str, bundle: Bundle | None, learning: Sequence[Check]) -> str:
    """One line for each check: its name and what it looked at, or why it could not."""
    checks = [*_of_bundle(root, target), *((each.name, each.looked_at) for each in learning)]
    if bundle is None:
        checks.append(("learning", "not looked at, since the bundle has errors"))
    width = max(len(name) for name, _ in checks)
    return "\n".join(f"{name:<{width}}  {told}" for name, told in checks)


def _of_bundle(root: Path, target: str) -> Iterator[tuple[str, str]]:
    ignored: list[Diagnostic] = []  # reported by the checks themselves
    config = read_all(root, ignored)
    name = select(config, target, ignored) if config is not None else None
    if config is None or name is None:
        yield "files", "the only check: they can't be read, or there is no such target"
        return
    values = list(walk(config))
    files = sorted({node.location.file for _, node in values})
    yield "files", ", ".join(files)
    yield "fields", f"{len(values)} values: names and kinds, as Databricks has them"
    references = sum(str(node.data).count("${") for _, node in values)
    yield "references", f"{references} of the form ${{…}}, and what they come to"
    merged = override(config, name, ignored)
    jobs = merged.entries("resources", "jobs")
    tasks = [task for job in jobs.values() for _, task, _ in tasks_of(job, "")]
    yield "graph", f"jobs: {len(jobs)}, tasks: {len(tasks)}; dependencies, cycles, order, compute"
    yield "triggers", _named(f"{each} of {key}" for key, each in _triggers(jobs))
    notebooks = {_notebook(root, task) for task in tasks if task.at("notebook_task")}
    yield "notebooks", _named(sorted(notebooks)) + ": syntax, widgets and parameters"
    permitted = [key for key, job in jobs.items() if job.at("permissions") is not None]
    yield "permissions", f"{len(permitted)} of {len(jobs)} jobs have some"
    targets = _named(config.entries("targets"))
    yield "targets", f"{targets}: mode, and whether {name} shares a schema"


def _triggers(jobs: Mapping[str, Node]) -> Iterator[tuple[str, str]]:
    for key, job in jobs.items():
        for trigger in TRIGGERS:
            if job.at(trigger) is not None:
                yield key, trigger


def _notebook(root: Path, task: Node) -> str:
    path = task.at("notebook_task", "notebook_path")
    if path is None:
        return "one without a path"
    return os.path.normpath(Path(path.location.file).parent / str(path.data))


def _named(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
