"""What a target's mode and presets make of the resources, and Databricks' defaults."""

from __future__ import annotations

import posixpath

from nextbest.bundle.diagnostics import error
from nextbest.bundle.graph import Diagnostic, Location
from nextbest.bundle.workspace import normalize_name
from nextbest.bundle.yaml_source import Node

_CONCURRENT_RUNS_IN_DEVELOPMENT = 4
# Where each type keeps the name that is shown, prefixed as it is written.
_NAMES = {
    "jobs": "name", "pipelines": "name", "models": "name", "clusters": "cluster_name",
    "dashboards": "display_name", "alerts": "display_name", "sql_warehouses": "name",
    "instance_pools": "instance_pool_name", "genie_spaces": "title",
}  # fmt: skip
_NORMALIZED = ("registered_models", "schemas", "model_serving_endpoints")
_TRIGGERS = ("schedule", "trigger", "continuous")


def with_mode(config: Node) -> Node:
    """The configuration with the presets that `mode: development` brings."""
    if config.text("bundle", "mode") != "development":
        return config
    user = config.text("workspace", "current_user", "short_name")
    presets = config.at("presets") or Node({}, config.location)
    at = presets.location
    tags = presets.at("tags") or Node({}, at)
    if "dev" not in tags.entries():
        tags = tags.put("dev", Node(user, at))
    defaults = {
        "name_prefix": Node(f"[dev {user}] ", at),
        "jobs_max_concurrent_runs": Node(_CONCURRENT_RUNS_IN_DEVELOPMENT, at),
        "trigger_pause_status": Node("PAUSED", at),
    }
    for key, value in defaults.items():
        if (written := presets.at(key)) is None or not written.data:
            presets = presets.put(key, value)
    return config.put("presets", presets.put("tags", tags))


def check_mode(config: Node, target: Node, found: list[Diagnostic]) -> None:
    """Report what a target's mode forbids; `target` is its own section of databricks.yml."""
    mode = config.at("bundle", "mode")
    if mode is None or mode.data not in ("development", "production"):
        return
    workspace = config.at("workspace") or config
    user = [workspace.text("current_user", key) for key in ("userName", "short_name")]
    if mode.data == "production":
        jobs = config.entries("resources", "jobs").values()
        as_somebody = config.at("run_as") or (jobs and all(job.at("run_as") for job in jobs))
        if target.at("workspace", "root_path") is None and not as_somebody:
            fix = "set workspace.root_path in this target, so that only one copy is deployed"
            summary = "mode: production needs workspace.root_path or run_as"
            found.append(error(summary, mode.location, "bundle.mode", fix))
        return
    status = config.at("presets", "trigger_pause_status")
    if status is not None and status.data == "UNPAUSED":
        summary = "mode: development can't have its triggers unpaused by a preset"
        path = "presets.trigger_pause_status"
        found.append(error(summary, status.location, path, "remove it, or change the mode"))
    prefix = config.at("presets", "name_prefix")
    if prefix is not None and prefix.data and not any(name in str(prefix.data) for name in user):
        summary = f"mode: development needs the user in the name prefix '{prefix.data}'"
        fix = "put ${workspace.current_user.short_name} into it"
        found.append(error(summary, prefix.location, "presets.name_prefix", fix))
    for key in ("root_path", "file_path", "resource_path", "artifact_path", "state_path"):
        if (path := workspace.at(key)) and not any(name in str(path.data) for name in user):
            summary = f"mode: development needs the user in workspace.{key}: {path.data}"
            fix = "begin it with ~/ or put ${workspace.current_user.short_name} into it"
            found.append(error(summary, path.location, f"workspace.{key}", fix))
            return


