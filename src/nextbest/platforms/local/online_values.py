"""Feature values as sqlite keeps them, and back: each type whole, none through text in passing."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from nextbest.errors import DataError

_MOST = 2**63 - 1  # whole numbers beyond it can't be told to sqlite
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_LEAVES = ("smallint", "int", "bigint", "float", "double", "boolean", "string")


def supported(data_type: str) -> bool:
    """Whether values of this engine type can be kept: simple types and arrays of plain ones."""
    simple = {*_LEAVES, "binary", "date", "timestamp"}
    element = data_type.removeprefix("array<").removesuffix(">")
    array = data_type == f"array<{element}>" and element in _LEAVES
    return data_type in simple or data_type.startswith("decimal(") or array


def encode_column(column: pa.Array, data_type: str) -> list[Any]:
    """A column as sqlite takes it.

    Times are whole microseconds since 1970 in UTC, days whole days, decimals and arrays text. NaN
    is text as well, since sqlite has none and would make it NULL.
    """
    if data_type == "timestamp":
        column = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64())
    elif data_type == "date":
        column = column.cast(pa.date32()).cast(pa.int32())
    values = column.to_pylist()
    if data_type in ("float", "double"):
        return ["NaN" if value is not None and math.isnan(value) else value for value in values]
    if data_type == "boolean":
        return [None if value is None else int(value) for value in values]
    if data_type.startswith("decimal("):
        return [None if value is None else str(value) for value in values]
    if data_type.startswith("array<"):
        return [None if value is None else json.dumps(value) for value in values]
    return values


def encode_key(value: Any, data_type: str, place: str) -> Any:
    """One key as it was encoded in its column; DataError when it is of another type.

    None, which finds no row, for a number that no row of this type can have.
    """
    kinds: dict[str, type] = {
        "string": str, "binary": bytes, "boolean": bool, "date": dt.date,
        "timestamp": dt.datetime, "float": float, "double": float,
    }  # fmt: skip
    kind = kinds.get(data_type, decimal.Decimal if data_type.startswith("decimal(") else int)
    mixed = isinstance(value, bool) != (data_type == "boolean")  # a bool is an int to Python
    mixed |= data_type == "date" and isinstance(value, dt.datetime)
    if mixed or not isinstance(value, kind):
        raise DataError(f"{place} is {data_type}, not {type(value).__name__} ({value!r})")
    if data_type == "timestamp":
        if value.tzinfo is None:
            raise DataError(f"{place}: {value!r} has no time zone; give it one, such as UTC")
        return (value - _EPOCH) // dt.timedelta(microseconds=1)
    if data_type == "date":
        return (value - _EPOCH.date()).days
    if data_type.startswith("decimal("):
        return _decimal(value, int(data_type.rstrip(")").partition(",")[2]))
    if kind is float:
        return "NaN" if math.isnan(value) else value
    if kind is int and not -_MOST - 1 <= value <= _MOST:
        return None
    return int(value) if data_type == "boolean" else value


def _decimal(value: decimal.Decimal, scale: int) -> str | None:
    digits = decimal.Context(prec=38)  # Spark's most
    try:
        scaled = value.quantize(decimal.Decimal(1).scaleb(-scale), context=digits)
    except decimal.InvalidOperation:  # more digits, or infinite
        return None
    return str(digits.plus(scaled)) if scaled == value else None  # plus: zero has no sign


def decoder(data_type: str) -> Callable[[Any], Any] | None:
    """What makes the value again; None where sqlite's own is it."""
    if data_type in ("float", "double"):
        return float
    if data_type == "boolean":
        return bool
    if data_type == "timestamp":
        return lambda value: _EPOCH + dt.timedelta(microseconds=value)
    if data_type == "date":
        return lambda value: _EPOCH.date() + dt.timedelta(days=value)
    if data_type.startswith("decimal("):
        return decimal.Decimal
    return json.loads if data_type.startswith("array<") else None
