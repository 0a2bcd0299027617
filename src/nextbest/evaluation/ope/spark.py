"""Moments of a log that is a Spark DataFrame: every partition is folded where it lies.

One pass of the engine; each partition comes back as one row of sums, and these add up here. It is
the same `fold` as for numpy, and not a wall of built-in aggregates: two policies need 15 sums and
120 covariances, which take Apache Spark 30 s on 200,000 rows (no generated code is that wide).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F
from pyspark.sql.types import NumericType

from nextbest.errors import DataError
from nextbest.evaluation.ope.log import (
    MEANING,
    LogColumns,
    columns,
    from_pandas,
    invalid_rows,
    shape_problems,
)
from nextbest.evaluation.ope.moments import Moments, fold, merged
from nextbest.evaluation.ope.segments import fold_by, merged_by
from nextbest.evaluation.ope.terms import SHRINKAGES, Layout, Shrinkage, layout_of

KEY, SEGMENT = "key of the row", "segment of the row"  # their names on the way to the workers
ARRAYS = {
    "total": "double",
    "carry": "double",
    "left": "double",
    "root": "double",
    "cubes": "double",
    "max_weight": "double",
    "positives": "bigint",
    "violations": "bigint",
    "weight_counts": "bigint",
}
# What one partition tells; wrong and first: one entry per column of the log.
SCHEMA = (
    "segment string, rows bigint, wrong array<bigint>, first array<string>, problem string, "
    "n bigint, largest_reward double, "
    + ", ".join(f"{name} array<{kind}>" for name, kind in ARRAYS.items())
)


def moments(
    frame: DataFrame, names: LogColumns, shrinkages: tuple[Shrinkage, ...] = SHRINKAGES
) -> Moments:
    """The moments of a whole log: those of `fold` over the same rows (to 1e-12).

    names: the columns to read (any numeric type); with names.key, a message names a row by it.
    Raises DataError for an empty log, for columns that are missing or not numbers, and for rows
    that are not what LoggedBatch asks for: per column how many, and one of them.
    """
    return merged([part for _, part in _parts(frame, names, shrinkages)])


def moments_by(
    frame: DataFrame,
    names: LogColumns,
    segment: str,
    shrinkages: tuple[Shrinkage, ...] = SHRINKAGES,
) -> dict[str, Moments]:
    """The moments of a log by a column of segments, as of `fold_by`, in the same one pass.

    Raises DataError as `moments` does, and for more than 1,000 segments.
    """
    if segment not in frame.columns:
        told = ", ".join(frame.columns)
        raise DataError(f"log: no column '{segment}' for the segment; there are {told}")
    found = _parts(frame, names, shrinkages, segment)
    return merged_by(*({name: part} for name, part in found))


def _parts(
    frame: DataFrame,
    names: LogColumns,
    shrinkages: tuple[Shrinkage, ...],
    segment: str | None = None,
) -> list[tuple[str, Moments]]:
    _check_schema(frame, names)
    layout = layout_of(names, shrinkages)
    numbers = dict.fromkeys(column for _, column, _ in columns(names))
    wanted = [F.col(f"`{column}`").cast("double").alias(column) for column in numbers]
    for column, alias in ((names.key, KEY), (segment, SEGMENT)):
        if column is not None:
            wanted.append(F.col(f"`{column}`").cast("string").alias(alias))
    fold_partition = _fold_partition(names, shrinkages, segment is not None)
    parts = frame.select(*wanted).mapInPandas(fold_partition, SCHEMA).collect()
    _check_rows(parts, names)
    return [(part["segment"], _read(layout, part)) for part in parts if part["n"]]


def _fold_partition(
    names: LogColumns, shrinkages: tuple[Shrinkage, ...], segmented: bool
) -> Callable[[Iterable[pd.DataFrame]], Iterator[pd.DataFrame]]:
    kinds = [name for name, _, _ in columns(names)]

    def fold_partition(frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        folded = {"": Moments.zero(layout_of(names, shrinkages))}
        rows, problem = 0, None
        wrong, first = dict.fromkeys(kinds, 0), dict.fromkeys(kinds)
        for frame in frames:
            rows += len(frame)
            # An error can't cross from a worker to the driver as itself: it travels as data.
            for name, (bad, value) in invalid_rows(frame, names).items():
                if first[name] is None:
                    first[name] = str(value if names.key is None else frame[KEY].iloc[bad[0]])
                wrong[name] += len(bad)
            if problem is None and not any(wrong.values()):
                try:
                    log = from_pandas(frame, names)
                    part = (
                        fold_by(log, frame[SEGMENT], shrinkages)
                        if segmented
                        else {"": fold(log, shrinkages)}
                    )
                    folded = merged_by(folded, part)
                except DataError as error:
                    problem = str(error)
        facts = {"wrong": list(wrong.values()), "first": list(first.values()), "problem": problem}
        for segment, part in folded.items():
            told = {"segment": segment, "rows": rows, **facts, "n": part.n}
            told["largest_reward"] = part.largest_reward
            told |= {name: getattr(part, name).ravel().tolist() for name in ARRAYS}
            yield pd.DataFrame([told])
            # What was read and what was wrong is told once per partition.
            rows, facts = 0, {"wrong": [0] * len(kinds), "first": [None] * len(kinds)}
            facts["problem"] = None

    return fold_partition


def _read(layout: Layout, part: Row) -> Moments:
    arrays = {name: np.array(part[name], dtype="float64") for name in ARRAYS}
    arrays |= {
        name: arrays[name].astype("int64") for name, kind in ARRAYS.items() if kind == "bigint"
    }
    arrays["root"] = arrays["root"].reshape(-1, len(layout.names))
    arrays["cubes"] = arrays["cubes"].reshape((len(layout.core),) * 3)
    arrays["weight_counts"] = arrays["weight_counts"].reshape(len(layout.policies), -1)
    return Moments(layout, part["n"], largest_reward=part["largest_reward"], **arrays)


def _check_schema(frame: DataFrame, names: LogColumns) -> None:
    problems = shape_problems(names.targets, names.q_logged)
    types = {field.name: field.dataType for field in frame.schema.fields}
    for name, column, _ in columns(names):
        if column not in types:
            problems.append(f"no column '{column}' for {name}; there are {', '.join(types)}")
        elif not isinstance(types[column], NumericType):
            kind = types[column].simpleString()
            problems.append(f"{name}: column '{column}' is {kind}, not numbers; cast it first")
    if names.key is not None and names.key not in types:
        problems.append(f"no column '{names.key}' for the key; there are {', '.join(types)}")
    if problems:
        raise DataError("log: " + "; ".join(problems))


def _check_rows(parts: list[Row], names: LogColumns) -> None:
    rows = sum(part["rows"] for part in parts)
    if not rows:
        raise DataError("the log is empty: no decision to evaluate a policy on")
    problems = []
    for place, (name, _, kind) in enumerate(columns(names)):
        wrong = sum(part["wrong"][place] for part in parts)
        if wrong:
            first = min(part["first"][place] for part in parts if part["wrong"][place])
            which = "one is" if names.key is None else f"the first is {names.key}"
            problems.append(
                f"{name}: {wrong} of {rows} rows are not {MEANING[kind]}; {which} {first}"
            )
    problems = problems or [part["problem"] for part in parts if part["problem"]][:1]
    if problems:
        raise DataError("log: " + "; ".join(problems).removeprefix("log: "))
