"""How much is at stake today: one number per model, and the parts it is made of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from nextbest.evaluation.concept import Concept
from nextbest.monitoring.causes import Cause

STALE_DAYS = 90  # a model this old has risk 1/2 by age alone


@dataclass(frozen=True)
class Risk:
    """`score` in [0, 100]; parts in [0, 1], the chance of trouble each would give alone."""

    score: float
    parts: Mapping[str, float]

    @property
    def level(self) -> str:
        """low below 30, raised below 60, high from there on."""
        return "low" if self.score < 30 else "raised" if self.score < 60 else "high"


def model_risk(
    drifted: Mapping[str, float],
    leans: Mapping[str, float],
    causes: tuple[Cause, ...],
    concept: Concept | None,
    age_days: int,
) -> Risk:
    """The risk that the champion decides badly today: 1 − Π (1 − part), of four parts.

    inputs: Σ over drifted features of what the model leans on them, times how far past their
    threshold they are (nothing at it, all of it at twice the threshold). data: 0.8 when a source
    is broken beyond doubt, less where it is less sure. outcomes: 0.9 when they contradict the
    model, 0.2 when too few have come to know. age: half-life of trust, 1 − 2^(−days / 90).
    """
    inputs = sum(
        leans[name] * (1.0 if math.isnan(past) else min(max(past - 1.0, 0.0), 1.0))
        for name, past in drifted.items()
        if name in leans
    )
    contradicted = concept is not None and bool(concept.moved)
    ignorant = concept is None or not concept.known
    parts = {
        "inputs": min(inputs, 1.0),
        "data": 0.8 * max((c.weight for c in causes if c.kind == "upstream data"), default=0.0),
        "outcomes": 0.9 if contradicted else 0.2 if ignorant else 0.0,
        "age": 1 - 2 ** (-max(age_days, 0) / STALE_DAYS),
    }
    return Risk(100 * (1 - math.prod(1 - part for part in parts.values())), parts)
