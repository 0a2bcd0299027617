"""Replace `${...}` by what it names; kinds are kept where a reference is the whole value.

Databricks repeats whole rounds, at most 11, in which every value advances; going depth first with
a memory gives the same values in one pass, and turns what would not end into a named cycle.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from nextbest.bundle.diagnostics import error, respelled
from nextbest.bundle.graph import Diagnostic
from nextbest.bundle.references import Reference, is_reference, references
from nextbest.bundle.schema import as_text
from nextbest.bundle.yaml_source import MAX_DEPTH, MAX_VALUES, Node

MAX_CHAIN = 64  # references to references
MAX_TEXT = 1_000_000  # characters

Path = tuple[str | int, ...]


class Missing(Exception):
    """A reference names nothing; the message says so, `fix` names what is near.

    `step` is the unknown part of its path, `known` what could stand there.
    """

    def __init__(
        self, summary: str, fix: str = "", step: str = "", known: Collection[str] = ()
    ) -> None:
        super().__init__(summary)
        self.fix, self.step, self.known = fix, step, known


class _TooLarge(Exception):
    """References nest too deeply or grow too large."""


# Finds the (not yet resolved) value of a path. None: leave the reference as it is.
Lookup = Callable[[Path], Node | None]


def interpolate(node: Node, lookup: Lookup, path: str, found: list[Diagnostic]) -> Node:
    """`node` with every reference replaced that `lookup` knows.

    Unknown names, cycles and collections inside text are reported where the reference stands;
    such references stay in the text.
    """
    return Interpolation(lookup, found).node(node, path)


class Interpolation:
    """Several trees interpolated with one memory of what each reference came to."""

    def __init__(self, lookup: Lookup, found: list[Diagnostic]) -> None:
        self.lookup, self.found = lookup, found
        self.memory: dict[Path, tuple[Node | None, int]] = {}  # with the number of values
        self.chain: list[str] = []  # the names being resolved right now
        self.count = self.depth = 0
        self.full = False  # too large: reported once, the rest is left as it is

    def node(self, node: Node, path: str) -> Node:
        """The node with its references replaced; `path` is what findings show."""
        data = node.data
        if isinstance(data, str):
            return self._text(node, path) if "${" in data else node
        if not isinstance(data, dict | list) or not data:
            return node
        if self.depth == 2 * MAX_DEPTH:
            raise _TooLarge(f"values nest deeper than {2 * MAX_DEPTH} levels")
        self.depth += 1
        self.count += len(data)
        replaced: dict[str, Node] | list[Node]
        if isinstance(data, dict):
            replaced = {
                key: value if _is_plain(value) else self.node(value, f"{path}.{key}")
                for key, value in data.items()
            }
        else:
            replaced = [
                value if _is_plain(value) else self.node(value, f"{path}[{index}]")
                for index, value in enumerate(data)
            ]
        self.depth -= 1
        return node.holding(replaced)

    def _text(self, node: Node, path: str) -> Node:
        text = node.data
        for reference in references(node.data):
            value = self._value(reference, node, path)
            if value is None:
                continue
            if is_reference(node.data):
                return Node(value.data, node.location)
            if isinstance(value.data, dict | list):
                summary = f"{reference.text} is a {value.kind()}, which can't stand inside text"
                fix = "make the reference the whole value"
                self.found.append(error(summary, node.location, path, fix))
                continue
            text = text.replace(reference.text, as_text(value.data), 1)
        return node.holding(text)

    def _value(self, reference: Reference, node: Node, path: str) -> Node | None:
        """The resolved value; None when it is unknown, known to be wrong, or left for later."""
        if reference.name in self.chain:
            start = self.chain.index(reference.name)
            names = " -> ".join(f"${{{name}}}" for name in [*self.chain[start:], reference.name])
            fix = "give one of them a value that does not refer back"
            self.found.append(error(f"references form a cycle: {names}", node.location, path, fix))
            return None
        if self.full:
            return None
        depth = self.depth
        try:
            if reference.path not in self.memory:
                self.memory[reference.path] = self._resolve(reference)
            value, size = self.memory[reference.path]
            self.count += size
            if self.count > MAX_VALUES:
                raise _TooLarge(f"more than {MAX_VALUES:,} values once references are replaced")
            return value
        except Missing as problem:
            form = reference.with_step(problem.step, "*")
            edit = form and respelled("value", node.location, problem.step, problem.known, form)
            self.found.append(error(str(problem), node.location, path, problem.fix, edit))
        except _TooLarge as problem:
            if self.chain:
                raise
            self.depth, self.full = depth, True
            summary = f"{reference.text}: {problem}"
            self.found.append(error(summary, node.location, path, "refer to plain values"))
        return None

    def _resolve(self, reference: Reference) -> tuple[Node | None, int]:
        raw = self.lookup(reference.path)
        if raw is None:
            return None, 0
        if len(self.chain) == MAX_CHAIN:
            raise _TooLarge(f"more than {MAX_CHAIN} references refer to each other")
        before = self.count
        self.chain.append(reference.name)
        try:
            name = reference.name
            resolved = self.node(raw, f"variables{name[3:]}" if name[:4] == "var." else name)
        finally:
            self.chain.pop()
        if isinstance(resolved.data, str) and len(resolved.data) > MAX_TEXT:
            raise _TooLarge(f"the text grows beyond {MAX_TEXT:,} characters")
        size, self.count = self.count - before, before
        return resolved, size


def _is_plain(node: Node) -> bool:
    """Whether a value is a scalar without references: most of them are."""
    data = node.data
    return "${" not in data if isinstance(data, str) else not isinstance(data, dict | list)
