"""Which columns tell how good predictions were; loads nothing."""

from __future__ import annotations

from dataclasses import dataclass

REGRESSION, CLASSIFICATION = "regression", "classification"


@dataclass(frozen=True)
class Labels:
    """Columns with the prediction and the label, and what is predicted: numbers or classes."""

    prediction: str
    label: str
    problem: str = REGRESSION
