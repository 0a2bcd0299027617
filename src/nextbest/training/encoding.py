"""Customer columns → numbers: one matrix for the trees, one design for the linear part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nextbest.errors import DataError

CLIP = 4.0  # standard deviations: a heavy tail must not rule a linear score


@dataclass(frozen=True, eq=False)
class Encoder:
    """How a model reads customers; learned once by `fit`, then the same for every row.

    `numeric` names number and boolean columns (null → NaN), `mean` and `scale` their moments,
    `gaps` those that had nulls; `levels` the known values of each text column (a null or unknown
    value has no code, NaN, and 0 in every indicator).
    """

    numeric: tuple[str, ...]
    mean: np.ndarray
    scale: np.ndarray
    gaps: tuple[int, ...]
    levels: Mapping[str, tuple[str, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of `matrix`, in order."""
        return (*self.numeric, *self.levels)

    @property
    def categorical(self) -> tuple[int, ...]:
        """Positions in `matrix` of the text columns."""
        return tuple(range(len(self.numeric), len(self.names)))

    def matrix(self, customers: pd.DataFrame) -> np.ndarray:
        """Raw numbers and level codes, float32 [n, len(names)]; nulls and unknown levels NaN."""
        encoded = np.empty((len(customers), len(self.names)), dtype=np.float32)
        for at, name in enumerate(self.numeric):
            encoded[:, at] = _numbers(customers[name])
        for at, (name, known) in zip(self.categorical, self.levels.items(), strict=True):
            codes = pd.Index(known).get_indexer(pd.Index(customers[name], dtype=object))
            encoded[:, at] = np.where(codes < 0, np.nan, codes)
        return encoded

    def design(self, matrix: np.ndarray) -> np.ndarray:
        """Linear design from `matrix`, float64 [n, p].

        A column of ones, standardised numbers (null → mean, clipped at ±CLIP), an indicator per
        column that had nulls, an indicator per level.
        """
        numbers = matrix[:, : len(self.numeric)].astype(float)
        unknown = np.isnan(numbers)
        standard = np.clip((numbers - self.mean) / self.scale, -CLIP, CLIP)
        codes = matrix[:, len(self.numeric) :]
        levels = [
            codes[:, [at]] == np.arange(len(known)) for at, known in enumerate(self.levels.values())
        ]
        parts = [
            np.ones((len(matrix), 1)),
            np.where(unknown, 0.0, standard),
            unknown[:, list(self.gaps)],
            *levels,
        ]
        return np.concatenate(parts, axis=1, dtype=float)


def fit_encoder(customers: pd.DataFrame, features: Sequence[str]) -> Encoder:
    """Learn how to read `features`: kinds, moments and levels.

    Raises DataError for columns that are missing, entirely null, or neither number, boolean nor
    text; all together.
    """
    problems = [f"column '{name}' is missing" for name in features if name not in customers]
    kinds = {name: _kind(customers[name]) for name in features if name in customers}
    problems += [
        f"column '{name}' {kind}" for name, kind in kinds.items() if kind not in ("number", "text")
    ]
    if problems:
        raise DataError(f"features of {len(customers)} rows: " + "; ".join(problems))
    numeric = tuple(name for name in features if kinds[name] == "number")
    numbers = np.empty((len(customers), len(numeric)))
    for at, name in enumerate(numeric):
        numbers[:, at] = _numbers(customers[name])
    scale = np.nanstd(numbers, axis=0)
    return Encoder(
        numeric=numeric,
        mean=np.nanmean(numbers, axis=0),
        scale=np.where(scale > 0, scale, 1.0),
        gaps=tuple(np.flatnonzero(np.isnan(numbers).any(axis=0)).tolist()),
        levels={
            name: tuple(sorted(customers[name].dropna().unique()))
            for name in features
            if kinds[name] == "text"
        },
    )


def _kind(column: pd.Series) -> str:
    if column.isna().all():
        return "is null in every row"
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in ("floating", "integer", "mixed-integer-float", "boolean", "decimal"):
        return "number"
    if kind in ("string", "categorical"):
        return "text"
    return f"holds {kind}; a feature must be a number, a boolean or text"


def _numbers(column: pd.Series) -> np.ndarray:
    """Floats from numbers, booleans and decimals; infinities are as unknown as nulls."""
    numbers = pd.to_numeric(column.astype("Float64") if column.dtype == object else column)
    numbers = numbers.to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)
