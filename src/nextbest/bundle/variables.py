"""Give every variable its value: flag, environment, override file, target, definition."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nextbest.bundle.diagnostics import error, near
from nextbest.bundle.graph import Diagnostic
from nextbest.bundle.yaml_source import Node, read

PREFIX = "BUNDLE_VAR_"


def overrides_file(target: str) -> str:
    """Where a target's values may stand outside of version control, relative to the bundle."""
    return f".databricks/bundle/{target}/variable-overrides.json"


def assign(
    config: Node,
    flags: Mapping[str, str],
    environment: Mapping[str, str],
    file: Node | None,
    found: list[Diagnostic],
) -> Node:
    """The configuration with `variables.NAME.value` set, by the first source that has one.

    The order is flags, `BUNDLE_VAR_NAME` in the environment, the override file, the default
    (a target's default has already replaced the root's). Values that hold references keep them.
    """
    variables = config.entries("variables")
    for name in flags:
        if name not in variables:
            summary = f"variable '{name}' is not defined"
            found.append(error(summary, None, f"--var {name}", near(name, variables)))
    given = {}
    for name, written in variables.items():
        definition = written.holding(written.entries())
        value = _value(name, definition, flags, environment, file, found)
        given[name] = definition.put("value", value) if value is not None else definition
    return config.put("variables", Node(given, config.location))


def _value(
    name: str,
    definition: Node,
    flags: Mapping[str, str],
    environment: Mapping[str, str],
    file: Node | None,
    found: list[Diagnostic],
) -> Node | None:
    path = f"variables.{name}"
    complex_type = definition.text("type") == "complex"
    for source, text in (
        (f"--var {name}", flags.get(name)),
        (PREFIX + name, environment.get(PREFIX + name)),
    ):
        if text is None:
            continue
        if complex_type:
            summary = f"variable '{name}' is complex and can't come from {source}"
            fix = f"give it in a target, or in {overrides_file('TARGET')}"
            found.append(error(summary, definition.location, path, fix))
            return None
        return Node(text, definition.location)
    if (lookup := definition.at("lookup")) is not None:
        # An id that only the workspace knows: its name stands in, as a job's key does for its id.
        names = [item for item in lookup.entries().values() if item.data]
        return names[0] if names else None
    override = file.at(name) if file is not None else None
    if override is not None:
        if isinstance(override.data, dict | list) != complex_type:
            kind = "" if complex_type else "not "
            summary = f"variable '{name}' is {kind}complex, but its override is a {override.kind()}"
            fix = "change the value, or the variable's type"
            found.append(error(summary, override.location, path, fix))
            return None
        return override
    if (default := definition.at("default")) is not None:
        return default
    fix = f"give it a default, pass --var {name}=..., or set {PREFIX}{name}"
    found.append(error(f"variable '{name}' has no value", definition.location, path, fix))
    return None


def read_overrides(root: Path, target: str, found: list[Diagnostic]) -> Node | None:
    """The override file of a target, or None where there is none."""
    name = overrides_file(target)
    if not (root / name).is_file():
        return None
    node = read(root / name, name, found)
    if node is not None and not isinstance(node.data, dict):
        fix = 'write {"variable": "value"}'
        found.append(error(f"{name} is not a JSON object", node.location, fix=fix))
        return None
    return node
