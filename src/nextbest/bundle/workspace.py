"""What a bundle may refer to without writing it: the user, workspace paths, git details."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from pathlib import Path

from nextbest.bundle.yaml_source import Node

_PATHS = ("root_path", "file_path", "resource_path", "artifact_path", "state_path")


def short_name(user: str) -> str:
    """The user's name as Databricks shortens it: `Ana.Diaz@acme.com` is `ana_diaz`."""
    return normalize_name(user.partition("@")[0])


def normalize_name(name: str) -> str:
    """Lower case, every run of other signs than letters and digits one underscore."""
    kept = "".join(
        sign if sign.isalpha() or unicodedata.category(sign) == "Nd" else "_"
        for sign in name.lower()
    )
    return re.sub("_+", "_", kept).strip("_")


def describe(config: Node, user: str) -> Node:
    """The configuration with `workspace.current_user` and the workspace's paths filled in."""
    workspace = config.at("workspace") or Node({}, config.location)
    at = workspace.location
    name = config.text("bundle", "name")
    root = workspace.text("root_path") or f"~/.bundle/{name}/{config.text('bundle', 'target')}"
    if root.startswith("~/"):
        root = posixpath.join(f"/Workspace/Users/{user}", root[2:])
    defaults = {"root_path": root} | {
        path: posixpath.join(
            root, path.removesuffix("_path") + ("s" if path != "state_path" else "")
        )
        for path in _PATHS[1:]
    }
    for path, default in defaults.items():
        value = default if path == "root_path" else workspace.text(path) or default
        if value.startswith("/") and not value.startswith(("/Workspace/", "/Volumes/")):
            value = "/Workspace" + value
        written = workspace.at(path)
        workspace = workspace.put(path, Node(value, written.location if written else at))
    about = {
        "userName": user,
        "short_name": short_name(user),
        "domain_friendly_name": short_name(user).replace("_", "-"),
    }
    return config.put(
        "workspace",
        workspace.put("current_user", Node({k: Node(v, at) for k, v in about.items()}, at)),
    )


def git_details(root: Path) -> dict[str, str]:
    """Branch, commit and origin of the repository around a bundle; empty outside of one."""
    folder = next((f for f in (root, *root.parents) if (f / ".git").exists()), None)
    if folder is None:
        return {}
    git = folder / ".git"
    if git.is_file():  # a worktree or a submodule
        git = folder / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
    common = git
    if (git / "commondir").is_file():
        common = git / (git / "commondir").read_text(encoding="utf-8").strip()
    details = {}
    head = _first_line(git / "HEAD")
    if head.startswith("ref: refs/heads/"):
        details["branch"] = details["actual_branch"] = head.removeprefix("ref: refs/heads/")
        ref = head.removeprefix("ref: ")
        packed = _lines(common / "packed-refs")
        named = (line.split()[0] for line in packed if line.endswith(f" {ref}"))
        head = _first_line(common / ref) or next(named, "")
    details["commit"] = head
    section = ""
    for line in _lines(common / "config"):
        section = line.strip() if line.startswith("[") else section
        key, _, value = line.partition("=")
        if section == '[remote "origin"]' and key.strip() == "url":
            details["origin_url"] = value.strip()
    return {key: value for key, value in details.items() if value}


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _first_line(path: Path) -> str:
    return "".join(_lines(path)[:1]).strip()
