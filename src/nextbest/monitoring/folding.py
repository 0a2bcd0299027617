"""Rows, batch by batch, to the sketches of every window, model version and slice: one pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nextbest.errors import DataError
from nextbest.monitoring import labelled, sketches, windows
from nextbest.monitoring.labelled import Quality
from nextbest.monitoring.sketches import Sketch

ALL_MODELS = "*"
AT, MODEL, SLICE = "__at", "__model", "__slice_"  # what batches call these
PREDICTION, LABEL = "__prediction", "__label"
CHUNK = 2**20  # rows that are looked at together
PENDING = 8  # sketches of one column that wait to be added up
OPEN = 200_000  # points that a sketch may hold before it is stored


class Group(NamedTuple):
    """Whose rows; µs since 1970. No start: one window, whenever they were."""

    start: int | None
    end: int | None
    model: str | None
    slice_key: str | None = None
    slice_value: str | None = None


@dataclass(frozen=True)
class Plan:
    """How to fold: columns with their engine types, numeric ones in `numeric`."""

    columns: Mapping[str, str]
    numeric: frozenset[str]
    granularity: str | None
    slices: tuple[str, ...] = ()
    models: bool = True
    labels: bool = False  # whether batches have PREDICTION and LABEL
    kept: Mapping[str, frozenset[str | None]] = field(default_factory=dict)  # values of a slice


@dataclass(frozen=True)
class Part:
    """The rows of one group, from `first` to `last` (µs since 1970), and a sketch per column.

    quality: of predictions, where the monitor has labels.
    """

    rows: int
    first: int | None
    last: int | None
    columns: Mapping[str, Sketch]
    quality: Quality | None = None


Parts = dict[Group, Part]


def fold(batches: Iterable[pa.RecordBatch], plan: Plan, chunk: int = CHUNK) -> Parts:
    """The parts of batches whose columns are those of the plan, AT, MODEL and SLICE0 ….

    Numeric columns are doubles, the others strings or dictionaries; AT is µs since 1970 or, with
    no granularity, may be absent. Memory is that of `chunk` rows and of the sketches. Raises
    DataError for rows without a time.
    """
    waiting: dict[Group, list[Part]] = {}
    for table in _chunks(batches, chunk):
        for group, part in _parts(table, plan):
            parts = waiting.setdefault(group, [])
            parts.append(part)
            if len(parts) >= PENDING:
                parts[:] = [merged(parts, most=OPEN)]
    return {group: closed(merged(parts, most=OPEN)) for group, parts in waiting.items()}


def merged(parts: Sequence[Part], most: int | None = None) -> Part:
    """The rows of all parts together; columns that only some have are those parts' own."""
    if len(parts) == 1:
        return parts[0]
    names = dict.fromkeys(name for part in parts for name in part.columns)
    told = {} if most is None else {"most": most}
    columns = {
        name: sketches.merged(
            [part.columns[name] for part in parts if name in part.columns], name, **told
        )
        for name in names
    }
    firsts = [part.first for part in parts if part.first is not None]
    lasts = [part.last for part in parts if part.last is not None]
    return Part(
        sum(part.rows for part in parts),
        min(firsts, default=None),
        max(lasts, default=None),
        columns,
        labelled.merged([part.quality for part in parts if part.quality is not None]),
    )


def closed(part: Part) -> Part:
    """The part, each of its sketches no larger than it is worth keeping."""
    columns = {name: sketches.closed(sketch) for name, sketch in part.columns.items()}
    return replace(part, columns=columns)


def with_all_models(parts: Parts) -> Parts:
    """Beside each model's parts those of all models together, their sums."""
    together: dict[Group, list[Part]] = {}
    for group, part in parts.items():
        together.setdefault(group._replace(model=ALL_MODELS), []).append(part)
    return {**parts, **{group: merged(each) for group, each in together.items()}}


