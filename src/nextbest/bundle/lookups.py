"""What a `${...}` names: first the bundle, its workspace and variables; then other resources."""

from __future__ import annotations

from nextbest.bundle.diagnostics import near, respelled, warning
from nextbest.bundle.fields import field_at, fields_of
from nextbest.bundle.graph import Diagnostic
from nextbest.bundle.interpolate import Lookup, Missing, Path
from nextbest.bundle.references import is_reference, references
from nextbest.bundle.yaml_source import Node, walk

_EARLY = ("bundle", "workspace", "variables")
_KNOWN = ("var", "bundle", "workspace", "variables", "resources", "artifacts")

# What Databricks makes up when it creates a resource, as far as it is known before.
_MADE = {
    ("jobs", "id"): "{key}",
    ("experiments", "id"): "${{resources.{type}.{key}.name}}",
    ("model_serving_endpoints", "id"): "${{resources.{type}.{key}.name}}",
    ("quality_monitors", "id"): "${{resources.{type}.{key}.table_name}}",
    ("schemas", "id"): "${{resources.{type}.{key}.catalog_name}}.${{resources.{type}.{key}.name}}",
    ("registered_models", "id"): (
        "${{resources.{type}.{key}.catalog_name}}"
        ".${{resources.{type}.{key}.schema_name}}.${{resources.{type}.{key}.name}}"
    ),
    ("volumes", "volume_path"): (
        "/Volumes/${{resources.{type}.{key}.catalog_name}}"
        "/${{resources.{type}.{key}.schema_name}}/${{resources.{type}.{key}.name}}"
    ),
}
_MADE["volumes", "id"] = _MADE["registered_models", "id"]
_MADE["registered_models", "full_name"] = _MADE["registered_models", "id"]


def early(root: Node) -> Lookup:
    """Lookup of `${var...}`, `${bundle...}` and `${workspace...}`; the rest is left for later."""

    def lookup(path: Path) -> Node | None:
        steps = path
        if path[0] == "var" and len(path) > 1:
            variable = root.at("variables", path[1])
            if variable is not None and variable.at("value") is None:
                return None  # required, but not given: reported where it is defined
            steps = ("variables", path[1], "value", *path[2:])
        return _go(root, steps, path) if steps[0] in _EARLY else None

    return lookup


def late(resources: Node) -> Lookup:
    """Lookup of `${resources.TYPE.KEY.FIELD}`, with what is known before a deployment."""

    def lookup(path: Path) -> Node | None:
        if path[0] != "resources" or len(path) < 4:
            return None
        group, key, name = path[1:4]
        resource = _go(resources, path[1:3], path)
        made = _MADE.get((str(group), str(name)))
        if made is not None and len(path) == 4:
            return Node(made.format(type=group, key=key), resource.location)
        if resource.at(name) is None and (name in ("id", "url") or field_at(path) is not None):
            return None  # only Databricks knows it
        return _go(resources, path[1:], path)

    return lookup


def _go(root: Node, steps: Path, written: Path) -> Node:
    """The value that `steps` lead to; `written` is how the reference names it."""
    node = root
    for count, step in enumerate(steps):
        below = node.at(step)
        if below is not None:
            node = below
            continue
        if isinstance(node.data, str) and is_reference(node.data):
            summary = f"{_shown(written)} looks into {node.data}, which has no value yet"
            raise Missing(summary, "refer to the inner variable directly")
        last = count == len(steps) - 1
        if last and steps[0] in ("bundle", "workspace") and field_at(steps) is not None:
            return Node("", node.location)  # a field that exists, but was not set
        known = set(node.entries())
        if count == 1 and steps[0] in ("bundle", "workspace"):
            known |= set(fields_of("BundleSection" if steps[0] == "bundle" else "Workspace"))
        summary = f"reference does not exist: {_shown(written)}"
        raise Missing(summary, near(str(step), known), str(step), known)
    return node


def _shown(path: Path) -> str:
    names = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return f"${{{''.join(names)[1:]}}}"


def unknown_references(root: Node, found: list[Diagnostic]) -> None:
    """Warn of `${...}` that Databricks leaves as they are: a typing error, most likely."""
    for path, node in walk(root):
        if not isinstance(node.data, str) or "${" not in node.data:
            continue
        known = references(node.data)
        for reference in known:
            if reference.path[0] not in _KNOWN:
                summary = f"{reference.text} is left as it is: no '{reference.path[0]}' to refer to"
                fix = near(str(reference.path[0]), _KNOWN)
                form = reference.with_step(str(reference.path[0]), "*")
                edit = form and respelled(
                    "value", node.location, str(reference.path[0]), _KNOWN, form
                )
                found.append(warning(summary, node.location, path, fix, edit or None))
        rest = node.data
        for reference in known:
            rest = rest.replace(reference.text, "")
        for name in _KNOWN:
            if f"${{{name}." in rest:
                summary = f"'{rest.strip()}' is left as it is: not the form of a reference"
                fix = "segments begin with a letter and end with a letter or digit"
                found.append(warning(summary, node.location, path, fix))
                break
