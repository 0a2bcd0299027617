"""The frozen values a bundle becomes: jobs, tasks and where in the YAML each one stands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

# Named tuples, not data classes: `dbb validate` is measured in milliseconds, and each data class
# costs one at import.
NOTHING: Mapping[str, Any] = MappingProxyType({})

RunIf = Literal[
    "ALL_SUCCESS", "ALL_DONE", "NONE_FAILED", "AT_LEAST_ONE_SUCCESS", "ALL_FAILED",
    "AT_LEAST_ONE_FAILED",
]  # fmt: skip


class Location(NamedTuple):
    """A place in a YAML file: path relative to the bundle root, 1-based line and column."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Edit(NamedTuple):
    """A change of the YAML that mends a finding, told by its place; edits.py makes it text.

    `kind` is what happens at `location`: in a key or a value `old` becomes `new`; a mapping gets an
    entry `old` with the YAML `new`, below the last of its entries `after`; an element of parameters
    gets one `above` or `below` it with the name `old` and the default `new`; tasks stand in the
    order of the keys `after`.
    """

    kind: Literal["key", "value", "entry", "above", "below", "order"]
    location: Location
    old: str
    new: str
    after: tuple[str, ...] = ()


class Diagnostic(NamedTuple):
    """One finding about a bundle: what is wrong, where, and how to mend it.

    `edit` is there when the files alone say how: `dbb validate --fix` makes it.
    """

    severity: Literal["error", "warning", "note"]
    summary: str
    location: Location | None = None
    path: str = ""  # resources.jobs.training_job.tasks[0].depends_on
    fix: str = ""
    edit: Edit | None = None


class Dependency(NamedTuple):
    """One `depends_on` entry; `outcome` is "true" or "false" below a condition task."""

    task_key: str
    outcome: str | None = None


class NotebookTask(NamedTuple):
    """A notebook to run; `path` is absolute and ends in .py or .ipynb."""

    path: Path
    base_parameters: Mapping[str, str] = NOTHING


class ConditionTask(NamedTuple):
    """left op right, both strings that may hold dynamic references."""

    op: str
    left: str
    right: str


class RunJobTask(NamedTuple):
    """Run another job of this bundle, named by its resource key."""

    job_key: str
    job_parameters: Mapping[str, str] = NOTHING


class ForEachTask(NamedTuple):
    """Run `task` once per element of `inputs` (a JSON array, or a reference to one)."""

    inputs: str
    task: Task
    concurrency: int = 1


class OtherTask(NamedTuple):
    """A kind that only Databricks can run (SQL, pipeline, wheel, ...): valid, but not local."""

    kind: str


class Task(NamedTuple):
    """One node of a job's graph."""

    key: str
    spec: NotebookTask | ConditionTask | RunJobTask | ForEachTask | OtherTask
    location: Location
    depends_on: tuple[Dependency, ...] = ()
    run_if: RunIf = "ALL_SUCCESS"
    max_retries: int = 0  # -1: without end
    min_retry_interval_millis: int = 0
    retry_on_timeout: bool = False
    timeout_seconds: int = 0  # 0: none
    disabled: bool = False


class Parameter(NamedTuple):
    """A job parameter: always a string, as on Databricks."""

    name: str
    default: str


class Schedule(NamedTuple):
    """When a job runs by itself."""

    quartz_cron_expression: str
    timezone_id: str
    pause_status: str = "UNPAUSED"


class Job(NamedTuple):
    """One job resource of the chosen target."""

    key: str
    name: str
    tasks: tuple[Task, ...]
    location: Location
    parameters: tuple[Parameter, ...] = ()
    schedule: Schedule | None = None
    max_concurrent_runs: int = 1
    timeout_seconds: int = 0
    config: Mapping[str, Any] = NOTHING  # the resource as it would be deployed


class Bundle(NamedTuple):
    """A bundle as one target sees it: merged, interpolated, with its target's presets applied."""

    root: Path
    name: str
    target: str
    mode: str  # "", development or production
    variables: Mapping[str, Any]  # resolved values
    jobs: Mapping[str, Job]
    resources: Mapping[str, Mapping[str, Mapping[str, Any]]]  # type → key → config
    config: Mapping[str, Any]  # the whole configuration after resolution
    warnings: tuple[Diagnostic, ...] = ()
