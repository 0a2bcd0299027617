"""An edit as text: only what it names changes; all other characters of the file stay."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import yaml

from nextbest.bundle.edit_tasks import in_order
from nextbest.bundle.graph import Edit
from nextbest.bundle.spans import Unclear, end_of, line_at, newline_of
from nextbest.bundle.yaml_source import LOADER

_MARK = "\ufeff"  # some editors begin a file with it; YAML's positions don't count it


class Place(NamedTuple):
    """Where an edit looks: an entry (its key and value) or an element, and what it is part of."""

    key: yaml.Node | None
    value: yaml.Node
    parent: yaml.Node


def applied(text: str, edit: Edit) -> str:
    """The text of a YAML file after an edit.

    Raises Unclear, which says why, where the place is not as the edit supposes: what stands there
    came from an anchor or a variable, a name is there already, or it is written in an unusual way.
    """
    if text.startswith(_MARK):
        return _MARK + applied(text[1:], edit)
    place = _place(yaml.compose(text, Loader=LOADER), edit)
    if edit.kind == "key":
        return _key(text, place, edit)
    if edit.kind == "value":
        return _value(text, place, edit)
    if edit.kind == "entry":
        return _entry(text, place, edit)
    if edit.kind == "order":
        return in_order(text, place.value, edit.after)
    return _element(text, place, edit)


def _place(root: yaml.Node, edit: Edit) -> Place:
    at = (edit.location.line - 1, edit.location.column - 1)
    wants_key = edit.kind in ("key", "value", "entry", "order")
    for place in _places(root, set()):
        node = place.key if place.key is not None else place.value
        mark = node.start_mark
        if (mark.line, mark.column) != at or (place.key is None and edit.kind == "key"):
            continue
        if place.key is None and wants_key and isinstance(node, yaml.MappingNode):
            continue  # an element that begins with the key which is looked for
        if place.key is not None and not wants_key:
            continue
        if place.key is not None and place.value.start_mark.index < place.key.end_mark.index:
            raise Unclear("its value is written elsewhere, at an anchor")
        return place
    raise Unclear("it is written in another place")


def _places(node: yaml.Node, seen: set[int]) -> Iterator[Place]:
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield Place(key, value, node)
            yield from _places(value, seen)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield Place(None, value, node)
            yield from _places(value, seen)


def _key(text: str, place: Place, edit: Edit) -> str:
    if any(key.value == edit.new for key, _ in place.parent.value):
        raise Unclear(f"'{edit.new}' is there already")
    return _respelled(text, place.key or place.value, edit)


def _value(text: str, place: Place, edit: Edit) -> str:
    if not isinstance(place.value, yaml.ScalarNode):
        raise Unclear("it is written in another place")
    return _respelled(text, place.value, edit)


def _respelled(text: str, node: yaml.Node, edit: Edit) -> str:
    start, end = node.start_mark.index, node.end_mark.index
    word = re.compile(rf"(?<![\w-]){re.escape(edit.old)}(?![\w-])")
    changed, count = word.subn(lambda _: edit.new, text[start:end])
    if not count:
        raise Unclear("it is written in another place")
    return text[:start] + changed + text[end:]


def _entry(text: str, place: Place, edit: Edit) -> str:
    node, nl = place.value, newline_of(text)
    if isinstance(node, yaml.ScalarNode) and node.start_mark.index == node.end_mark.index:
        key = place.key or node  # `dev:` and nothing below it
        indent = " " * (key.start_mark.column + 2)
        _, at = line_at(text, key.end_mark.index)
        return text[:at] + nl + _indented(_block(edit), indent, nl) + text[at:]
    if not isinstance(node, yaml.MappingNode):
        raise Unclear("it is not written out as a mapping")
    if any(key.value == edit.old for key, _ in node.value):
        raise Unclear(f"'{edit.old}' is there already")
    if node.flow_style:
        if "\n" in edit.new:
            raise Unclear("it is written in one line, in braces")
        added = f"{edit.old}: {edit.new}"
        if not node.value:
            inner = node.end_mark.index - 1
            return text[:inner] + added + text[inner:]
        at = end_of(text, node.value[-1][1], node.value[-1][0])
        return f"{text[:at]}, {added}{text[at:]}"
    above = [pair for pair in node.value if pair[0].value in edit.after] or [node.value[-1]]
    indent = " " * node.value[0][0].start_mark.column
    _, at = line_at(text, end_of(text, above[-1][1], above[-1][0]))
    return text[:at] + nl + _indented(_block(edit), indent, nl) + text[at:]


def _block(edit: Edit) -> str:
    return f"{edit.old}:\n{edit.new}" if "\n" in edit.new else f"{edit.old}: {edit.new}"


def _indented(block: str, indent: str, nl: str) -> str:
    return nl.join(indent + line for line in block.rstrip("\n").split("\n"))


def _element(text: str, place: Place, edit: Edit) -> str:
    """A new parameter beside the one that is there, written as that one is."""
    node, nl = place.value, newline_of(text)
    fields = {key.value: value for key, value in getattr(node, "value", ()) if key is not None}
    if set(fields) != {"name", "default"}:
        raise Unclear("its neighbour has other fields than name and default")
    written = _like(text, node, {"name": edit.old, "default": edit.new})
    start = node.start_mark.index
    if place.parent.flow_style:
        at = start if edit.kind == "above" else end_of(text, node, None)
        added = f"{written}, " if edit.kind == "above" else f", {written}"
        return text[:at] + added + text[at:]
    first, _ = line_at(text, start)
    dash = text[first:start]
    if not re.fullmatch(r"\s*-\s+", dash):
        raise Unclear("its neighbour does not begin a line")
    if edit.kind == "above":
        return text[:first] + dash + written + nl + text[first:]
    _, at = line_at(text, end_of(text, node, None))
    return text[:at] + nl + dash + written + text[at:]


def _like(text: str, node: yaml.Node, values: Mapping[str, str]) -> str:
    """A mapping with these values, its fields in the order and the quotes of the one at `node`."""
    start = node.start_mark.index
    written = text[start : node.end_mark.index]
    if node.flow_style and "\n" in written:
        raise Unclear("its neighbour is not written in one line")
    lines = []
    for key, value in reversed(node.value):
        if not isinstance(value, yaml.ScalarNode) or value.style in ("|", ">"):
            raise Unclear("its neighbour's values are not written in one line")
        bare = not node.flow_style and "{{" not in values[key.value]
        quote = value.style or ("" if bare or key.value == "name" else '"')
        new = quote + values[key.value] + quote
        lines.insert(0, f"{key.value}: {new}")
        one, other = value.start_mark.index - start, value.end_mark.index - start
        written = written[:one] + new + written[other:]
    indent = newline_of(text) + " " * node.start_mark.column
    return written if node.flow_style else indent.join(lines)
