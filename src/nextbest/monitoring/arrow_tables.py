"""Parts of rows that are in this process already: Arrow tables, no engine."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from nextbest.errors import DataError
from nextbest.monitoring.folding import AT, CHUNK, MODEL, SLICE, Parts, Plan, fold
from nextbest.monitoring.sketching import is_number, kinds

_NAMES = {
    "int8": "tinyint", "int16": "smallint", "int32": "int", "int64": "bigint", "float": "float",
    "double": "double", "bool": "boolean", "string": "string", "large_string": "string",
    "string_view": "string", "date32[day]": "date",
}  # fmt: skip


def table_parts(
    table: pa.Table,
    *,
    columns: Sequence[str],
    timestamp: str | None = None,
    granularity: str | None = None,
    model_id: str | None = None,
    slices: Sequence[str] = (),
    chunk: int = CHUNK,
) -> Parts:
    """The same parts as `sketching.sketched`, but that slices are columns and all values kept.

    Raises DataError for columns that are missing or can't be profiled, and for rows without a
    timestamp.
    """
    types = kinds([(field.name, data_type(field.type)) for field in table.schema], columns)
    needed = [name for name in (timestamp, model_id, *slices) if name]
    if missing := [name for name in needed if name not in table.column_names]:
        raise DataError(f"monitored table: no column {', '.join(missing)}")
    numeric = frozenset(name for name, kind in types.items() if is_number(kind))
    plan = Plan(types, numeric, granularity, tuple(slices), model_id is not None)
    cells = {name: _cell(table.column(name), kind) for name, kind in types.items()}
    if timestamp:
        micros = table.column(timestamp).cast(pa.timestamp("us", "UTC"))
        cells[AT] = micros.cast(pa.int64())
    if model_id:
        cells[MODEL] = _text(table.column(model_id))
    for number, name in enumerate(slices):
        cells[f"{SLICE}{number}"] = _text(table.column(name))
    return fold(pa.table(cells).to_batches(), plan, chunk)


def data_type(kind: pa.DataType) -> str:
    """The engine's name of an Arrow type; Arrow's own where the engine has none."""
    if pa.types.is_dictionary(kind):
        return data_type(kind.value_type)
    if pa.types.is_timestamp(kind):
        return "timestamp"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    return _NAMES.get(str(kind), str(kind))


def _cell(column: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    if kind == "timestamp":
        micros = column.cast(pa.timestamp("us", "UTC")).cast(pa.int64())
        return pc.divide(micros.cast(pa.float64(), safe=False), 1e6)
    if kind == "date":
        return pc.multiply(column.cast(pa.int32()).cast(pa.float64()), 86400.0)
    return column.cast(pa.float64(), safe=False) if is_number(kind) else _text(column)


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type) and pa.types.is_string(column.type.value_type):
        return column
    return column.cast(pa.string())
