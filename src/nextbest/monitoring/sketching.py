"""From a frame of the engine, or an Arrow table, to parts: the engine reads, each worker folds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from nextbest.errors import DataError
from nextbest.monitoring import folding
from nextbest.monitoring.folding import (
    AT,
    LABEL,
    MODEL,
    PREDICTION,
    SLICE,
    Group,
    Part,
    Parts,
    Plan,
)
from nextbest.monitoring.labels import CLASSIFICATION, Labels
from nextbest.monitoring.stored import from_bytes, quality_bytes, quality_from, to_bytes
from nextbest.tables import sql_name

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

SLICE_VALUES = 100  # of one slice expression: the most frequent ones
WORKER_CHUNK = 2**18  # rows that a worker of the engine looks at together
NO_COLUMN = ""  # stands for the rows themselves where there is no column
_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double")
# One row per group and column. As text: workers and driver agree on it without an engine.
LANDED = (
    "start bigint, end bigint, model string, slice_key string, slice_value string, "
    "column_name string, rows bigint, first bigint, last bigint, sketch binary"
)


def sketched(
    frame: DataFrame,
    *,
    columns: Sequence[str],
    timestamp: str | None = None,
    granularity: str | None = None,
    model_id: str | None = None,
    slices: Sequence[str] = (),
    labels: Labels | None = None,
) -> Parts:
    """The parts of a frame, by window, model version and slice (SQL over its columns): one pass.

    Of a slice with more than SLICE_VALUES values the most frequent ones are kept; to know them,
    its column is read once more. Raises DataError for columns that are missing or can't be
    profiled, and for rows without a timestamp.
    """
    from pyspark.sql import functions as F

    types = kinds(frame.dtypes, columns)
    needed = [name for name in (timestamp, model_id) if name and name not in frame.columns]
    if needed:
        raise DataError(f"monitored table: no column {', '.join(needed)}")
    numeric = frozenset(name for name, kind in types.items() if is_number(kind))
    plan = Plan(
        types, numeric, granularity, tuple(slices), model_id is not None, labels is not None
    )
    told = [F.expr(_cell(name, kind)).alias(name) for name, kind in types.items()]
    if timestamp:
        told.append(F.expr(f"unix_micros(CAST({sql_name(timestamp)} AS TIMESTAMP))").alias(AT))
    if model_id:
        told.append(F.col(model_id).cast("string").alias(MODEL))
    if labels:
        cells = label_cells(labels, dict(frame.dtypes))
        told += [F.expr(cell).alias(name) for name, cell in cells.items()]
    for number, text in enumerate(slices):
        told.append(F.expr(text).cast("string").alias(f"{SLICE}{number}"))
    rows = _selected(frame, told, slices)
    kept = {key: _frequent(rows, f"{SLICE}{number}") for number, key in enumerate(slices)}
    plan = replace(plan, kept=kept)

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from landed(folding.fold(batches, plan, WORKER_CHUNK)).to_batches()

    return risen(rows.mapInArrow(work, LANDED).toArrow())


def _selected(frame: DataFrame, told: Sequence[Column], slices: Sequence[str]) -> DataFrame:
    from pyspark.errors import AnalysisException

    rows = frame.select(*told)
    try:
        _ = rows.columns
    except AnalysisException as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"monitored slices {'; '.join(slices)} can't be told of columns "
            f"{', '.join(frame.columns)}: {reason}"
        ) from error
    return rows


def kinds(types: Sequence[tuple[str, str]], columns: Sequence[str]) -> dict[str, str]:
    """Engine types of the columns. DataError that lists all that can't be watched."""
    known = dict(types)
    wrong = [f"{name} is not there" for name in columns if name not in known]
    wrong += [
        f"{name} is named twice" for name in sorted(set(columns)) if list(columns).count(name) > 1
    ]
    found = {name: known[name] for name in columns if name in known}
    wrong += [
        f"{name} is {kind}: only numbers, times, strings and booleans can be watched"
        for name, kind in found.items()
        if not is_number(kind) and kind not in ("string", "boolean")
    ]
    if wrong:
        raise DataError("monitored columns: " + "; ".join(wrong))
    return found


