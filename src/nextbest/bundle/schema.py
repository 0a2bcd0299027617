"""Bring a configuration into the shape Databricks gives it: known fields, right kinds.

Like Databricks' own normalisation it drops what it reports, turns scalars into the kind of their
field ("60" into 60, true into "true"), and lets a value that is one `${reference}` pass.
"""

from __future__ import annotations

import re

from nextbest.bundle import deprecated
from nextbest.bundle.diagnostics import error, near, respelled, warning
from nextbest.bundle.fields import fields_of, is_type, values_of
from nextbest.bundle.graph import Diagnostic
from nextbest.bundle.references import is_reference, is_unresolved
from nextbest.bundle.yaml_source import Node

_SCALARS = ("str", "int", "bool", "float", "any")
_FORMS = {
    "string": "text", "integer": "a whole number", "number": "a number",
    "boolean": "true or false", "sequence": "a list", "mapping": "lines of `key: value`",
}  # fmt: skip
_TRUE = ("true", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON")
_FALSE = ("false", "n", "N", "no", "No", "NO", "off", "Off", "OFF")


def normalize(node: Node, kind: str, path: str, found: list[Diagnostic]) -> Node | None:
    """The value as `kind` (see fields.py), or None when it is dropped; findings go to `found`."""
    data = node.data
    if kind == "any" or data is None:
        return node
    if kind[0] == "[":
        return _sequence(node, kind[1:-1], path, found)
    if kind[0] == "{":
        return _mapping(node, kind[1:-1], path, found)
    if is_type(kind):
        return _fields(node, kind, path, found)
    if isinstance(data, str) and is_reference(data):
        return node
    if kind == "int":
        return _integer(node, path, found)
    if kind == "bool":
        return _boolean(node, path, found)
    if kind == "float":
        return _number(node, path, found)
    if isinstance(data, dict | list):
        return _wrong("string", node, path, found)
    return node if isinstance(data, str) else node.holding(as_text(data))


def as_text(value: str | int | float | bool | None) -> str:
    """A scalar as Databricks writes it into a string: true, 5, 0.1."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "<nil>"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)
    return str(value)


def _wrong(expected: str, node: Node, path: str, found: list[Diagnostic]) -> None:
    fix = f"write {_FORMS[expected]}"
    found.append(error(f"expected {expected}, found {node.kind()}", node.location, path, fix))


def _sequence(node: Node, kind: str, path: str, found: list[Diagnostic]) -> Node | None:
    if isinstance(node.data, list):
        kept = []
        for index, item in enumerate(node.data):
            value = normalize(item, kind, f"{path}[{index}]", found)
            if value is not None and value.data is not None:
                kept.append(value)
        return node.holding(kept)
    if isinstance(node.data, str) and is_reference(node.data):
        return node
    return _wrong("sequence", node, path, found)


def _mapping(node: Node, kind: str, path: str, found: list[Diagnostic]) -> Node | None:
    if isinstance(node.data, dict):
        kept = {}
        for key, item in node.data.items():
            value = normalize(item, kind, f"{path}.{key}", found)
            if value is not None:
                kept[key] = value
        return node.holding(kept)
    if isinstance(node.data, str) and is_reference(node.data):
        return node
    return _wrong("mapping", node, path, found)


def _fields(node: Node, name: str, path: str, found: list[Diagnostic]) -> Node | None:
    if isinstance(node.data, dict):
        known = fields_of(name)
        kept = {}
        for key, item in node.data.items():
            field = known.get(key)
            if (instead := deprecated.FIELDS.get(f"{name}.{key}")) is not None:
                found.append(warning(f"deprecated field: {key}", item.location, path, instead))
            if field is not None and field.kind == "str" and type(item.data) is str:
                kept[key] = item  # most of all fields
            elif field is not None:
                below = f"{path}.{key}" if path else key
                value = normalize(item, field.kind, below, found)
                if value is not None and value.data is not None:
                    kept[key] = value
            elif not _only_anchors(item):
                summary, edit = f"unknown field: {key}", respelled("key", item.location, key, known)
                if edit is not None and not _fits(item, known[edit.new].kind):
                    edit = None
                found.append(warning(summary, item.location, path, near(key, known), edit))
        return node.holding(kept)
    if isinstance(node.data, str) and is_reference(node.data):
        return node
    return _wrong("mapping", node, path, found)


def _fits(node: Node, kind: str) -> bool:
    """Whether a value is of the kind of a field; what is below it may be wrong."""
    problems: list[Diagnostic] = []
    normalize(node, kind, "", problems)
    return not any(item.location == node.location for item in problems)


def _only_anchors(node: Node) -> bool:
    """Whether a value only defines reusable blocks: such a field may have any name."""
    if node.anchored:
        return True
    below = node.data.values() if isinstance(node.data, dict) else node.data
    return isinstance(node.data, dict | list) and bool(below) and all(map(_only_anchors, below))


def _integer(node: Node, path: str, found: list[Diagnostic]) -> Node | None:
    data = node.data
    if isinstance(data, int) and not isinstance(data, bool):
        return node
    if isinstance(data, float) and data.is_integer():
        return node.holding(int(data))
    if isinstance(data, str) and re.fullmatch(r"[-+]?[0-9]{1,18}", data):
        return node.holding(int(data))
    return _wrong("integer", node, path, found)


def _number(node: Node, path: str, found: list[Diagnostic]) -> Node | None:
    if isinstance(node.data, int | float) and not isinstance(node.data, bool):
        return node.holding(float(node.data))
    if isinstance(node.data, str):
        try:
            return node.holding(float(node.data))
        except ValueError:
            return _wrong("number", node, path, found)
    return _wrong("number", node, path, found)


def _boolean(node: Node, path: str, found: list[Diagnostic]) -> Node | None:
    if isinstance(node.data, bool):
        return node
    if node.data in _TRUE or node.data in _FALSE:
        return node.holding(node.data in _TRUE)
    return _wrong("boolean", node, path, found)


def complete(node: Node, kind: str, path: str, found: list[Diagnostic]) -> Node:
    """Drop nulls and empty optional strings; report missing required fields and bad enums."""
    if isinstance(node.data, list) and kind[0] == "[":
        below = [
            complete(item, kind[1:-1], f"{path}[{index}]", found)
            for index, item in enumerate(node.data)
        ]
        return node.holding(below)
    if not isinstance(node.data, dict) or kind == "any":
        return node
    if kind[0] == "{":
        return node._replace(
            data={
                key: complete(item, kind[1:-1], f"{path}.{key}", found)
                for key, item in node.data.items()
            }
        )
    kept = {}
    fields = fields_of(kind)
    for key, item in node.data.items():
        if item.data is None or (item.data == "" and not fields[key].required):
            continue
        kind = fields[key].kind
        below = f"{path}.{key}" if path else key
        if kind not in _SCALARS and (allowed := values_of(kind.strip("[]"))):
            _allowed(item, kind.strip("[]"), allowed, below, found)
        kept[key] = complete(item, kind, below, found) if kind not in _SCALARS else item
    for key, field in fields.items():
        if not field.required or key in kept:
            continue
        below = f"{path}.{key}"
        if not any(item.path == below for item in found):  # else it was refused, not missing
            fix = f"add '{key}:' to {path}"
            found.append(error(f"required field '{key}' is not set", node.location, path, fix))
    return node.holding(kept)


def _allowed(
    node: Node, kind: str, allowed: tuple[str, ...], path: str, found: list[Diagnostic]
) -> None:
    for item in node.data if isinstance(node.data, list) else [node]:
        if (instead := deprecated.VALUES.get(f"{kind}.{item.data}")) is not None:
            found.append(warning(f"deprecated value: {item.data}", item.location, path, instead))
        if item.data not in allowed and not is_unresolved(item.data):
            fix = near(str(item.data), allowed)
            edit = respelled("value", item.location, str(item.data), allowed)
            summary = f"'{item.data}' is not allowed here"
            found.append(error(summary, item.location, path, fix, edit))