def rewindowed(parts: Parts, granularity: str | None) -> Parts:
    """Parts of short windows added up to longer ones; None: to one, whenever."""
    together: dict[Group, list[Part]] = {}
    for group, part in parts.items():
        start = end = None
        if granularity is not None and group.start is not None:
            start = int(windows.starts(np.array([group.start]), granularity)[0])
            end = windows.end(start, granularity)
        together.setdefault(group._replace(start=start, end=end), []).append(part)
    return {group: merged(each) for group, each in together.items()}


def _chunks(batches: Iterable[pa.RecordBatch], chunk: int) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        for start in range(0, batch.num_rows, chunk):
            piece = batch.slice(start, chunk)
            if held and rows + piece.num_rows > chunk:
                yield pa.Table.from_batches(held)
                held, rows = [], 0
            held.append(piece)
            rows += piece.num_rows
    if rows:
        yield pa.Table.from_batches(held)


def _parts(table: pa.Table, plan: Plan) -> Iterator[tuple[Group, Part]]:
    at = _times(table, plan)
    begun = windows.starts(at, plan.granularity) if plan.granularity else None
    keys = [] if begun is None else [begun]
    if plan.models:
        keys.append(_texts(table.column(MODEL)))
    each: list[tuple[str | None, list[np.ndarray]]] = [(None, keys)]
    for number, key in enumerate(plan.slices):
        each.append((key, [*keys, _texts(table.column(f"{SLICE}{number}"))]))
    for slice_key, by in each:
        for where, values in _split(table.num_rows, by):
            told = list(values)
            start = int(told.pop(0)) if plan.granularity else None
            end = windows.end(start, plan.granularity) if plan.granularity else None
            model = told.pop(0) if plan.models else None
            value = told.pop(0) if slice_key is not None else None
            if slice_key in plan.kept and value not in plan.kept[slice_key]:
                continue
            rows = table if where is None else table.take(where)
            times = at if where is None or at is None else at[where]
            yield Group(start, end, model, slice_key, value), _part(rows, times, plan)


def _times(table: pa.Table, plan: Plan) -> np.ndarray | None:
    if AT not in table.column_names and plan.granularity is None:
        return None
    column = table.column(AT)
    if column.null_count:
        raise DataError(
            f"{column.null_count} of {table.num_rows} rows have no time: they belong to no window; "
            "fill their timestamp or leave them out of the monitored table"
        )
    return column.to_numpy()


def _texts(column: pa.ChunkedArray) -> pa.DictionaryArray:
    return pc.dictionary_encode(column.combine_chunks(), null_encoding="encode")


def _split(rows: int, by: Sequence) -> Iterator[tuple[np.ndarray | None, tuple]]:
    """The rows of each combination of keys, and the keys; None: all rows."""
    code = np.zeros(rows, dtype=np.int64)
    labels = []
    for key in by:
        if isinstance(key, np.ndarray):
            different, found = (
                (key[:1], np.zeros(rows, np.int64))
                if (key == key[0]).all()
                else np.unique(key, return_inverse=True)
            )
        else:
            different = key.dictionary.to_pylist()
            found = key.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        labels.append(different)
        code = code * len(different) + found
    if all(len(different) == 1 for different in labels):
        yield None, tuple(different[0] for different in labels)
        return
    order = np.argsort(code, kind="stable")
    first = np.flatnonzero(np.diff(code[order], prepend=-1))
    for start, end in zip(first, np.append(first[1:], rows), strict=True):
        place = int(code[order[start]])
        values = []
        for different in reversed(labels):
            place, at = divmod(place, len(different))
            values.append(different[at])
        yield order[start:end], tuple(reversed(values))


def _part(table: pa.Table, at: np.ndarray | None, plan: Plan) -> Part:
    columns = {
        name: (sketches.number_sketch if name in plan.numeric else sketches.category_sketch)(
            table.column(name), kind
        )
        for name, kind in plan.columns.items()
    }
    timed = at is not None and len(at)
    first, last = (int(at.min()), int(at.max())) if timed else (None, None)
    quality = (
        labelled.quality_of(table.column(PREDICTION), table.column(LABEL)) if plan.labels else None
    )
    return Part(table.num_rows, first, last, columns, quality)