def is_number(kind: str) -> bool:
    """Whether columns of an engine's type are measured as numbers; times in epoch seconds."""
    return kind in _NUMBERS or kind.startswith("decimal") or kind in ("timestamp", "date")


def label_cells(labels: Labels, types: Mapping[str, str]) -> dict[str, str]:
    """SQL of PREDICTION and LABEL: doubles for numbers, texts for classes.

    DataError for columns that are missing, and for types that can't be compared.
    """
    both = {PREDICTION: labels.prediction, LABEL: labels.label}
    found = {name: types.get(name, "not there") for name in both.values()}
    numbers = [is_number(kind) for kind in found.values()]
    alike = all(numbers) or len(set(found.values())) == 1
    if "not there" in found.values() or not (
        alike if labels.problem == CLASSIFICATION else all(numbers)
    ):
        told = ", ".join(f"{name} is {kind}" for name, kind in found.items())
        raise DataError(
            f"predictions and labels of a {labels.problem}: {told}; both must be there, a "
            "regression's as numbers, a classification's as classes of one type"
        )
    cells = {key: _cell(name, found[name]) for key, name in both.items()}
    if labels.problem == CLASSIFICATION:
        return {key: f"CAST({cell} AS STRING)" for key, cell in cells.items()}
    return cells


def landed(parts: Parts) -> pa.Table:
    """Parts as a table of LANDED, a row for the rows themselves and one for each column."""
    rows = []
    for group, part in parts.items():
        kept = None if part.quality is None else quality_bytes(part.quality)
        told = (*group, NO_COLUMN, part.rows, part.first, part.last, kept)
        rows.append(told)
        for name, sketch in part.columns.items():
            rows.append((*told[:5], name, *told[6:9], to_bytes(sketch)))
    return pa.table(
        {field.name: [row[at] for row in rows] for at, field in enumerate(_SCHEMA)},
        schema=_SCHEMA,
    )


def risen(table: pa.Table) -> Parts:
    """The parts that `landed` wrote, added up where several stand for one group."""
    found: dict[Group, list[Part]] = {}
    for row in table.to_pylist():
        group = Group(*(row[name] for name in Group._fields))
        if row["column_name"] == NO_COLUMN:
            kept = row["sketch"]
            quality = None if kept is None else quality_from(kept)
            part = Part(row["rows"], row["first"], row["last"], {}, quality)
        else:
            part = Part(0, None, None, {row["column_name"]: from_bytes(row["sketch"])})
        found.setdefault(group, []).append(part)
    return {group: folding.merged(parts) for group, parts in found.items()}


def _cell(name: str, kind: str) -> str:
    if kind == "timestamp":
        return f"unix_micros({sql_name(name)}) / 1000000D"
    if kind == "date":
        return f"unix_date({sql_name(name)}) * 86400D"
    return f"CAST({sql_name(name)} AS {'DOUBLE' if is_number(kind) else 'STRING'})"


def _frequent(rows: DataFrame, column: str) -> frozenset[str | None]:
    from pyspark.sql import functions as F

    counted = rows.groupBy(column).agg(F.count(F.lit(1)).alias("rows"))
    # By name, too, so that a rerun keeps the same ones.
    found = counted.orderBy(F.desc("rows"), F.asc_nulls_last(column)).limit(SLICE_VALUES)
    return frozenset(row[column] for row in found.collect())


_SCHEMA = pa.schema([
    *((name, pa.int64()) for name in ("start", "end")),
    *((name, pa.string()) for name in ("model", "slice_key", "slice_value", "column_name")),
    *((name, pa.int64()) for name in ("rows", "first", "last")),
    ("sketch", pa.binary()),
])  # fmt: skip
