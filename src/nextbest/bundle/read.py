"""From the files of a bundle to what one target sees, in Databricks' order."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nextbest.bundle import checks, lookups, presets, workspace
from nextbest.bundle.checks_targets import check_namespaces
from nextbest.bundle.diagnostics import error, ordered
from nextbest.bundle.graph import NOTHING, Bundle, Diagnostic
from nextbest.bundle.include import read_all
from nextbest.bundle.interpolate import Interpolation
from nextbest.bundle.jobs import job_of
from nextbest.bundle.merge import merge_by_key
from nextbest.bundle.report import as_text
from nextbest.bundle.schema import complete, normalize
from nextbest.bundle.target import override, select
from nextbest.bundle.variables import assign, read_overrides
from nextbest.bundle.yaml_source import Node
from nextbest.errors import BundleError


def load(
    root: Path,
    target: str | None = None,
    variables: Mapping[str, str] | None = None,
    user: str | None = None,
) -> Bundle:
    """The bundle in the folder `root` as `target` sees it (default: the default target).

    `variables` are what `--var` gives; `user` is the workspace user's name (default: the user
    of this machine). Raises BundleError that lists every error with file, line and fix.
    """
    bundle, found = diagnose(root, target, variables, user)
    if bundle is None:
        errors = [item for item in found if item.severity == "error"]
        raise BundleError(as_text(errors))
    return bundle


def configuration(root: Path, target: str, user: str) -> Mapping[str, Any]:
    """The configuration that `target` sees, as plain values; the files that jobs name aren't read.

    For a bundle that was deployed: in a workspace, notebooks have no suffix. Raises BundleError as
    `load` does.
    """
    found: list[Diagnostic] = []
    config = read_all(root, found)
    name = select(config, target, found) if config is not None else None
    resolved = None
    if config is not None and name is not None:
        resolved = _configuration(root, config, name, {}, user, found)
    if resolved is None or any(item.severity == "error" for item in found):
        raise BundleError(as_text([item for item in found if item.severity == "error"]))
    return resolved.plain()


def diagnose(
    root: Path,
    target: str | None = None,
    variables: Mapping[str, str] | None = None,
    user: str | None = None,
    texts: Mapping[str, str] = NOTHING,
) -> tuple[Bundle | None, tuple[Diagnostic, ...]]:
    """All findings about a bundle at once, and the bundle itself unless there is an error.

    `texts`, by the path of a file, count instead of what these files hold.
    """
    found: list[Diagnostic] = []
    root = root.resolve()
    config = read_all(root, found, texts)
    name = select(config, target, found) if config is not None else None
    if config is None or name is None:
        return None, ordered(found)
    user = user or _user(found)
    bundle = _build(root, config, name, variables or {}, user, found)
    findings = ordered(found)
    if any(item.severity == "error" for item in findings):
        return None, findings
    return bundle, findings


def _user(found: list[Diagnostic]) -> str:
    import getpass  # only without a given user: keeps the start quick

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        fix = "set the environment variable USER"
        found.append(
            error("can't tell who runs this: the system has no name for the user", None, "", fix)
        )
        return "unknown"


def _build(
    root: Path,
    config: Node,
    target: str,
    flags: Mapping[str, str],
    user: str,
    found: list[Diagnostic],
) -> Bundle:
    resolved = _configuration(root, config, target, flags, user, found)
    jobs = {
        key: job_of(key, job, root, found)
        for key, job in resolved.entries("resources", "jobs").items()
        if job.data is not None
    }
    checks.check_jobs(resolved, jobs, root, found)
    plain = resolved.plain()
    return Bundle(
        root=root,
        name=resolved.text("bundle", "name"),
        target=target,
        mode=resolved.text("bundle", "mode"),
        variables={key: value.get("value") for key, value in plain["variables"].items()},
        jobs=jobs,
        resources=plain.get("resources") or {},
        config=plain,
        warnings=tuple(item for item in ordered(found) if item.severity == "warning"),
    )


def _configuration(
    root: Path,
    config: Node,
    target: str,
    flags: Mapping[str, str],
    user: str,
    found: list[Diagnostic],
) -> Node:
    checks.before_merge(config, found)
    merged = override(config, target, found)
    file = read_overrides(root, target, found)
    merged = workspace.describe(assign(merged, flags, os.environ, file, found), user)
    own = config.entries("targets").get(target)
    resolved = _resolved(_with_git(merged, root), own, found)
    presets.check_mode(resolved, own or Node({}, config.location), found)
    check_namespaces(config, resolved, target, user, found)
    return resolved


def _with_git(config: Node, root: Path) -> Node:
    bundle = config.at("bundle") or Node({}, config.location)
    written = bundle.entries("git")
    details = {
        key: Node(value, bundle.location) for key, value in workspace.git_details(root).items()
    }
    return config.put("bundle", bundle.put("git", Node(details | written, bundle.location)))


def _resolved(merged: Node, own: Node | None, found: list[Diagnostic]) -> Node:
    """The configuration after interpolation, presets and defaults, ready to deploy."""
    first = Interpolation(lookups.early(merged), found)
    others = {key: node for key, node in merged.data.items() if key != "resources"}
    config = merged.holding({key: first.node(node, key) for key, node in others.items()})
    if "resources" in merged.data:  # only now: they may look into what a variable came to
        second = Interpolation(lookups.early(config), found)
        config = config.put("resources", second.node(merged.data["resources"], "resources"))
    config = normalize(config, "Root", "", found) or config
    checks.after_interpolation(config, merged, own, found)
    config = presets.apply(presets.with_mode(_merged_by_key(config, found)))
    resources = config.at("resources") or Node({}, config.location)
    late = Interpolation(lookups.late(resources), found)
    config = config.put("resources", late.node(resources, "resources"))
    lookups.unknown_references(config, found)
    return complete(config, "Root", "", found)


def _merged_by_key(config: Node, found: list[Diagnostic]) -> Node:
    jobs = dict(config.entries("resources", "jobs"))
    for name, job in jobs.items():
        for field, key in checks.KEYS.items():
            if (sequence := job.at(field)) is not None and isinstance(sequence.data, list):
                path = f"resources.jobs.{name}.{field}"
                jobs[name] = job = job.put(field, merge_by_key(sequence, key, path, found))
    if not jobs:
        return config
    resources = config.data["resources"]
    return config.put("resources", resources.put("jobs", resources.data["jobs"].holding(jobs)))
