"""`%sql` cells: several statements, with `:name` filled from widgets."""

from __future__ import annotations

import re
from collections.abc import Mapping

# What a semicolon or a colon means nothing in: quoted texts and names, comments.
_OPAQUE = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`|--[^\n]*|/\*.*?\*/"
_PIECES = re.compile(rf"(?s)({_OPAQUE})|(;)|(.)")
_MARKERS = re.compile(rf"(?s){_OPAQUE}|(?<![:\w]):(\w+)")


def statements(text: str) -> list[str]:
    """The statements of a cell, split at semicolons outside of quotes and comments."""
    found, present = [], ""
    for opaque, semicolon, other in _PIECES.findall(text):
        if semicolon:
            found.append(present)
            present = ""
        elif not opaque.startswith(("--", "/*")):
            present += opaque or other
    return [each.strip() for each in [*found, present] if each.strip()]


def parameters(statement: str, values: Mapping[str, str]) -> dict[str, str]:
    """The widgets that a statement names as `:name`."""
    named = {match[1] for match in _MARKERS.finditer(statement) if match[1]}
    return {name: values[name] for name in sorted(named) if name in values}
