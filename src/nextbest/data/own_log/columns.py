"""What a sample tells of each column of a log: numbers, times, few or many values."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from nextbest.data.own_log.files import Dialect
from nextbest.data.own_log.times import formats_of
from nextbest.data.own_log.values import moments, numbers, texts
from nextbest.errors import DataError

ENOUGH = 0.95  # share of the values that must read as numbers or times
DIFFERENT = 2_000  # values that formats are sought in


@dataclass(frozen=True, eq=False)
class Facts:
    """One column of the sample: its text, its numbers and times where it holds them (else None)."""

    name: str
    text: pd.Series
    number: np.ndarray | None
    time: pd.Series | None
    formats: tuple[str, ...]
    doubts: tuple[str, ...]

    @property
    def word(self) -> str:
        """The name as small words joined by _: userId and User-ID are user_id."""
        apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.name)
        return re.sub(r"[^a-z0-9]+", "_", apart.lower()).strip("_")

    @property
    def levels(self) -> pd.Index:
        """Its different values, by how often they come."""
        return self.text.value_counts().index

    @property
    def listed(self) -> bool:
        """Whether it holds lists (or objects), by how they begin."""
        shown = [str(level) for level in self.levels[:20]]
        return bool(shown) and all(text.startswith(("[", "(", "{")) for text in shown)

    @property
    def binary(self) -> bool:
        """Whether it holds 0 and 1 (false and true), and nothing else."""
        if self.number is None:
            return False
        return set(np.unique(self.number[np.isfinite(self.number)])) == {0.0, 1.0}

    @property
    def whole(self) -> bool:
        """Whether its numbers are whole ones."""
        if self.number is None:
            return False
        known = self.number[np.isfinite(self.number)]
        return bool(np.all(known == np.floor(known)))


def facts_of(sample: pa.Table, dialect: Dialect) -> tuple[dict[str, Facts], list[str]]:
    """Facts by column, and the columns that can't be looked at, in words."""
    found, refused = {}, []
    for name in sample.column_names:
        column = sample.column(name)
        try:
            found[name] = _facts(name, column, dialect)
        except DataError as error:
            refused.append(f"column '{name}' {error}")
    return found, refused


def _facts(name: str, column: pa.ChunkedArray, dialect: Dialect) -> Facts:
    text = texts(column, dialect)
    known = len(text) - text.null_count
    series = pd.Series(text.to_pandas(), dtype=object)
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        time, _ = moments(column, ("iso",), dialect)
        return Facts(name, series, None, time.to_pandas(), ("iso",), ())
    number = None
    if known and not pa.types.is_list(column.type):
        values, strange = numbers(column, dialect)
        if strange.sum() <= (1 - ENOUGH) * known:
            number = values.to_numpy(zero_copy_only=False)
    different = series.dropna().unique()
    formats, share, doubts = formats_of(list(different[:DIFFERENT]), dialect)
    time = None
    if formats and share >= ENOUGH:
        read, _ = moments(text, formats, dialect)
        time = read.to_pandas()
    return Facts(name, series, number, time, formats if time is not None else (), tuple(doubts))
