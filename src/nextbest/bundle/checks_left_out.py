"""What a job leaves to chance: when it may run, who may see it, in which order it is read."""

from __future__ import annotations

from nextbest.bundle.checks_graph import sorted_keys
from nextbest.bundle.diagnostics import note, warning
from nextbest.bundle.graph import Diagnostic, Edit
from nextbest.bundle.yaml_source import Node

TRIGGERS = ("schedule", "trigger", "continuous")
_SETS_PAUSE = ("development", "production")
_ENOUGH = 2  # other jobs that agree, before they speak for one that says nothing


def check_pauses(config: Node, own: Node | None, found: list[Diagnostic]) -> None:
    """Report triggers that begin to fire with the first deployment, although nobody wrote so.

    A target in mode development pauses them, one in mode production is there to run them, and
    `presets.trigger_pause_status` says it for all others. `config` is the configuration before
    presets and defaults, `own` the target's section, None in a bundle without targets.
    """
    preset = config.text("presets", "trigger_pause_status")
    if preset or config.text("bundle", "mode") in _SETS_PAUSE:
        return
    target = config.text("bundle", "target")
    for key, job in config.entries("resources", "jobs").items():
        for trigger in TRIGGERS:
            section = job.at(trigger)
            written = section is not None and isinstance(section.data, dict)
            if section is None or not written or section.text("pause_status"):
                continue
            path = f"resources.jobs.{key}.{trigger}"
            summary = (
                f"{trigger} of job '{key}' runs as soon as target '{target}' is deployed:"
                " nothing says whether it is paused"
            )
            fix = "write pause_status: PAUSED, or UNPAUSED, here"
            edit = Edit("entry", section.location, "pause_status", "PAUSED")
            if own is not None and own.at("resources", "jobs", key, trigger) is None:
                fix = (
                    f"write presets: {{ trigger_pause_status: PAUSED }}, or UNPAUSED, in target"
                    f" '{target}'; here it would hold for all targets"
                )
                edit = _preset(own)
            found.append(warning(summary, section.location, path, fix, edit))


def _preset(own: Node) -> Edit:
    if (presets := own.at("presets")) is not None:
        return Edit("entry", presets.location, "trigger_pause_status", "PAUSED")
    new = "{ trigger_pause_status: PAUSED }"
    return Edit("entry", own.location, "presets", new, ("default", "mode"))


def check_permissions(config: Node, raw: Node, found: list[Diagnostic]) -> None:
    """Report a job without permissions where all others (at least two) have the same.

    Only its owner and admins see it then. Permissions of the whole bundle hold for every job.
    `raw` is `config` before its references were replaced.
    """
    jobs = raw.entries("resources", "jobs")
    without = [key for key, job in jobs.items() if job.entries() and "permissions" not in job.data]
    given = [job for job in jobs.values() if job.at("permissions") is not None]
    if not without or len(given) < _ENOUGH or config.at("permissions") is not None:
        return
    same = given[0].data["permissions"].plain()
    if any(job.data["permissions"].plain() != same for job in given):
        return
    keys = list(given[0].entries())
    after = tuple(keys[: keys.index("permissions")])
    for key in without:
        summary = (
            f"job '{key}' has no permissions, the other {len(given)} have: only its owner sees it"
        )
        fix = "give it the same, or write permissions: [] where that is meant"
        edit = Edit("entry", jobs[key].location, "permissions", _as_yaml(same), after)
        found.append(warning(summary, jobs[key].location, f"resources.jobs.{key}", fix, edit))


def _as_yaml(value: object) -> str:
    """A reference as it is; anything else as lines of YAML."""
    if isinstance(value, str):
        return value
    import yaml

    lines = yaml.safe_dump(value, sort_keys=False, width=1000).rstrip("\n").split("\n")
    return "".join(f"  {line}\n" for line in lines)


def check_order(path: str, job: Node, found: list[Diagnostic]) -> None:
    """Note tasks that stand above one they wait for: a job is read from top to bottom."""
    tasks = {task.text("task_key"): task for task in job.items("tasks")}
    waits_for = {
        key: [each.text("task_key") for each in task.items("depends_on")]
        for key, task in tasks.items()
    }
    order = sorted_keys(waits_for)
    files = {each.location.file for each in tasks.values()}
    if order is None or list(order) == list(tasks) or len(files) > 1:
        return
    if len(tasks) != len(job.items("tasks")):
        return  # a key stands twice, which is an error
    seen: set[str] = set()
    for key, task in tasks.items():
        if later := [other for other in waits_for[key] if other in tasks and other not in seen]:
            summary = f"task '{key}' stands above '{later[0]}', which it waits for"
            fix = f"write them in the order {', '.join(order)}"
            edit = Edit("order", job.data["tasks"].location, "", "", order)
            found.append(note(summary, task.location, f"{path}.tasks", fix, edit))
            return
        seen.add(key)
