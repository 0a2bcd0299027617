"""What every job of a target touches, by the names it has there; and what two targets share."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from nextbest import touched
from nextbest.bundle.graph import Bundle, ForEachTask, Job, NotebookTask, RunJobTask, Task
from nextbest.errors import BundleError
from nextbest.platforms.databricks.online_store import online_name, store_name
from nextbest.settings import Settings

BUNDLE = "the bundle itself"
SOME_DAY = "2000-01-01"  # no name depends on the day
KINDS = (
    "job", "alert", "runs", "schedule", "compute", "cluster", "instance pool", "warehouse",
    "folder", "schema", "volume", "experiment", "registered model", "model", "secret scope",
    "endpoint", "dashboard", "online store", "online table", "source", "table",
)  # fmt: skip
# Described, but nothing that two targets could share: each has one of its own by its very nature.
OWN = ("schedule", "compute")
_NAMES = ("name", "display_name", "table_name", "cluster_name", "instance_pool_name", "title")


class Touch(NamedTuple):
    """One thing that a job touches: its kind, its role in the job, its name in the target."""

    job: str  # resource key, or BUNDLE
    kind: str
    role: str  # the same in every target
    name: str
    how: str = ""  # reads, writes, …


def touches(bundle: Bundle) -> list[Touch]:
    """Everything that the jobs of a target touch on Databricks, and what is deployed beside them.

    Raises BundleError for a notebook that `nextbest.touched` says nothing of, and SettingsError
    for a job whose parameters are no settings.
    """
    found = list(_deployed(bundle))
    for job in bundle.jobs.values():
        found += [Touch(job.key, "job", job.key, job.name), *_when(job), *_where(job)]
        if any(_notebooks(job.tasks)):
            found += _by_notebooks(job)
        found += [
            Touch(job.key, "runs", task.spec.job_key, bundle.jobs[task.spec.job_key].name)
            for task in job.tasks
            if isinstance(task.spec, RunJobTask)
        ]
    return _strongest(found)


def _strongest(found: Iterable[Touch]) -> list[Touch]:
    """Each thing once for each job: written, if one of its notebooks writes it."""
    kept: dict[tuple[str, str, str], Touch] = {}
    for each in found:
        key = (each.job, each.kind, each.role)
        if key not in kept or each.how == "writes":
            kept[key] = each
    return list(kept.values())


def shared(targets: Mapping[str, Sequence[Touch]]) -> list[str]:
    """One sentence for each thing that more than one target touches.

    Names are compared as Unity Catalog compares them: without regard to case.
    """
    seen: dict[tuple[str, str], dict[str, Touch]] = {}
    for target, its in targets.items():
        for each in its:
            if each.kind not in (*OWN, "runs"):
                kind = "table" if each.kind == "online table" else each.kind
                seen.setdefault((kind, each.name.casefold()), {}).setdefault(target, each)
    return [
        f"{kind} {next(iter(by.values())).name} is touched by "
        + " and ".join(f"{target} ({each.job})" for target, each in by.items())
        for (kind, _), by in seen.items()
        if len(by) > 1
    ]


def _deployed(bundle: Bundle) -> Iterator[Touch]:
    """What a deployment makes besides the jobs, and the folder it lies in."""
    folder = bundle.config["workspace"]["root_path"]
    yield Touch(BUNDLE, "folder", "workspace folder", folder)
    for group, resources in bundle.resources.items():
        for key, resource in resources.items():
            if group == "jobs":
                continue
            kind = group.removesuffix("s").replace("_", " ")
            parts = [resource.get(part) for part in ("catalog_name", "schema_name")]
            # Without a name of its own it is told by its key, and so taken to be shared.
            name = next((resource[field] for field in _NAMES if resource.get(field)), key)
            yield Touch(BUNDLE, kind, key, ".".join([*filter(None, parts), name]))


def _when(job: Job) -> Iterator[Touch]:
    """The schedule; other triggers by their name."""
    if job.schedule is not None:
        at = f"{job.schedule.quartz_cron_expression} {job.schedule.timezone_id}"
        yield Touch(job.key, "schedule", "schedule", at, job.schedule.pause_status.lower())
    for trigger in ("trigger", "continuous"):
        if (section := job.config.get(trigger)) is not None:
            state = str(section.get("pause_status", "")).lower()
            yield Touch(job.key, "schedule", trigger, trigger, state)


def _where(job: Job) -> Iterator[Touch]:
    """Compute: made for each run, or something that others may use, too."""
    for cluster in job.config.get("job_clusters") or ():
        spec = cluster.get("new_cluster") or {}
        machines = f"{spec.get('num_workers', 0)} × {spec.get('node_type_id', 'by policy')}"
        told = f"{spec.get('spark_version')}, {machines}"
        yield Touch(job.key, "compute", cluster["job_cluster_key"], told, "for each run")
        if pool := spec.get("instance_pool_id"):
            yield Touch(job.key, "instance pool", cluster["job_cluster_key"], pool)
    for each in job.config.get("environments") or ():
        yield Touch(job.key, "compute", each["environment_key"], "serverless", "for each run")
    for task in job.config.get("tasks") or ():
        if cluster := task.get("existing_cluster_id"):
            yield Touch(job.key, "cluster", task["task_key"], cluster)
        if warehouse := (task.get("notebook_task") or {}).get("warehouse_id"):
            yield Touch(job.key, "warehouse", task["task_key"], warehouse)


def _by_notebooks(job: Job) -> Iterator[Touch]:
    settings = _settings(job)
    for task, spec in _notebooks(job.tasks):
        told = touched.BY_NOTEBOOK.get(spec.path.stem)
        if told is None:
            raise BundleError(
                f"task '{task.key}' ({task.location}) runs {spec.path.name}, of which "
                "nextbest.touched says nothing: add what it reads and writes there"
            )
        for names, how in ((told.reads, "reads"), (told.writes, "writes")):
            for name in names:
                yield Touch(job.key, "table", name, settings.table(name), how)
        yield from _others(job.key, told, settings)
    if settings.own_log:
        yield Touch(job.key, "source", "source", settings.source, "reads")


def _others(job: str, told: touched.Touched, settings: Settings) -> Iterator[Touch]:
    if told.volume:
        folder = f"/Volumes/{settings.catalog}/{settings.schema}/{settings.volume}"
        yield Touch(job, "volume", "volume", folder, "writes")
    if told.model:
        yield Touch(job, "model", "model", settings.model, told.model)
    if told.experiment:
        yield Touch(job, "experiment", "experiment", settings.experiment, "writes")
    if told.endpoint or told.moves_endpoint:
        yield Touch(job, "endpoint", "endpoint", settings.endpoint, "writes")
    for name in told.online:
        table = settings.table(name)
        yield Touch(job, "online store", "online store", store_name(table), "writes")
        yield Touch(job, "online table", f"{name}_online", online_name(table), "writes")


def _settings(job: Job) -> Settings:
    given = {parameter.name: parameter.default for parameter in job.parameters}
    known = {field.name for field in dataclasses.fields(Settings)}
    given = {name: text for name, text in given.items() if name in known}
    return Settings.parse({**given, "as_of": SOME_DAY})


def _notebooks(tasks: Iterable[Task]) -> Iterator[tuple[Task, NotebookTask]]:
    for task in tasks:
        inner: Any = task.spec.task if isinstance(task.spec, ForEachTask) else task
        if isinstance(inner.spec, NotebookTask):
            yield task, inner.spec
