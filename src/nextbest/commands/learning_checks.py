"""Checks of what a bundle learns and decides by: feature tables, model names, pinned packages.

Whatever can be told from declarations alone: no table, model or workspace is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from nextbest.bundle.diagnostics import error, near, warning
from nextbest.bundle.graph import Bundle, ForEachTask, Job, Location, NotebookTask
from nextbest.commands.check import Check
from nextbest.commands.pinned import check_pins
from nextbest.features.feature_tables import FEATURE_TABLES, FeatureTable
from nextbest.touched import BY_NOTEBOOK, Touched

_SUFFIX = "_features"


class Reader(NamedTuple):
    """A notebook that a task runs, and what it touches."""

    notebook: str
    location: Location
    touched: Touched


def check_learning(
    root: Path,
    bundle: Bundle,
    by_notebook: Mapping[str, Touched] = BY_NOTEBOOK,
    tables: Mapping[str, FeatureTable] = FEATURE_TABLES,
) -> list[Check]:
    """All of these checks, for a bundle without errors.

    `by_notebook` says what notebooks touch (others are not looked at), `tables` how feature tables
    are keyed.
    """
    readers = [
        Reader(path.stem, location, by_notebook[path.stem])
        for job in bundle.jobs.values()
        for path, location in _notebooks(job)
        if path.stem in by_notebook
    ]
    return [
        _keys(readers, tables),
        _agreement(readers, tables),
        _model_names(bundle),
        check_pins(root),
    ]


def _notebooks(job: Job) -> Iterator[tuple[Path, Location]]:
    for task in job.tasks:
        spec = task.spec.task.spec if isinstance(task.spec, ForEachTask) else task.spec
        if isinstance(spec, NotebookTask):
            yield spec.path, task.location


def _is_feature_table(name: str, tables: Mapping[str, FeatureTable]) -> bool:
    return name in tables or name.endswith(_SUFFIX)


def _keys(readers: list[Reader], tables: Mapping[str, FeatureTable]) -> Check:
    """Each feature table has declared keys and a timestamp, and so has what goes online."""
    found, names = [], set()
    for reader in readers:
        told = reader.touched
        for name in dict.fromkeys((*told.reads, *told.writes, *told.online)):
            if not _is_feature_table(name, tables) and name not in told.online:
                continue
            names.add(name)
            table = tables.get(name)
            lacking = "keys" if table is None or not table.keys else ""
            if lacking or not table or not table.timestamp:
                summary = (
                    f"feature table '{name}' of {reader.notebook} has no {lacking or 'timestamp'}"
                )
                fix = "declare both in nextbest/features/feature_tables.py"
                found.append(error(summary, reader.location, "", fix))
    return Check("feature keys", ", ".join(sorted(names)) or "no feature table", found)


def _agreement(readers: list[Reader], tables: Mapping[str, FeatureTable]) -> Check:
    """Who decides reads the feature tables that were learned from, and some task writes them."""
    features = {
        reader.notebook: {name for name in reader.touched.reads if _is_feature_table(name, tables)}
        for reader in readers
    }
    training = [r for r in readers if r.touched.model == "writes" and r.touched.experiment]
    deciding = [r for r in readers if r.touched.endpoint or "recommendations" in r.touched.writes]
    learned = {name for reader in training for name in features[reader.notebook]}
    written = {name for reader in readers for name in reader.touched.writes}
    found = []
    for reader in training:
        for name in sorted(features[reader.notebook] - written):
            summary = f"{reader.notebook} learns from '{name}', which no task of this bundle writes"
            fix = "add the notebook that writes it to a job"
            found.append(error(summary, reader.location, "", fix))
    for reader in deciding if training else []:
        for name in sorted(learned - features[reader.notebook]):
            summary = f"models learn from '{name}', but {reader.notebook} decides without it"
            found.append(
                error(summary, reader.location, "", "read it there, or don't learn from it")
            )
        for name in sorted(features[reader.notebook] - learned):
            summary = f"{reader.notebook} decides by '{name}', from which no model learns"
            found.append(
                error(summary, reader.location, "", "learn from it, or don't read it there")
            )
        if reader.touched.endpoint:
            for name in sorted(learned - set(reader.touched.online)):
                summary = f"{reader.notebook} serves, but does not bring '{name}' online"
                found.append(error(summary, reader.location, "", "publish it there"))
    told = (
        f"tables of {', '.join(r.notebook for r in (*training, *deciding)) or 'no notebook'};"
        " columns are not known here: each model carries those it was trained on, and is held to"
        " them when it scores"
    )
    return Check("training and inference", told, found)


def _model_names(bundle: Bundle) -> Check:
    """Parameters called model_name hold the full name, in this target, of a registered model."""
    models = {
        ".".join((model.get("catalog_name", ""), model.get("schema_name", ""), model["name"])): key
        for key, model in bundle.resources.get("registered_models", {}).items()
        if model.get("name")
    }
    given: dict[str, list[Job]] = {}
    for job in bundle.jobs.values():
        for parameter in job.parameters:
            if parameter.name == "model_name":
                given.setdefault(parameter.default, []).append(job)
    found = []
    for name, jobs in given.items():
        if "{{" in name or "${" in name or name in models or not models:
            continue
        summary = (
            f"model_name '{name}' is no registered model of target '{bundle.target}':"
            f" job{'s' * (len(jobs) > 1)} {', '.join(job.key for job in jobs)}"
        )
        key = next(iter(models.values()))
        fix = f"{near(name, models)}; write ${{resources.registered_models.{key}.id}}"
        path = f"resources.jobs.{jobs[0].key}.parameters"
        found.append(warning(summary, jobs[0].location, path, fix))
    told = f"{', '.join(given) or 'no job has one'}; registered: {', '.join(models) or 'none'}"
    return Check("model names", told, found)
