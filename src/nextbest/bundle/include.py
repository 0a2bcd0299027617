"""databricks.yml and the files it includes, read in Databricks' order and merged."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping
from pathlib import Path

from nextbest.bundle.diagnostics import error, warning
from nextbest.bundle.graph import NOTHING, Diagnostic, Location
from nextbest.bundle.merge import merge
from nextbest.bundle.schema import normalize
from nextbest.bundle.yaml_source import Node, read
from nextbest.errors import BundleError

ROOT_FILES = ("databricks.yml", "databricks.yaml")
_SUFFIXES = (".yml", ".yaml", ".json")
# A target may give a variable in short, or as its definition with some of these keys.
_DEFINITIONS = (
    {"default", "type", "description"}, {"default", "type"}, {"default", "description"},
    {"lookup", "description"}, {"default"}, {"lookup"},
)  # fmt: skip


def find_root(start: Path) -> Path:
    """The nearest folder at or above `start` that holds databricks.yml.

    Raises BundleError when there is none.
    """
    here = start.resolve()
    for folder in (here, *here.parents):
        if any((folder / name).is_file() for name in ROOT_FILES):
            return folder
    raise BundleError(
        f"no databricks.yml in {here} or above it: go to the folder of the bundle, or create one"
    )


def read_all(
    root: Path, found: list[Diagnostic], texts: Mapping[str, str] = NOTHING
) -> Node | None:
    """The whole configuration of a bundle, targets not yet applied.

    `texts`, by the path of a file, count instead of what these files hold. Returns None when a file
    can't be read at all; everything else is reported and read on.
    """
    names = [name for name in ROOT_FILES if (root / name).is_file()]
    if len(names) != 1:
        summary = "databricks.yml and databricks.yaml both exist" if names else "no databricks.yml"
        fix = "remove one" if names else "create it, with a bundle and its name"
        found.append(error(summary, Location(ROOT_FILES[0], 1), fix=fix))
        return None
    top = _read(root, names[0], found, texts)
    if top is None:
        return None
    files = [(names[0], top)]
    unreadable = False
    for name in _included(root, names[0], top, found):
        node = _read(root, name, found, texts)
        if node is None:
            unreadable = True
            continue
        files.append((name, node))
        if node.at("include") is not None:
            at = node.data["include"].location
            fix = f"move it to {names[0]}"
            found.append(warning("only the root file's include is read", at, "include", fix))
    if unreadable:
        return None
    _unique_keys(files, found)
    config = top
    for _, node in files[1:]:
        rest = {key: value for key, value in node.data.items() if key != "include"}
        config = merge(config, node.holding(rest), "", found)
    return config


def _read(root: Path, name: str, found: list[Diagnostic], texts: Mapping[str, str]) -> Node | None:
    node = read(root / name, name, found, texts.get(name))
    if node is None:
        return None
    if node.data is None:
        return node.holding({})
    config = normalize(_long_forms(node), "Root", "", found)
    if config is None:
        return None
    sections = config.data.items() if isinstance(config.data, dict) else [("the file", config)]
    references = [(key, section) for key, section in sections if isinstance(section.data, str)]
    for key, section in references:
        summary = f"{key} can't be a reference as a whole: {section.data}"
        found.append(error(summary, section.location, key, "write it out"))
    return None if references else config


def _included(root: Path, top: str, config: Node, found: list[Diagnostic]) -> list[str]:
    seen = set(ROOT_FILES)
    names = []
    for index, entry in enumerate(config.items("include")):
        path = f"include[{index}]"
        pattern = str(entry.data)
        if os.path.isabs(pattern):
            fix = f"write it relative to {top}"
            found.append(error(f"{pattern} is not a relative path", entry.location, path, fix))
            continue
        matches = glob.glob(pattern, root_dir=root, include_hidden=True)
        if not matches and not any(sign in pattern for sign in "*?["):
            fix = "create the file, or remove the entry"
            summary = f"{pattern} in 'include' does not match any file"
            found.append(error(summary, entry.location, path, fix))
        fresh = sorted({os.path.normpath(match) for match in matches} - seen)
        seen.update(fresh)
        for name in fresh:
            if os.path.splitext(name)[1] in _SUFFIXES:
                names.append(name)
            else:
                fix = "narrow the pattern, for example to resources/*.yml"
                summary = f"{name} in 'include' is neither YAML nor JSON"
                found.append(error(summary, entry.location, path, fix))
    return names


def _long_forms(config: Node) -> Node:
    """Variables of targets in their long form: `catalog: dev` is `catalog: {default: dev}`."""
    targets = {}
    for name, target in config.entries("targets").items():
        variables = {}
        for key, value in target.entries("variables").items():
            full = isinstance(value.data, dict) and set(value.data) in _DEFINITIONS
            short = value.data is not None and not full
            variables[key] = value.holding({"default": value}) if short else value
        if variables:
            target = target.put("variables", target.data["variables"].holding(variables))
        targets[name] = target
    if not targets:
        return config
    return config.put("targets", config.data["targets"].holding(targets))


def _unique_keys(files: list[tuple[str, Node]], found: list[Diagnostic]) -> None:
    """A key names one resource in the whole bundle, whatever its type and file."""
    seen: dict[str, Node] = {}
    for _, config in files:
        defined = [
            (f"resources.{group}.{key}", key, node)
            for group in config.entries("resources")
            for key, node in config.entries("resources", group).items()
        ]
        defined += [(f"scripts.{key}", key, n) for key, n in config.entries("scripts").items()]
        for path, key, node in defined:
            first = seen.setdefault(key, node)
            if first is not node:
                summary = f"'{key}' is defined twice, first at {first.location}"
                fix = "give each resource a key of its own"
                found.append(error(summary, node.location, path, fix))
