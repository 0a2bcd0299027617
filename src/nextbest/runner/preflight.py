"""What stops a job before anything runs: everything that is wrong, reported together."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping

from nextbest.bundle.graph import (
    Bundle,
    ForEachTask,
    Job,
    NotebookTask,
    OtherTask,
    RunJobTask,
    Task,
)
from nextbest.errors import UsageError
from nextbest.runner.graph_state import below
from nextbest.runner.notebook_source import parse

MAX_NESTING = 3  # run-job tasks below each other, as on Databricks


def check(bundle: Bundle, job_key: str, given: Mapping[str, str], only: str | None) -> Job:
    """The job, if it can run here; raises UsageError listing every reason why not."""
    job = find(bundle.jobs, job_key, "job", f"target '{bundle.target}'")
    problems = [
        unknown("parameter", name, (p.name for p in job.parameters), f"job '{job_key}'")
        for name in given
        if name not in {p.name for p in job.parameters}
    ]
    if given.get("platform", "local") != "local":
        problems.append(f"platform={given['platform']} contradicts --local: leave it out")
    if only is not None:
        find({task.key: task for task in job.tasks}, only, "task", f"job '{job_key}'")
    problems += dict.fromkeys(_problems(bundle, job, (job.key,), only))
    if problems:
        raise UsageError("\n".join(problems))
    return job


def find(known: Mapping[str, object], name: str, what: str, where: str) -> object:
    """The entry of that name; raises UsageError with a near match."""
    if name not in known:
        raise UsageError(unknown(what, name, known, where))
    return known[name]


def unknown(what: str, name: str, known: Iterable[str], where: str) -> str:
    """A sentence on a name that does not exist: the nearest one, or all there are."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(names) or 'none'}"
    return f"{where} has no {what} '{name}': {hint}"


def _problems(
    bundle: Bundle, job: Job, above: tuple[str, ...], only: str | None = None
) -> Iterator[str]:
    keys = [task.key for task in job.tasks]
    for task in job.tasks:
        at = f"{task.location}: job '{job.key}', task '{task.key}'"
        for needed in task.depends_on:
            if needed.task_key not in keys:
                yield unknown("task", needed.task_key, keys, f"{at}: depends_on: the job")
        if task.key in below(job.tasks, [task.key]):
            yield f"{at}: depends_on leads back to the task itself: take one of the arrows out"
        if (only is None and not task.disabled) or task.key == only:
            yield from _of_spec(bundle, task, at, above)


def _of_spec(bundle: Bundle, task: Task, at: str, above: tuple[str, ...]) -> Iterator[str]:
    spec = task.spec
    if isinstance(spec, OtherTask):
        yield f"{at}: a {spec.kind} can run on Databricks only, not with --local"
    elif isinstance(spec, ForEachTask):
        yield from _of_spec(bundle, spec.task, at, above)
    elif isinstance(spec, NotebookTask):
        try:
            parse(spec.path)
        except UsageError as error:
            yield f"{at}: {error}".replace(f"{bundle.root}/", "")
    elif isinstance(spec, RunJobTask):
        yield from _of_child(bundle, spec, at, above)


def _of_child(bundle: Bundle, spec: RunJobTask, at: str, above: tuple[str, ...]) -> Iterator[str]:
    if spec.job_key not in bundle.jobs:
        yield unknown("job", spec.job_key, bundle.jobs, f"{at}: the bundle")
        return
    if spec.job_key in above:
        yield f"{at}: jobs run each other in a circle: {' → '.join([*above, spec.job_key])}"
        return
    if len(above) > MAX_NESTING:
        yield f"{at}: run-job tasks nest deeper than {MAX_NESTING}: {' → '.join(above)}"
        return
    child = bundle.jobs[spec.job_key]
    known = [p.name for p in child.parameters]
    for name in spec.job_parameters:
        if name not in known:
            yield unknown("parameter", name, known, f"{at}: job '{child.key}'")
    yield from _problems(bundle, child, (*above, child.key))
