"""The graph of a job: keys, dependencies, conditions, loops, calls of other jobs, compute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from nextbest.bundle.diagnostics import error, near, respelled, warning
from nextbest.bundle.graph import Diagnostic, ForEachTask, Job, RunJobTask, Task
from nextbest.bundle.references import is_unresolved
from nextbest.bundle.yaml_source import Node

_COMPUTE = ("job_cluster_key", "environment_key", "existing_cluster_id", "new_cluster")
# Notebooks can do without: they bring an environment of their own.
_NEED_COMPUTE = (
    "python_wheel_task", "spark_python_task", "spark_jar_task", "spark_submit_task", "dbt_task",
)  # fmt: skip
_NUMERIC = ("GREATER_THAN", "GREATER_THAN_OR_EQUAL", "LESS_THAN", "LESS_THAN_OR_EQUAL")


def tasks_of(job: Node, path: str) -> Iterator[tuple[str, Node, Node]]:
    """Every task with its path and the top-level task it belongs to (itself, or its for-each)."""
    for index, task in enumerate(job.items("tasks")):
        below = f"{path}.tasks[{index}]"
        yield below, task, task
        if (nested := task.at("for_each_task", "task")) is not None:
            yield f"{below}.for_each_task.task", nested, task


def duplicates(items: list[Node], key: str, path: str, found: list[Diagnostic]) -> None:
    """Report elements of one sequence that have the same key: Databricks merges them silently."""
    seen: dict[str, Node] = {}
    for index, item in enumerate(items):
        name = item.text(key)
        if name and name in seen:
            summary = f"{key} '{name}' is used twice, first at {seen[name].location}"
            at = item.data[key].location
            found.append(error(summary, at, f"{path}[{index}].{key}", "rename one of them"))
        seen.setdefault(name, item)


def check_graph(path: str, job: Node, found: list[Diagnostic]) -> None:
    """Report what is wrong with one job's tasks and how they depend on each other."""
    tasks = {task.text("task_key"): task for task in job.items("tasks")}
    if not tasks:
        found.append(warning("the job has no tasks", job.location, path, "add tasks"))
    for index, task in enumerate(job.items("tasks")):
        _dependencies(f"{path}.tasks[{index}]", task, tasks, found)
    _cycles(path, tasks, found)
    for below, task, top in tasks_of(job, path):
        _compute(below, task, job, found)
        _condition(f"{below}.condition_task", task.at("condition_task"), found)
        if task is not top:
            _nested(below, task, found)
        elif (loop := task.at("for_each_task")) is not None:
            _inputs(f"{below}.for_each_task.inputs", loop.at("inputs"), found)


def _dependencies(
    path: str, task: Node, tasks: Mapping[str, Node], found: list[Diagnostic]
) -> None:
    for index, dependency in enumerate(task.items("depends_on")):
        below = f"{path}.depends_on[{index}]"
        key = dependency.text("task_key")
        if not key or is_unresolved(key):
            continue
        at = dependency.data["task_key"].location
        if key not in tasks:
            others = set(tasks) - {task.text("task_key")}
            summary = f"task '{task.text('task_key')}' depends on '{key}', which is no task here"
            edit = respelled("value", at, key, others)
            found.append(error(summary, at, below, near(key, others), edit))
            continue
        outcome = dependency.at("outcome")
        if outcome is None:
            continue
        if tasks[key].at("condition_task") is None:
            summary = f"outcome is given, but '{key}' is no condition task"
            found.append(error(summary, outcome.location, below, "remove outcome"))
        elif outcome.data not in ("true", "false"):
            summary = f"outcome '{outcome.data}' can't happen"
            found.append(error(summary, outcome.location, below, 'write "true" or "false"'))


def _cycles(path: str, tasks: Mapping[str, Node], found: list[Diagnostic]) -> None:
    edges = {
        key: [item.text("task_key") for item in task.items("depends_on")]
        for key, task in tasks.items()
    }
    for cycle in cycles(edges):
        summary = f"tasks wait for each other: {' -> '.join(cycle)}"
        fix = "remove one of these depends_on"
        found.append(error(summary, tasks[cycle[0]].location, path, fix))


def cycles(edges: Mapping[str, list[str]]) -> list[list[str]]:
    """Cycles of a graph, each once and closed (a, b, a), found from the keys in order."""
    done: set[str] = set()
    result = []
    stack: list[tuple[str, Iterator[str]]] = []
    for start in edges:
        if start not in done:
            stack.append((start, iter(edges[start])))
        while stack:
            following = next(stack[-1][1], None)
            trail = [key for key, _ in stack]
            if following is None:
                done.add(stack.pop()[0])
            elif following in trail:
                result.append([*trail[trail.index(following) :], following])
            elif following in edges and following not in done:
                stack.append((following, iter(edges[following])))
    return result


