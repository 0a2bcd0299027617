"""What Databricks calls its fields: name, kind, and whether a field must be there.

One line per type: `Type = field field:kind field!:kind`. Without a kind a field is a string; `!`
marks a required one; `[kind]` is a sequence, `{kind}` a mapping with free keys, `any` unchecked.
Written down because databricks-bundles is a development dependency only; a test compares both.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from nextbest.bundle import fields_bundle, fields_jobs, fields_resources


class Field(NamedTuple):
    """One field of a type."""

    kind: str
    required: bool


def _table(*texts: str) -> dict[str, str]:
    lines = "\n".join(texts).replace("\n    ", " ").split("\n")
    return {name: words for name, _, words in (line.partition(" =") for line in lines if line)}


_TYPES = _table(fields_bundle.TYPES, fields_jobs.TYPES, fields_resources.TYPES)
_ENUMS = _table(fields_bundle.ENUMS, fields_jobs.ENUMS, fields_resources.ENUMS)


@cache
def fields_of(name: str) -> dict[str, Field]:
    """Fields of the type `name`, in the order of the table; empty when there is no such type."""
    found = {}
    for word in _TYPES.get(name, "").split():
        field, _, kind = word.partition(":")
        found[field.rstrip("!")] = Field(kind or "str", field.endswith("!"))
    return found


def is_type(name: str) -> bool:
    """Whether a kind is a type with fields of its own (it may have none)."""
    return name in _TYPES


@cache
def values_of(name: str) -> tuple[str, ...]:
    """Allowed values of the enumeration `name`; empty when it is none."""
    return tuple(_ENUMS.get(name, "").split())


def field_at(path: tuple[str | int, ...]) -> Field | None:
    """The field at a path like ("workspace", "host"), or None when Databricks knows none."""
    field = Field("Root", False)
    for step in path:
        kind = field.kind
        if kind[0] in "{[":
            field = Field(kind[1:-1], False)
        elif kind == "any":
            continue
        elif isinstance(step, str) and step in fields_of(kind):
            field = fields_of(kind)[step]
        else:
            return None
    return field


def type_names() -> list[str]:
    """Names of all types, for the test that compares them with databricks-bundles."""
    return list(_TYPES)
