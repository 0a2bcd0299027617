"""What a sample tells of each column of a log: numbers, times, few or many values."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from nextbest.data.own_log import names
from nextbest.data.own_log.files import Dialect
from nextbest.data.own_log.times import Formats, formats_of
from nextbest.data.own_log.values import moments, numbers, texts
from nextbest.errors import DataError

ENOUGH = 0.95  # share of the values that must read as numbers or times
DIFFERENT = 2_000  # values that formats are sought in
EACH = 5  # rows an action needs at least, on average, to tell what it settles


@dataclass(frozen=True, eq=False)
class Facts:
    """One column of the sample: its text, its numbers and times where it holds them (else None).

    `formats` are those of its times, also where they read too few of them.
    """

    name: str
    text: pd.Series
    number: np.ndarray | None
    time: pd.Series | None
    formats: Formats

    @functools.cached_property
    def word(self) -> str:
        """Its name as names.word has it."""
        return names.word(self.name)

    @functools.cached_property
    def levels(self) -> list[str]:
        """Its different values, by how often they come."""
        return [str(level) for level in self.text.value_counts().index]

    @property
    def listed(self) -> bool:
        """Whether it holds lists (or objects), by how they begin."""
        shown = self.levels[:20]
        return bool(shown) and all(text.startswith(("[", "(", "{")) for text in shown)

    @property
    def known(self) -> np.ndarray:
        """Its numbers, without gaps; none where it holds none."""
        return np.zeros(0) if self.number is None else self.number[np.isfinite(self.number)]

    @property
    def gaps(self) -> bool:
        """Whether some of its rows are empty."""
        return bool(self.text.isna().any())

    @functools.cached_property
    def binary(self) -> bool:
        """Whether it holds 0 and 1 (false and true), and nothing else."""
        return set(np.unique(self.known)) == {0.0, 1.0}

    @property
    def flag(self) -> bool:
        """Whether it says of a row that something happened: 0 and 1, or 1 and nothing."""
        return self.binary or (self.gaps and set(np.unique(self.known)) == {1.0})

    @property
    def garbled(self) -> bool:
        """Whether some of it looks like numbers, and too little can be read as such."""
        if self.number is not None or self.time is not None:
            return False
        return bool(self.text.dropna().str.contains(r"^\W*\d").mean() > 1 - ENOUGH)

    @property
    def whole(self) -> bool:
        """Whether it holds numbers, whole ones."""
        return self.number is not None and bool(np.all(self.known == np.floor(self.known)))

    @property
    def fraction(self) -> bool:
        """Whether it holds numbers that are not all whole."""
        return self.number is not None and not self.whole

    @property
    def unusual(self) -> np.ndarray:
        """The rows with another value than the commonest, which may be that it is empty."""
        text = self.text.fillna("")
        return (text != text.mode()[0]).to_numpy()

    def settles(self, other: Facts) -> bool:
        """Whether this one alone tells what the other is, as an action does with its price."""
        if len(self.text) < EACH * self.text.nunique():
            return False
        return bool((other.text.groupby(self.text).nunique(dropna=False) <= 1).all())


def comes_with(there: np.ndarray, happened: np.ndarray) -> bool:
    """Whether something is there (nearly) only where something happened, and that seldomer.

    A refund, or a line of totals, may stand elsewhere.
    """
    if not there.any():
        return False
    elsewhere = 1.0 - happened[there].mean()
    return bool(elsewhere <= min(1 - ENOUGH, (1.0 - happened.mean()) / EACH))


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
        return Facts(name, series, None, time.to_pandas(), Formats(("iso",), 1.0))
    number = None
    if known and not _is_list(column.type):
        values, strange = numbers(column, dialect)
        if strange.sum() <= (1 - ENOUGH) * known:
            number = values.to_numpy(zero_copy_only=False)
    different = series.dropna().unique()
    if len(different) > DIFFERENT:  # not every k-th: what comes in turns would be missed
        different = np.random.default_rng(0).choice(different, DIFFERENT, replace=False)
    formats = formats_of(list(different), dialect)
    time = None
    if formats.names and formats.share >= ENOUGH:
        read, _ = moments(text, formats.names, dialect)
        time = read.to_pandas()
    return Facts(name, series, number, time, formats)


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind)
