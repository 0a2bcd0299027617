"""A log of any size to moments by segment, batch by batch; what is wrong is counted and refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from nextbest.errors import DataError
from nextbest.evaluation.ope.log import MEANING, LogColumns, columns, from_pandas, invalid_rows
from nextbest.evaluation.ope.moments import Moments, fold
from nextbest.evaluation.ope.segments import fold_by, merged_by
from nextbest.evaluation.ope.source import Source, numbers
from nextbest.evaluation.ope.terms import Shrinkage

SHOWN = 5  # first rows of each kind of problem that are named; rows count from 1, without a header
WHOLE = "all"


@dataclass
class Tally:
    """How many rows have which problem, and the first of them."""

    counts: dict[str, int] = field(default_factory=dict)
    first: dict[str, list[int]] = field(default_factory=dict)

    def add(self, problem: str, rows: np.ndarray) -> None:
        """Note rows (numbers within the log) that have a problem; none is no problem."""
        if len(rows):
            self.counts[problem] = self.counts.get(problem, 0) + len(rows)
            known = self.first.setdefault(problem, [])
            known += (int(row) for row in rows[: SHOWN - len(known)])

    def told(self, total: int) -> Iterator[str]:
        """One sentence for each problem."""
        for problem, count in self.counts.items():
            rows = ", ".join(map(str, self.first[problem]))
            more = ", …" if count > len(self.first[problem]) else ""
            yield f"{problem.format(f'{count} of {total} rows are')} (row {rows}{more})"


def read_log(
    source: Source,
    names: LogColumns,
    shrinkages: tuple[Shrinkage, ...],
    *,
    segment: str | None = None,
    seen: Callable[[int], None] = lambda rows: None,
) -> dict[str, Moments]:
    """Moments by segment (one, WHOLE, without a column of segments).

    `names.key`, when given, must be unique; `seen` is told how many rows each batch had. Nothing
    is set aside: raises DataError that names every problem of every column, counts its rows and
    shows the first of them.
    """
    kinds = {name: (column, kind) for name, column, kind in columns(names)}
    wanted = [column for column, _ in kinds.values()]
    texts = [column for column in (names.key, segment) if column is not None]
    moments: dict[str, Moments] = {}
    tally, keys, rows, paid = Tally(), [], 0, False
    for batch in source.batches(list(dict.fromkeys([*wanted, *texts]))):
        frame = _numbers(source, batch, names, tally, rows)
        numbered = rows + 1 + np.arange(len(frame))
        for name, (bad, _) in invalid_rows(frame, names).items():
            column, kind = kinds[name]
            bad = bad[~frame[f"{column} is strange"].to_numpy()[bad]]
            tally.add(f"{column}: {{}} not {MEANING[kind]}", numbered[bad])
        if names.key is not None:
            keys.append(_key_hashes(batch.column(names.key), names.key, tally, numbered))
        if not tally.counts and len(frame):
            paid |= bool((frame[names.reward] != 0).any())
            log = from_pandas(frame, names)
            if segment is None:
                part = {WHOLE: fold(log, shrinkages)}
            else:
                part = fold_by(log, batch.column(segment).cast(pa.string()).to_pandas(), shrinkages)
            moments = merged_by(moments, part)
        rows += len(frame)
        seen(len(frame))
    if not rows:
        raise DataError(f"{source.path}: the log is empty: no decision to evaluate a policy on")
    if keys:
        _find_doubles(np.concatenate(keys), names.key, tally)
    problems = list(tally.told(rows))
    if not problems and not paid:
        problems.append(f"{names.reward}: all {rows} rows are 0, so every policy is worth 0")
    if problems:
        raise DataError(f"{source.path}: " + "; ".join(problems))
    return moments


def _numbers(
    source: Source, batch: pa.RecordBatch, names: LogColumns, tally: Tally, before: int
) -> pd.DataFrame:
    """The numeric columns of a batch, and for each where it holds what is no number."""
    found, problems = {}, []
    for column in dict.fromkeys(column for _, column, _ in columns(names)):
        try:
            values, strange = numbers(batch.column(column), text_is_number=source.format == "csv")
        except DataError as error:
            problems.append(f"{column}: {error}")
            continue
        tally.add(f"{column}: {{}} not numbers", before + 1 + np.flatnonzero(strange))
        found |= {column: values, f"{column} is strange": strange}
    if problems:
        raise DataError(f"{source.path}: " + "; ".join(problems))
    return pd.DataFrame(found)


def _key_hashes(column: pa.Array, name: str, tally: Tally, numbered: np.ndarray) -> np.ndarray:
    """8 bytes per row are all that is kept of keys; equal ones have equal hashes."""
    values = column.to_pandas()
    tally.add(f"{name}: {{}} null", numbered[values.isna().to_numpy()])
    return pd.util.hash_array(values.to_numpy(), categorize=False)


def _find_doubles(hashes: np.ndarray, name: str, tally: Tally) -> None:
    """Note every row whose key stood on an earlier one.

    Two different keys share 64 bits once in 37 million logs of a million rows.
    """
    order = np.argsort(hashes, kind="stable")
    again = order[1:][hashes[order[1:]] == hashes[order[:-1]]]
    tally.add(f"{name}: {{}} there already, on an earlier row", np.sort(again) + 1)