def apply(config: Node) -> Node:
    """The configuration with presets, run_as and defaults applied to its resources."""
    presets = config.at("presets") or Node({}, config.location)
    prefix = presets.text("name_prefix")
    skip_flag = config.at("experimental", "skip_name_prefix_for_schema")
    skip_schemas = skip_flag is not None and skip_flag.data is True
    groups = {}
    for group, resources in config.entries("resources").items():
        changed = {}
        for key, resource in resources.entries().items():
            if isinstance(resource.data, dict):
                if prefix and not (group == "schemas" and skip_schemas):
                    resource = _prefixed(resource, group, prefix)
                resource = _preset(resource, group, presets)
                resource = _defaults(resource, group, config)
            changed[key] = resource
        groups[group] = resources.holding(changed) if changed else resources
    resources = config.at("resources") or Node({}, config.location)
    return config.put("resources", resources.holding(groups))


def _prefixed(resource: Node, group: str, prefix: str) -> Node:
    if group == "experiments":
        folder, name = posixpath.split(resource.text("name"))
        field, name = "name", posixpath.join(folder, prefix + name)
    elif group in _NORMALIZED:
        plain = prefix.replace("[", "").strip(" ")
        tail = "_" if plain.endswith("]") else ""
        field, name = "name", normalize_name(plain) + tail + resource.text("name")
    elif group in _NAMES:
        field = _NAMES[group]
        name = prefix + (resource.text(field) or ("Untitled" if group == "jobs" else ""))
    else:
        return resource
    written = resource.at(field)
    return resource.put(field, Node(name, written.location if written else resource.location))


def _preset(resource: Node, group: str, presets: Node) -> Node:
    at = resource.location
    tags = presets.entries("tags")
    pause = presets.at("trigger_pause_status")
    if group == "jobs":
        if tags:
            ours = {key: value for key, value in resource.entries("tags").items() if value.data}
            missing = {key: tags[key] for key in sorted(tags) if key not in ours}
            resource = resource.put("tags", Node(ours | missing, at))
        runs = presets.at("jobs_max_concurrent_runs")
        if runs is not None and runs.data and not _value(resource, "max_concurrent_runs"):
            resource = resource.put("max_concurrent_runs", runs)
        if pause is not None:
            resource = _paused(resource, _TRIGGERS, pause)
    elif group in ("experiments", "models") and tags:
        have = {tag.text("key") for tag in resource.items("tags")}
        added = [
            Node({"key": Node(key, at), "value": tags[key]}, at)
            for key in sorted(tags)
            if key not in have
        ]
        resource = resource.put("tags", Node(resource.items("tags") + added, at))
    elif group == "quality_monitors" and pause is not None and pause.data == "PAUSED":
        if resource.text("schedule", "pause_status") != "UNPAUSED":
            kept = {key: value for key, value in resource.data.items() if key != "schedule"}
            resource = resource.holding(kept)
    elif group == "alerts" and pause is not None:
        resource = _paused(resource, ("schedule",), pause)
    return resource


def _defaults(resource: Node, group: str, config: Node) -> Node:
    at: Location = resource.location
    run_as = config.at("run_as")
    if group == "dashboards":
        folder = config.at("workspace", "resource_path") or Node("", at)
        given = {"parent_path": folder, "embed_credentials": Node(False, at)}
        for field, value in given.items():
            if resource.at(field) is None:
                resource = resource.put(field, value)
        return resource
    if group == "volumes" and resource.at("volume_type") is None:
        return resource.put("volume_type", Node("MANAGED", at))
    if group != "jobs":
        return resource
    if run_as is not None and resource.at("run_as") is None:
        resource = resource.put("run_as", run_as)
    if not resource.text("name"):
        resource = resource.put("name", Node("Untitled", at))
    if resource.at("max_concurrent_runs") is None:
        resource = resource.put("max_concurrent_runs", Node(1, at))
    if resource.at("queue") is None:
        resource = resource.put("queue", Node({"enabled": Node(True, at)}, at))
    return _paused(resource, _TRIGGERS, Node("UNPAUSED", at))


def _paused(resource: Node, triggers: tuple[str, ...], status: Node) -> Node:
    for trigger in triggers:
        section = resource.at(trigger)
        written = section is not None and isinstance(section.data, dict)
        if written and not section.text("pause_status"):
            resource = resource.put(trigger, section.put("pause_status", status))
    return resource


def _value(node: Node, key: str) -> object:
    below = node.at(key)
    return below.data if below is not None else None
