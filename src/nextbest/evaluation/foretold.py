"""What a model foretold of decisions and what came of them, as sums that add up over days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from operator import add
from typing import Any

import numpy as np
import pandas as pd

from nextbest.errors import DataError
from nextbest.evaluation.tilt import Sums

Cells = Mapping[str, Sums]


@dataclass(frozen=True)
class Foretold:
    """Sums over matured decisions of what a model foretold and what came; they add up.

    With residual r = y − p, variance v = p(1 − p) and logit l of p: Σ1, Σy, Σp, Σrl, Σv, Σvl, Σvl².
    They make the score and the information of a logistic recalibration at no correction.
    mixes: (Σy, Σp) of each cell of what decisions are told apart by: "treatment", or a feature.
    tilts: sums of features by directions and action (`tilt.tilt_sums`).
    """

    n: float = 0.0
    came: float = 0.0
    expected: float = 0.0
    residual_logit: float = 0.0
    variance: float = 0.0
    variance_logit: float = 0.0
    variance_logit2: float = 0.0
    mixes: Mapping[str, Cells] = field(default_factory=dict)
    tilts: Mapping[str, Mapping[str, Sums]] = field(default_factory=dict)

    def __add__(self, other: Foretold) -> Foretold:
        summed = {name: getattr(self, name) + getattr(other, name) for name in SUMS}
        mixes, tilts = _added(self.mixes, other.mixes), _added(self.tilts, other.tilts)
        return Foretold(**summed, mixes=mixes, tilts=tilts)


SUMS = tuple(each.name for each in fields(Foretold) if each.type == "float")


def _added(
    some: Mapping[str, Mapping[str, Sums]], more: Mapping[str, Mapping[str, Sums]]
) -> dict[str, dict[str, Sums]]:
    """Cell by cell, number by number; what one of them lacks is zero."""
    found = {name: dict(cells) for name, cells in some.items()}
    for name, cells in more.items():
        mine = found.setdefault(name, {})
        for cell, numbers in cells.items():
            before = mine.get(cell)
            mine[cell] = numbers if before is None else tuple(map(add, before, numbers))
    return found


def foretold(outcomes: Any, probabilities: Any, mixes: Mapping[str, Any] | None = None) -> Foretold:
    """The sums of some decisions: outcomes 0 or 1, probabilities within (0, 1), of one length.

    mixes: what decisions are told apart by → the name of each one's cell (a list of texts, or
    pandas' Categorical). Raises DataError for anything else, naming how many.
    """
    y, p = np.asarray(outcomes, dtype="float64"), np.asarray(probabilities, dtype="float64")
    if y.shape != p.shape:
        raise DataError(f"outcomes and probabilities differ in number: {y.shape}, {p.shape}")
    wrong = int(np.count_nonzero(~((y == 0) | (y == 1)) | ~((p > 0) & (p < 1))))
    if wrong:
        raise DataError(
            f"{wrong} of {len(y)} decisions have an outcome that is not 0 or 1, or a probability "
            "that is not within (0, 1)"
        )
    logit, variance = np.log(p) - np.log1p(-p), p * (1 - p)
    return Foretold(
        float(len(y)), float(y.sum()), float(p.sum()),
        float((y - p) @ logit), float(variance.sum()), float(variance @ logit),
        float(variance @ logit**2),
        {name: _cells(y, p, labels) for name, labels in (mixes or {}).items()},
    )  # fmt: skip


def _cells(y: np.ndarray, p: np.ndarray, labels: Any) -> dict[str, tuple[float, float]]:
    at, names = pd.factorize(pd.Series(labels), use_na_sentinel=False)
    came, expected = np.bincount(at, y, len(names)), np.bincount(at, p, len(names))
    return {
        str(name): (float(came[place]), float(expected[place])) for place, name in enumerate(names)
    }
