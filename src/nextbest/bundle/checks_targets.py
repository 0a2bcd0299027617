"""No target may write where another one lives."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nextbest.bundle import lookups, workspace
from nextbest.bundle.diagnostics import error
from nextbest.bundle.graph import Diagnostic
from nextbest.bundle.interpolate import interpolate
from nextbest.bundle.references import is_unresolved
from nextbest.bundle.target import override
from nextbest.bundle.variables import assign
from nextbest.bundle.yaml_source import Node

_NAME = r"`?([A-Za-z_][\w-]*)`?"
_THREE_LEVELS = re.compile(rf"(?:models:/)?{_NAME}\.{_NAME}\.{_NAME}(?:[@/][\w-]+)?")
_VOLUME = re.compile(r"(?:dbfs:)?/Volumes/([^/]+)/([^/]+)(?:/.*)?")

Home = tuple[str, str]  # catalog and schema


def check_namespaces(
    config: Node, resolved: Node, target: str, user: str, found: list[Diagnostic]
) -> None:
    """Report what lies outside of the target's catalog and schema, and targets that share one.

    Looks only at bundles that have the variables `catalog` and `schema`. `config` still has its
    targets; `resolved` is what `target` sees.
    """
    home = _home(resolved)
    if home is None:
        return
    _shared(config, home, resolved, target, user, found)
    for key, job in resolved.entries("resources", "jobs").items():
        for path, name, value in _values(job, f"resources.jobs.{key}"):
            _inside(path, name, value, home, target, found)
    for group in ("schemas", "volumes", "registered_models"):
        for key, resource in resolved.entries("resources", group).items():
            fields = ("catalog_name", "name" if group == "schemas" else "schema_name")
            _resource(f"resources.{group}.{key}", fields, group, resource, home, target, found)
    for key, resource in resolved.entries("resources", "dashboards").items():
        fields = ("dataset_catalog", "dataset_schema")
        path = f"resources.dashboards.{key}"
        _resource(path, fields, "dashboards", resource, home, target, found)


def _home(resolved: Node) -> Home | None:
    catalog = resolved.text("variables", "catalog", "value")
    schema = resolved.text("variables", "schema", "value")
    if not catalog or not schema or is_unresolved(catalog) or is_unresolved(schema):
        return None
    return catalog, schema


def _shared(
    config: Node, home: Home, resolved: Node, target: str, user: str, found: list[Diagnostic]
) -> None:
    targets = config.entries("targets")
    for other in targets:
        theirs = _home_of(config, other, user) if other != target else None
        if theirs == home:
            summary = f"targets '{target}' and '{other}' share {'.'.join(home)}"
            fix = "give each target a schema of its own"
            at = resolved.at("variables", "schema", "value")
            found.append(error(summary, at and at.location, f"targets.{target}.variables", fix))


def _home_of(config: Node, target: str, user: str) -> Home | None:
    """Where another target lives by its own configuration: no flags, no environment."""
    ignored: list[Diagnostic] = []  # the findings of that target are its own
    merged = override(config, target, ignored)
    merged = workspace.describe(assign(merged, {}, {}, None, ignored), user)
    variables = interpolate(
        Node(merged.entries("variables"), merged.location), lookups.early(merged), "", ignored
    )
    return _home(merged.put("variables", variables))


def _values(job: Node, path: str) -> Iterator[tuple[str, str, Node]]:
    """Path, name and value of every parameter that a job gives to somebody."""
    for index, parameter in enumerate(job.items("parameters")):
        if (default := parameter.at("default")) is not None:
            yield f"{path}.parameters[{index}]", parameter.text("name"), default
    for index, task in enumerate(job.items("tasks")):
        below = f"{path}.tasks[{index}]"
        nested = task.at("for_each_task", "task")
        for place, work in ((below, task), (f"{below}.for_each_task.task", nested)):
            for steps in (("notebook_task", "base_parameters"), ("run_job_task", "job_parameters")):
                given = work.entries(*steps) if work is not None else {}
                for name, value in given.items():
                    yield f"{place}.{'.'.join(steps)}.{name}", name, value


def _inside(
    path: str, name: str, value: Node, home: Home, target: str, found: list[Diagnostic]
) -> None:
    text = str(value.data)
    if "{{" in text or is_unresolved(text):
        return
    place = ".".join(home)
    expected = {"catalog": home[0], "schema": home[1]}.get(name)
    if expected is not None:
        if text != expected:
            summary = f"parameter '{name}' is '{text}', but target '{target}' lives in {place}"
            fix = f"write ${{var.{name}}}"
            found.append(error(summary, value.location, path, fix))
        return
    match = _THREE_LEVELS.fullmatch(text) or _VOLUME.fullmatch(text)
    if match is not None and match.group(1, 2) != home:
        summary = f"parameter '{name}' names {text}, outside of {place} of target '{target}'"
        fix = "begin it with ${var.catalog}.${var.schema}"
        found.append(error(summary, value.location, path, fix))


def _resource(
    path: str,
    fields: tuple[str, str],
    group: str,
    resource: Node,
    home: Home,
    target: str,
    found: list[Diagnostic],
) -> None:
    for name, expected in zip(fields, home, strict=True):
        written = resource.at(name)
        if written is None or is_unresolved(written.data) or written.data == expected:
            continue
        summary = f"{name} is '{written.data}', but target '{target}' lives in {'.'.join(home)}"
        fix = f"write ${{var.{'catalog' if name == fields[0] else 'schema'}}}"
        if group == "schemas" and str(written.data).endswith(expected):
            fix = "set experimental.skip_name_prefix_for_schema: true"
        found.append(error(summary, written.location, f"{path}.{name}", fix))
