"""All checks of a bundle, in the places of the pipeline where they belong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nextbest.bundle import cron
from nextbest.bundle.checks_graph import check_calls, check_graph, duplicates
from nextbest.bundle.checks_left_out import check_order, check_pauses, check_permissions
from nextbest.bundle.checks_parameters import Notebooks, check_parameters
from nextbest.bundle.diagnostics import error, near, note, respelled
from nextbest.bundle.graph import Diagnostic, Job
from nextbest.bundle.references import is_unresolved, references
from nextbest.bundle.variables import PREFIX
from nextbest.bundle.yaml_source import Node

KEYS = {"job_clusters": "job_cluster_key", "parameters": "name", "tasks": "task_key"}


def before_merge(config: Node, found: list[Diagnostic]) -> None:
    """Report what can't be told any more once a target was merged in."""
    if config.at("environments") is not None:
        at = config.data["environments"].location
        found.append(error("'environments' is the old name", at, "environments", "write 'targets'"))
    sections = {"": config} | {
        f"targets.{name}.": target for name, target in config.entries("targets").items()
    }
    for prefix, section in sections.items():
        for group, resources in section.entries("resources").items():
            for key, resource in resources.entries().items():
                path = f"{prefix}resources.{group}.{key}"
                if resource.data is None:
                    summary = f"{group} '{key}' is empty"
                    found.append(error(summary, resource.location, path, "define or remove it"))
                elif group == "jobs":
                    check_order(path, resource, found)
                    for field, name in KEYS.items():
                        duplicates(resource.items(field), name, f"{path}.{field}", found)


def after_interpolation(config: Node, raw: Node, own: Node | None, found: list[Diagnostic]) -> None:
    """Report what can't be told any more once presets and defaults filled the gaps.

    `raw` is the configuration before its references were replaced, `own` the target's section
    (None in a bundle without targets).
    """
    _nobody(config, raw, found)
    check_pauses(config, own, found)
    check_permissions(config, raw, found)
    for key, job in config.entries("resources", "jobs").items():
        for field, name in KEYS.items():
            if is_unresolved(raw.text("resources", "jobs", key, field)):
                path = f"resources.jobs.{key}.{field}"
                duplicates(job.items(field), name, path, found)


def check_jobs(config: Node, jobs: Mapping[str, Job], root: Path, found: list[Diagnostic]) -> None:
    """Report what is wrong with the jobs of one target."""
    nodes = config.entries("resources", "jobs")
    notebooks = Notebooks(root, found)
    variables = [
        name
        for name, each in config.entries("variables").items()
        if (value := each.at("value")) is not None and not isinstance(value.data, dict | list)
    ]
    for key, job in jobs.items():
        path = f"resources.jobs.{key}"
        check_graph(path, nodes[key], found)
        check_parameters(job, nodes[key], jobs, notebooks, variables, found)
        check_schedule(f"{path}.schedule", nodes[key].at("schedule"), found)
    check_calls(jobs, nodes, found)
    _run_as(config, found)


def check_schedule(path: str, schedule: Node | None, found: list[Diagnostic]) -> None:
    """Report a cron expression that Quartz refuses, and an unknown time zone."""
    if schedule is None:
        return
    expression = schedule.at("quartz_cron_expression")
    if expression is not None and not is_unresolved(expression.data):
        problem = cron.problem_with(str(expression.data))
        if problem is not None:
            summary = f"'{expression.data}' is no Quartz cron expression: {problem}"
            fix = "for example '0 0 8 * * ?': daily at 08:00"
            below = f"{path}.quartz_cron_expression"
            found.append(error(summary, expression.location, below, fix))
    zone = schedule.at("timezone_id")
    if zone is not None and not is_unresolved(zone.data) and zone.data != "UTC":
        _zone(f"{path}.timezone_id", zone, found)


def _zone(path: str, zone: Node, found: list[Diagnostic]) -> None:
    import zoneinfo  # only for schedules outside of UTC

    try:
        zoneinfo.ZoneInfo(str(zone.data))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = zoneinfo.available_timezones()
        fix, edit = near(str(zone.data), known), respelled(
            "value", zone.location, str(zone.data), known
        )
        found.append(error(f"no time zone '{zone.data}'", zone.location, path, fix, edit))


def _nobody(config: Node, raw: Node, found: list[Diagnostic]) -> None:
    run_as = config.at("run_as")
    names = ("user_name", "service_principal_name")
    if run_as is None or any(run_as.text(name) for name in names):
        return
    written = [each for name in names for each in references(raw.text("run_as", name))]
    variables = [each.path[1] for each in written if each.path[0] == "var"]
    target = config.text("bundle", "target")
    summary = f"target '{target}' runs as nobody yet: Databricks refuses to deploy it like that"
    fix = "name a service principal by its application id"
    if variables:
        fix += f": --var {variables[0]}=…, or {PREFIX}{variables[0]} in the environment"
    found.append(note(summary, run_as.location, "run_as", fix))


def _run_as(config: Node, found: list[Diagnostic]) -> None:
    run_as = config.at("run_as")
    user = config.text("workspace", "current_user", "userName")
    if run_as is None or run_as.text("user_name") == user:
        return
    for group in ("model_serving_endpoints", "quality_monitors", "apps"):
        for key, resource in config.entries("resources", group).items():
            summary = f"{group} can't be deployed with run_as another than {user}"
            fix = "remove run_as, or create it in a task after deployment"
            found.append(error(summary, resource.location, f"resources.{group}.{key}", fix))
