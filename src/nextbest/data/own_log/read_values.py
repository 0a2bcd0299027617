"""What a mapping asks of a row, read from the columns of some rows; and where it can't be read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nextbest.data.own_log import values
from nextbest.data.own_log.expressions import evaluate
from nextbest.data.own_log.files import Dialect
from nextbest.data.own_log.mapping import Moment, Value

TIME = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class Read:
    """Values, null where there is none; and by column of the log the rows that can't be read."""

    values: pa.Array
    strange: tuple[tuple[str, np.ndarray], ...] = ()

    @property
    def unread(self) -> np.ndarray:
        """Rows of which some column can't be read."""
        found = np.zeros(len(self.values), dtype=bool)
        for _, strange in self.strange:
            found |= strange
        return found


def _text(table: pa.Table, value: Value, dialect: Dialect) -> Read:
    if value.constant is not None:
        return Read(pa.array([value.constant] * table.num_rows, pa.string()))
    read = _column_or_expression(table, value, dialect)
    found = read.values.cast(pa.string())
    return Read(_replaced(found, value, read.unread), read.strange)


def _number(table: pa.Table, value: Value, dialect: Dialect) -> Read:
    if value.constant is not None:
        return Read(pa.array(np.full(table.num_rows, float(value.constant))))
    if value.expression is not None:
        read = _column_or_expression(table, value, dialect)
    else:
        column = table.column(value.column)
        if value.values or value.otherwise is not None:
            text = values.texts(column, dialect)
            column = _replaced(text, value, np.zeros(len(text), dtype=bool))
        found, strange = values.numbers(column, dialect)
        read = Read(found, ((value.column, strange),))
    if value.empty is None:
        return read
    gone = pc.and_(pc.is_null(read.values), pc.invert(pa.array(read.unread)))
    return Read(pc.if_else(gone, float(value.empty), read.values), read.strange)


def _column_or_expression(table: pa.Table, value: Value, dialect: Dialect) -> Read:
    """What can't be read makes an expression unknown, whatever it would do with a null."""
    if value.expression is None:
        return Read(values.texts(table.column(value.column), dialect))
    columns, noted = {}, []
    for name in value.columns:
        if name in dialect.numbers:
            columns[name], strange = values.numbers(table.column(name), dialect)
            noted.append((name, strange))
        else:
            columns[name] = values.texts(table.column(name), dialect)
    found = evaluate(value.expression, columns, table.num_rows)
    unread = Read(found, tuple(noted)).unread
    return Read(pc.if_else(pa.array(unread), pa.scalar(None, found.type), found), tuple(noted))


def _moment(table: pa.Table, time: Moment, dialect: Dialect) -> Read:
    if time.column is None:  # dealt, once it is known to whom
        return Read(pa.nulls(table.num_rows, TIME))
    found, strange = values.moments(table.column(time.column), time.formats, dialect)
    return Read(found, ((time.column, strange),))


READERS: dict[str, Callable[..., Read]] = {"text": _text, "number": _number, "moment": _moment}


def dealt(keys: pa.Array, time: Moment) -> pa.Array:
    """Times evenly over days and the hours of each, by a hash of the key: always the same."""
    span = time.days * 86_400
    bits = [hashlib.blake2b((k or "").encode(), digest_size=8).digest() for k in keys.to_pylist()]
    share = np.frombuffer(b"".join(bits), dtype=">u8").astype(np.float64) / 2.0**64
    begin = np.datetime64(time.first).astype("datetime64[s]").astype(np.int64)
    second = begin + np.minimum(share * span, span - 1).astype(np.int64)
    return pa.array(second * 1_000_000).cast(pa.timestamp("us")).cast(TIME)


def _replaced(found: pa.Array, value: Value, unread: np.ndarray) -> pa.Array:
    """Texts by the value map; `empty` and `otherwise` fill in."""
    if value.empty is not None:
        gone = pc.and_(pc.is_null(found), pc.invert(pa.array(unread)))
        found = pc.if_else(gone, value.empty, found)
    if not value.values and value.otherwise is None:
        return found
    names = pa.array(list(value.values), pa.string())
    at = pc.index_in(found, value_set=names)
    new = pc.take(pa.array(list(value.values.values()), pa.string()), at)
    rest = found
    if value.otherwise is not None:
        rest = pc.if_else(pc.is_valid(found), value.otherwise, found)
    return pc.coalesce(new, rest)
