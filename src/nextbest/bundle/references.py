"""The syntax of `${...}`, exactly as Databricks matches it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

# \p{L}+([-_]*[\p{L}\p{N}]+)* without its nested repetition: the same words, in linear time.
# [^\W\d_] also holds numerals that are no letter (like the Roman ones): Reference drops these.
_SEGMENT = r"[^\W\d_][^\W_]*(?:[-_]+[^\W_]+)*"
_REFERENCE = re.compile(rf"\$\{{({_SEGMENT}(?:\.{_SEGMENT}(?:\[[0-9]+\])*)*(?:\[[0-9]+\])*)\}}")
_STEP = re.compile(r"([^.\[\]]+)|\[([0-9]+)\]")


class Reference(NamedTuple):
    """One `${...}`: as written, and the path inside, like ("var", "x", 0)."""

    text: str
    path: tuple[str | int, ...]

    @property
    def name(self) -> str:
        """What stands between the braces."""
        return self.text[2:-1]

    def with_step(self, step: str, other: str) -> str | None:
        """The text with one step of its path replaced; None where `step` isn't there just once."""
        steps = self.name.split(".")
        if steps.count(step) != 1:
            return None
        return f"${{{'.'.join(other if each == step else each for each in steps)}}}"


@lru_cache(maxsize=4096)
def references(text: str) -> tuple[Reference, ...]:
    """All references in a string, in order."""
    if "${" not in text:
        return ()
    found = []
    for match in _REFERENCE.finditer(text):
        steps = tuple(name or int(index[:9]) for name, index in _STEP.findall(match[1]))
        if all(isinstance(step, int) or step[0].isalpha() for step in steps):
            found.append(Reference(match[0], steps))
    return tuple(found)


def is_reference(text: str) -> bool:
    """Whether a string is one reference and nothing else: then the value keeps its kind."""
    found = references(text) if text.startswith("${") else ()
    return len(found) == 1 and found[0].text == text


def is_unresolved(value: Any) -> bool:
    """Whether a value still holds a reference, so that nothing can be said about it."""
    return isinstance(value, str) and bool(references(value))
