"""A YAML file as values that remember where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from nextbest.bundle.diagnostics import error
from nextbest.bundle.graph import Diagnostic, Location

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is optional in PyYAML
MAX_DEPTH = 64
MAX_VALUES = 200_000  # once anchors are expanded

# YAML 1.2, as Databricks reads it: `on`, `yes` and dates stay text, 010 is ten.
_NULL = ("", "~", "null", "Null", "NULL")
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?(?:0b[01]{1,63}|0o[0-7]{1,20}|0x[0-9a-fA-F]{1,15}|[0-9][0-9_]{0,17})")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


class Node(NamedTuple):
    """A value with its place: a mapping of nodes, a list of nodes, or a scalar.

    An entry of a mapping stands where its key stands. `literal` is how a scalar that is no
    string was written. Nodes are never changed, only replaced.
    """

    data: Any
    location: Location
    literal: str = ""
    anchored: bool = False

    def at(self, *steps: str | int) -> Node | None:
        """The node below, or None where a step does not exist (or is null)."""
        node: Node | None = self
        for step in steps:
            data = node.data if node is not None else None
            if isinstance(data, dict):
                node = data.get(step)
            elif isinstance(data, list) and isinstance(step, int) and step < len(data):
                node = data[step]
            else:
                return None
        return node if node is not None and node.data is not None else None

    def entries(self, *steps: str | int) -> dict[str, Node]:
        """Entries of the mapping below; empty when there is none."""
        node = self.at(*steps)
        return node.data if node is not None and isinstance(node.data, dict) else {}

    def items(self, *steps: str | int) -> list[Node]:
        """Elements of the sequence below; empty when there is none."""
        node = self.at(*steps)
        return node.data if node is not None and isinstance(node.data, list) else []

    def text(self, *steps: str | int) -> str:
        """The string below, or ""."""
        node = self.at(*steps)
        return node.data if node is not None and isinstance(node.data, str) else ""

    def kind(self) -> str:
        """Kind of the value, as messages name it."""
        return _KINDS[type(self.data)]

    def plain(self) -> Any:
        """The bare value, without places."""
        if isinstance(self.data, dict):
            return {key: value.plain() for key, value in self.data.items()}
        if isinstance(self.data, list):
            return [value.plain() for value in self.data]
        return self.data

    def holding(self, data: Any) -> Node:
        """The same place with another value (much quicker than `_replace`)."""
        return Node(data, self.location, self.literal, self.anchored)

    def put(self, key: str, value: Node) -> Node:
        """A copy of this mapping with one entry more, or another one."""
        return self.holding({**self.entries(), key: value})


_KINDS = {
    dict: "mapping", list: "sequence", str: "string", bool: "boolean", int: "integer",
    float: "number", type(None): "null",
}  # fmt: skip


class _Refused(Exception):
    def __init__(self, summary: str, mark: Any, fix: str) -> None:
        super().__init__(summary)
        self.mark, self.fix = mark, fix


def read(path: Path, name: str, found: list[Diagnostic], text: str | None = None) -> Node | None:
    """Read one YAML (or JSON) document; `name` is the path that locations show.

    `text` counts instead of what the file holds. Returns None when it can't be read, with the
    reason added to `found`.
    """
    try:
        return _document(path.read_text(encoding="utf-8") if text is None else text, name)
    except OSError as problem:
        found.append(error(f"can't read {name}: {problem.strerror}", Location(name, 1)))
    except UnicodeDecodeError as problem:
        fix = "save the file as UTF-8"
        found.append(error(f"byte {problem.start} is not UTF-8", Location(name, 1), fix=fix))
    except _Refused as problem:
        at = Location(name, problem.mark.line + 1, problem.mark.column + 1)
        found.append(error(str(problem), at, fix=problem.fix))
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        at = Location(name, mark.line + 1, mark.column + 1) if mark else Location(name, 1)
        reason = getattr(problem, "problem", None) or str(problem).splitlines()[0]
        found.append(error(f"not valid YAML: {reason}", at, fix="correct this line or one above"))
    return None


class _Open:
    """A collection whose end was not read yet."""

    def __init__(self, data: Any, location: Location, anchor: str | None) -> None:
        self.data, self.location, self.anchor = data, location, anchor
        self.key: Node | None = None
        self.merges: list[Node] | None = None


def _document(text: str, name: str) -> Node:
    stack: list[_Open] = []
    anchors: dict[str, tuple[Node, int]] = {}  # with the number of values below
    count = 0
    starts: list[int] = []
    result = Node({}, Location(name, 1))
    for event in yaml.parse(text, Loader=LOADER):
        kind = type(event)
        if kind is yaml.DocumentStartEvent and count:
            raise _Refused("a second document in one file", event.start_mark, "split the file")
        mark = event.start_mark
        if kind is yaml.ScalarEvent:
            count += 1
            key = bool(stack) and isinstance(stack[-1].data, dict) and stack[-1].key is None
            node = _scalar(event, Location(name, mark.line + 1, mark.column + 1), key)
            if event.anchor:
                node = node._replace(anchored=True)
                anchors[event.anchor] = (node, 1)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            count += 1
            starts.append(count)
            if len(stack) == MAX_DEPTH:
                raise _Refused(f"nested deeper than {MAX_DEPTH} levels", mark, "make it flatter")
            data: Any = {} if kind is yaml.MappingStartEvent else []
            stack.append(_Open(data, Location(name, mark.line + 1, mark.column + 1), event.anchor))
            continue
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            done = stack.pop()
            if done.merges is not None:
                merged = [pair for below in done.merges for pair in below.data.items()]
                done.data = dict(merged) | done.data
            node = Node(done.data, done.location, "", done.anchor is not None)
            size = count - starts.pop() + 1
            if done.anchor:
                anchors[done.anchor] = (node, size)
        elif kind is yaml.AliasEvent:
            if event.anchor not in anchors:
                fix = "define the anchor before this line, and not around it"
                raise _Refused(f"no anchor '{event.anchor}' is complete here", mark, fix)
            node, size = anchors[event.anchor]
            node = node._replace(location=Location(name, mark.line + 1, mark.column + 1))
            count += size
        else:
            continue
        if count > MAX_VALUES:
            raise _Refused(
                f"anchors expand to over {MAX_VALUES:,} values", mark, "use fewer anchors"
            )
        if stack:
            _attach(stack[-1], node, mark)
        else:
            result = node
    return result


def _attach(parent: _Open, node: Node, mark: Any) -> None:
    if isinstance(parent.data, list):
        parent.data.append(node)
    elif parent.key is None:
        if not isinstance(node.data, str):
            fix = "put the key in quotes"
            raise _Refused(f"a key must be a string, found {node.kind()}", mark, fix)
        if node.data in parent.data:
            first = parent.data[node.data].location
            fix = f"remove one; the first stands at {first}"
            raise _Refused(f"duplicate key '{node.data}'", mark, fix)
        parent.key = node
    else:
        key, parent.key = parent.key, None
        if key.literal == "<<":
            _merge_key(parent, node, mark)
        else:
            parent.data[key.data] = Node(node.data, key.location, node.literal, node.anchored)


def _merge_key(parent: _Open, node: Node, mark: Any) -> None:
    below = node.data if isinstance(node.data, list) else [node]
    if parent.merges is not None or not all(isinstance(item.data, dict) for item in below):
        fix = "write '<<: *anchor', or '<<: [*one, *two]' for several, once per mapping"
        raise _Refused("'<<' must hold mappings and stand once per mapping", mark, fix)
    parent.merges = below


def _scalar(event: Any, at: Location, is_key: bool) -> Node:
    value, tag = event.value, event.tag
    if tag == "tag:yaml.org,2002:str" or tag == "!" or (tag is None and not event.implicit[0]):
        return Node(value, at)
    if tag is not None and not re.fullmatch(r"tag:yaml\.org,2002:(int|float|bool|null)", tag):
        raise _Refused(f"unknown tag '{tag}'", event.start_mark, "remove the tag")
    if is_key and (value == "<<" or value in _NULL):
        return Node(value, at, value)
    if value in _NULL:
        return Node(None, at, value)
    if value in _BOOL:
        return Node(_BOOL[value], at, value)
    first = value[0]
    if first in "0123456789+-.":
        if _INT.fullmatch(value):
            return Node(_integer(value), at, value)
        if _FLOAT.fullmatch(value):
            return Node(float(value), at, value)
        if _SPECIAL.fullmatch(value):
            return Node(float(value.replace(".", "")), at, value)
    return Node(value, at)


def _integer(text: str) -> int:
    digits = text.replace("_", "").lower()
    return int(digits, 0 if digits.lstrip("+-")[:2] in ("0b", "0o", "0x") else 10)


def walk(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Every scalar below with its path, like `tasks[0].task_key`."""
    if isinstance(node.data, dict):
        for key, value in node.data.items():
            yield from walk(value, f"{path}.{key}" if path else key)
    elif isinstance(node.data, list):
        for index, value in enumerate(node.data):
            yield from walk(value, f"{path}[{index}]")
    else:
        yield path, node
