"""What is proposed for a log, and what whoever reads it should know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Proposal:
    """What a mapping's YAML would hold, and what whoever reads it should know.

    `numbers` are columns that the mapping's expressions read as numbers.
    """

    mapping: dict[str, Any] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