def sorted_keys(waits_for: Mapping[str, Iterable[str]]) -> tuple[str, ...] | None:
    """Task keys so that each stands below those it waits for, else as they were.

    None where tasks wait for each other. Keys that are none of these tasks don't count.
    """
    waiting = list(waits_for)
    done: list[str] = []
    while waiting:
        ready = next((key for key in waiting if not set(waits_for[key]) & set(waiting)), None)
        if ready is None:
            return None
        waiting.remove(ready)
        done.append(ready)
    return tuple(done)


def _compute(path: str, task: Node, job: Node, found: list[Diagnostic]) -> None:
    for field, section in (
        ("job_cluster_key", "job_clusters"),
        ("environment_key", "environments"),
    ):
        written = task.at(field)
        if written is None or is_unresolved(written.data):
            continue
        known = {item.text(field) for item in job.items(section)}
        if written.data not in known and not is_unresolved(job.text(section)):
            summary = f"{field} '{written.data}' is not defined in {section}"
            at, fix = written.location, near(written.data, known)
            edit = respelled("value", at, written.data, known)
            found.append(error(summary, at, f"{path}.{field}", fix, edit))
    needs = [kind for kind in _NEED_COMPUTE if task.at(kind) is not None]
    if needs and all(task.at(field) is None for field in _COMPUTE):
        summary = f"task '{task.text('task_key')}' needs a cluster or an environment"
        fix = f"set one of {', '.join(_COMPUTE)}"
        found.append(error(summary, task.location, path, fix))


def _condition(path: str, condition: Node | None, found: list[Diagnostic]) -> None:
    if condition is None or condition.text("op") not in _NUMERIC:
        return
    for side in ("left", "right"):
        text = condition.text(side)
        if text and "{{" not in text and not is_unresolved(text) and not _is_number(text):
            summary = f"{condition.text('op')} compares numbers, and '{text}' is none"
            fix = "write a number, or compare with EQUAL_TO or NOT_EQUAL"
            at = condition.data[side].location
            found.append(error(summary, at, f"{path}.{side}", fix))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _nested(path: str, task: Node, found: list[Diagnostic]) -> None:
    for field in ("for_each_task", "depends_on"):
        if (written := task.at(field)) is not None:
            summary = f"{field} can't stand inside of for_each_task"
            fix = "move it to the outer task"
            found.append(error(summary, written.location, f"{path}.{field}", fix))


def _inputs(path: str, inputs: Node | None, found: list[Diagnostic]) -> None:
    if inputs is None or "{{" in str(inputs.data) or is_unresolved(inputs.data):
        return
    import json  # only for loops: keeps the start quick

    try:
        valid = isinstance(json.loads(str(inputs.data)), list)
    except ValueError:
        valid = False
    if not valid:
        summary = f"inputs is no JSON array: {str(inputs.data)[:40]}"
        fix = """write '["a", "b"]', or a reference like {{tasks.x.values.y}}"""
        found.append(error(summary, inputs.location, path, fix))


def check_calls(
    jobs: Mapping[str, Job], nodes: Mapping[str, Node], found: list[Diagnostic]
) -> None:
    """Report run_job_task calls of jobs that are not there, and jobs that call each other."""
    edges: dict[str, list[str]] = {}
    for key, job in jobs.items():
        edges[key] = []
        for call in calls_of(job.tasks):
            edges[key].append(call.job_key)
        for path, task, _ in tasks_of(nodes[key], f"resources.jobs.{key}"):
            _call(path, task.at("run_job_task"), jobs, found)
    for cycle in cycles(edges):
        summary = f"jobs run each other: {' -> '.join(cycle)}"
        at = nodes[cycle[0]].location
        found.append(error(summary, at, f"resources.jobs.{cycle[0]}", "remove one of these calls"))


def calls_of(tasks: tuple[Task, ...]) -> Iterator[RunJobTask]:
    """The run-job tasks among `tasks`, loops included."""
    for task in tasks:
        spec = task.spec.task.spec if isinstance(task.spec, ForEachTask) else task.spec
        if isinstance(spec, RunJobTask):
            yield spec


def _call(path: str, call: Node | None, jobs: Mapping[str, Job], found: list[Diagnostic]) -> None:
    target = call.at("job_id") if call is not None else None
    if call is None or target is None or is_unresolved(target.data):
        return
    path = f"{path}.run_job_task"
    if target.data not in jobs:
        summary = f"job {target.data} is not part of this bundle, so it can't be run locally"
        fix = f"refer to one of its jobs, like ${{resources.jobs.{next(iter(jobs))}.id}}"
        found.append(warning(summary, target.location, f"{path}.job_id", fix))
        return
    known = {parameter.name for parameter in jobs[target.data].parameters}
    for name, value in call.entries("job_parameters").items():
        if name not in known:
            summary = f"job '{target.data}' has no parameter '{name}'"
            at, fix = value.location, near(name, known)
            edit = respelled("key", at, name, known)
            found.append(warning(summary, at, f"{path}.job_parameters", fix, edit))
