"""Values of a YAML document with their lines, so that every problem says where it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import yaml


class Reader:
    """Values of a YAML document by their path, and what is wrong with them."""

    def __init__(self, file: str) -> None:
        self.file, self.problems = file, []
        self.lines: dict[str, int] = {}
        self.open: list[yaml.Node] = []  # those around the one that is read

    def refuse(self, place: str, problem: str) -> None:
        """Note a problem at the line of that place, or of what it stands in."""
        at = place
        while at not in self.lines and "." in at:
            at = at.rpartition(".")[0]
        self.problems.append(f"{self.file}:{self.lines.get(at, 1)}: {place or 'it'}: {problem}")

    def value(self, node: yaml.Node, place: str) -> Any:
        """Mappings, lists and text: every scalar is text, so that No and 1 are no other thing."""
        self.lines.setdefault(place, node.start_mark.line + 1)
        if not isinstance(node, yaml.CollectionNode):
            return node.value
        if any(node is each for each in self.open):
            self.refuse(place, "is part of itself")
            return ""
        self.open.append(node)
        found = self._collection(node, place)
        self.open.pop()
        return found

    def _collection(self, node: yaml.CollectionNode, place: str) -> Any:
        if isinstance(node, yaml.SequenceNode):
            return [self.value(each, place) for each in node.value]
        found: dict[str, Any] = {}
        for key, each in node.value:
            name = str(key.value)
            below = f"{place}.{name}" if place else name
            self.lines[below] = key.start_mark.line + 1
            if name in found:
                self.refuse(below, "is there twice")
            found[name] = self.value(each, below)
        return found

    def section(self, given: Any, place: str, known: tuple[str, ...] | None) -> dict[str, Any]:
        """A mapping whose names are known (None: any), else a problem for each."""
        if not isinstance(given, Mapping):
            if given not in (None, ""):
                self.refuse(
                    place, f"is '{given}', not a mapping of {', '.join(known or ('names',))}"
                )
            return {}
        for name in given:
            if known is not None and name not in known:
                self.refuse(f"{place}.{name}", f"is unknown; known are {', '.join(known)}")
        return dict(given)

    def number(self, given: Any, place: str, otherwise: float) -> float:
        """A finite number."""
        if given is None:
            return otherwise
        try:
            value = float(given)
        except (TypeError, ValueError):
            value = math.nan
        if not math.isfinite(value):
            self.refuse(place, f"is '{given}', not a number")
            return otherwise
        return value

    def whole(self, given: Any, place: str, otherwise: int, least: int, most: int) -> int:
        """A whole number within bounds."""
        value = self.number(given, place, otherwise)
        if not least <= value <= most or value != int(value):
            self.refuse(place, f"is '{given}', not a whole number from {least} to {most:,}")
            return otherwise
        return int(value)

    def texts(self, given: Mapping[str, Any], place: str) -> dict[str, str]:
        """A mapping to one text each."""
        for name, each in given.items():
            if not isinstance(each, str):
                self.refuse(f"{place}.{name}", f"is '{each}', not one text")
        return {name: each if isinstance(each, str) else "" for name, each in given.items()}

    def names(self, given: Any, place: str) -> tuple[str, ...]:
        """A list of text."""
        if isinstance(given, str):
            return (given,)
        if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
            self.refuse(place, "is no list of names")
            return ()
        return tuple(given)
