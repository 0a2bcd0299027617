"""What one check of `dbb validate` looked at, and what it found."""

from __future__ import annotations

from typing import NamedTuple

from nextbest.bundle.graph import Diagnostic


class Check(NamedTuple):
    """A check by its name: what it looked at, in words, and its findings."""

    name: str
    looked_at: str
    found: list[Diagnostic]
