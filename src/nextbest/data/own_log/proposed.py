"""What is proposed for a log, and what whoever reads it should know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nextbest.data.own_log.roles import Roles


@dataclass
class Proposal:
    """What a mapping's YAML would hold, and what whoever reads it should know."""

    mapping: dict[str, Any]
    roles: Roles
    found: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
