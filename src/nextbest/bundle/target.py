"""Choose a target and lay it over the rest of the configuration."""

from __future__ import annotations

from nextbest.bundle.diagnostics import error, near
from nextbest.bundle.graph import Diagnostic
from nextbest.bundle.merge import merge
from nextbest.bundle.yaml_source import Node

_MERGED = ("bundle", "workspace", "artifacts", "resources", "sync", "permissions", "presets")


def select(config: Node, name: str | None, found: list[Diagnostic]) -> str | None:
    """The name of the target to use: the named one, the only one, or the one marked default."""
    targets = config.entries("targets")
    known = list(targets) or ["default"]
    at = config.data["targets"].location if targets else config.location
    if name is not None:
        if name in known:
            return name
        fix = near(name, known) + "; known targets: " + ", ".join(known)
        found.append(error(f"no target '{name}'", at, "targets", fix))
        return None
    if len(known) == 1:
        return known[0]
    defaults = [
        key
        for key, target in targets.items()
        if (flag := target.at("default")) and flag.data is True
    ]
    if len(defaults) == 1:
        return defaults[0]
    if defaults:
        summary = f"several targets are the default: {', '.join(defaults)}"
        found.append(error(summary, at, "targets", "keep 'default: true' at one of them"))
    else:
        fix = "name one with -t: " + ", ".join(known)
        found.append(error("no target is the default", at, "targets", fix))
    return None


def override(config: Node, name: str, found: list[Diagnostic]) -> Node:
    """The configuration as the target `name` sees it; `targets` itself is gone.

    Most sections merge deeply; run_as, mode and each variable's default or lookup are replaced.
    """
    target = config.at("targets", name) or Node({}, config.location)
    data = {key: value for key, value in config.data.items() if key != "targets"}
    path = f"targets.{name}"
    for section in _MERGED:
        if (ours := target.at(section)) is not None:
            theirs = data.get(section) or ours.holding(None)
            data[section] = merge(theirs, ours, f"{path}.{section}", found)
    data["variables"] = _variables(config, target, path, found)
    if (run_as := target.at("run_as")) is not None:
        data["run_as"] = run_as
    bundle = data.get("bundle") or Node({}, config.location)
    for field in ("mode", "cluster_id", "compute_id"):
        if (value := target.at(field)) is not None:
            bundle = bundle.put(field, value)
    if (git := target.at("git")) is not None:
        bundle = bundle.put("git", merge(bundle.at("git") or git.holding(None), git, path, found))
    data["bundle"] = bundle.put("target", Node(name, target.location))
    return config.holding(data)


def _variables(config: Node, target: Node, path: str, found: list[Diagnostic]) -> Node:
    variables = dict(config.entries("variables"))
    for key, ours in target.entries("variables").items():
        theirs = variables.get(key)
        if theirs is None:
            summary = f"variable '{key}' is not defined, but given a value"
            fix = f"{near(key, variables)}; a target can't introduce a variable"
            found.append(error(summary, ours.location, f"{path}.variables.{key}", fix))
            continue
        definition = theirs.entries()
        for field, other in (("default", "lookup"), ("lookup", "default")):
            if (value := ours.at(field)) is not None:
                definition = {k: v for k, v in definition.items() if k != other}
                definition[field] = value._replace(location=ours.location)
        variables[key] = theirs.holding(definition)
    return Node(variables, config.location)
