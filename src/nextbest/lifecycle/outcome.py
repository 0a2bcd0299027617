"""What a stage hands to its notebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """What happened in a sentence, things to display by their heading, task values for the job."""

    summary: str
    shown: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)


def nothing_live(model: str) -> str:
    """The sentence for a stage that has nothing to do yet (docs/decisions/0007)."""
    return f"{model} has no champion yet: nothing is live, so there is nothing to do here"
