"""Columns as they stand in a log → text, numbers, moments and lists; what can't be read is told."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nextbest.data.own_log.files import Dialect
from nextbest.errors import DataError
from nextbest.evaluation.ope.source import numbers as plain_numbers

EPOCHS = {  # microseconds of a unit
    "epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1, "epoch_ns": 0.001,
}  # fmt: skip
SINCE = re.compile(r"seconds_since (\d{4}-\d\d-\d\d)")
ISO = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?$"
_RUN_TOGETHER = {"%Y%m%d": 8, "%Y%m%d%H%M%S": 14, "%Y%m%dT%H%M%S": 15, "%d%m%Y": 8}  # letters
# Behind a time of day, or the -05 of 2026-01-05 would be one; Postgres writes +02.
OFFSET = r":\d{2}(?:\.\d+)? ?(?:Z|UTC|[+-]\d{2}(?::?\d{2})?)$"
_TRUE = ("true", "t", "yes", "y", "ja", "j", "wahr", "sí", "si", "s", "verdadero", "oui", "vrai")
_FALSE = ("false", "f", "no", "n", "nein", "falsch", "falso", "non", "faux")
_MONEY = r"^[€$£]|[€$£]$|^(EUR|USD|GBP)\b|\b(EUR|USD|GBP)$"


def texts(column: pa.ChunkedArray | pa.Array, dialect: Dialect) -> pa.Array:
    """Trimmed text, null where a value is empty; numbers and moments as Arrow writes them."""
    column = plain(column)
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        lists = [None if v is None else json.dumps(v, default=str) for v in column.to_pylist()]
        return pa.array(lists, pa.string())
    try:
        trimmed = pc.utf8_trim_whitespace(column.cast(pa.string()))
        if pa.types.is_floating(column.type):  # ids that went through a float: 3.0 is 3
            small = pc.less(pc.abs(column), 2.0**53)
            whole = pc.fill_null(pc.and_(small, pc.equal(pc.floor(column), column)), False)
            number = pc.if_else(whole, column, 0.0).cast(pa.int64()).cast(pa.string())
            trimmed = pc.if_else(whole, number, trimmed)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise DataError(f"is {column.type}, which can't be read as text: cast it first") from error
    nothing = pc.is_in(trimmed, value_set=pa.array(dialect.empty, pa.string()))
    return pc.if_else(nothing, pa.scalar(None, pa.string()), trimmed)


def plain(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """One array, of values and not of codes for them."""
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def numbers(column: pa.ChunkedArray | pa.Array, dialect: Dialect) -> tuple[pa.Array, np.ndarray]:
    """Doubles, null where there is none (NaN is none); and where a value is no finite number.

    Text may have the log's decimal mark, groups of thousands, a currency before or after it, %
    (a hundredth) or be true/false, yes/no (also in German, Spanish, French).
    """
    column = plain(column)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        found, _ = plain_numbers(column, text_is_number=False)
        return pa.array(found, mask=~np.isfinite(found)), np.isinf(found)
    # Few different texts in many rows are read once each.
    coded = texts(column, dialect).dictionary_encode()
    read, strange = _read(coded.dictionary, dialect)
    if not len(read):
        return pa.nulls(len(column), pa.float64()), np.zeros(len(column), dtype=bool)
    strange = pc.fill_null(pc.take(pa.array(strange), coded.indices), False)
    return pc.take(read, coded.indices), strange.to_numpy(zero_copy_only=False)


def _read(found: pa.Array, dialect: Dialect) -> tuple[pa.Array, np.ndarray]:
    bare = pc.utf8_trim_whitespace(pc.replace_substring_regex(found, _MONEY, ""))
    bare = pc.replace_substring_regex(bare, "(\\d)[\u00a0\u202f '](\\d{3})", "\\1\\2")
    hundredths = pc.ends_with(bare, "%")
    bare = pc.utf8_trim_whitespace(pc.replace_substring_regex(bare, "%$", ""))
    group = "." if dialect.decimal == "," else ","
    grouped = rf"^[+-]?[1-9]\d{{0,2}}([{group}]\d{{3}})+([{dialect.decimal}]\d*)?$"
    bare = pc.if_else(
        pc.match_substring_regex(bare, grouped), pc.replace_substring(bare, group, ""), bare
    )
    if dialect.decimal == ",":
        # A point that groups no thousands is none of this log's marks.
        pointed = pc.match_substring(bare, ".")
        bare = pc.if_else(pointed, pa.scalar("?"), pc.replace_substring(bare, ",", "."))
    for words, value in ((_TRUE, "1"), (_FALSE, "0")):
        said = pc.is_in(pc.utf8_lower(bare), value_set=pa.array(words))
        bare = pc.if_else(said, pa.scalar(value), bare)
    read, _ = plain_numbers(bare, text_is_number=True)
    read = np.where(hundredths.to_numpy(zero_copy_only=False), read / 100, read)
    return pa.array(read, mask=~np.isfinite(read)), ~np.isfinite(read)


def moments(
    column: pa.ChunkedArray | pa.Array, formats: Sequence[str], dialect: Dialect
) -> tuple[pa.Array, np.ndarray]:
    """Timestamps (µs, UTC), null where there is none; and where no format fits.

    `formats` are tried in their order: iso, epoch_s, epoch_ms, epoch_us, epoch_ns, "seconds_since
    2026-01-01", or a pattern as strptime has it. A time without offset is of the log's zone; an
    hour that its clocks show twice is the first one, an hour that they leap over moves on.
    """
    column = plain(column)
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        series = pd.to_datetime(column.to_pandas(), errors="coerce")
        return _moments(_in_utc(series, dialect)), np.zeros(len(column), dtype=bool)
    found = texts(column, dialect)
    # Few different times in many rows are read once each.
    coded = found.dictionary_encode()
    series = pd.Series(coded.dictionary.to_pandas(), dtype=object)
    read = pd.Series(pd.NaT, index=series.index, dtype="datetime64[us, UTC]")
    for each in formats:
        left = read.isna()
        if left.any():
            read[left] = _by_format(series[left], each, dialect)
    at = coded.indices.to_pandas().fillna(-1).astype(int).to_numpy()
    values = pd.Series([*read, pd.NaT], dtype="datetime64[us, UTC]").iloc[at]
    missing = found.is_null().to_numpy(zero_copy_only=False)
    return _moments(values), values.isna().to_numpy() & ~missing


def _moments(series: pd.Series) -> pa.Array:
    return pa.Array.from_pandas(series, type=pa.timestamp("us", tz="UTC"))


def _by_format(series: pd.Series, name: str, dialect: Dialect) -> pd.Series:
    unit = 1_000_000 if SINCE.fullmatch(name) else EPOCHS.get(name)
    if unit is not None:
        count = pd.to_numeric(series, errors="coerce")
        origin = SINCE.fullmatch(name)
        begin = pd.Timestamp(origin[1] if origin else "1970-01-01", tz="UTC")
        inside = count.where(count.abs() * unit < 4e15)  # two lifetimes: others are other units
        return begin + pd.to_timedelta((inside * unit).round(), unit="us")
    if name in _RUN_TOGETHER:  # else 202611 would be the first of January
        series = series.where(series.str.len() == _RUN_TOGETHER[name])
    if name != "iso":
        apart = "%z" in name  # offsets that change with summer are of one kind in UTC only
        read = pd.to_datetime(series, format=name, utc=apart, errors="coerce")
        return _in_utc(read, dialect)
    series = series.where(series.str.match(ISO)).str.replace(r" ?UTC$", "Z", regex=True)
    offset = series.str.contains(OFFSET, regex=True, na=False)
    read = pd.to_datetime(series.where(offset), format="ISO8601", utc=True, errors="coerce")
    bare = pd.to_datetime(series.where(~offset), format="ISO8601", errors="coerce")
    return read.fillna(_in_utc(bare, dialect))


def _in_utc(series: pd.Series, dialect: Dialect) -> pd.Series:
    if series.dt.tz is None:
        first = np.ones(len(series), dtype=bool)
        zone = dialect.time_zone
        series = series.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
    return series.dt.tz_convert(dt.UTC).dt.as_unit("us")


def lists(
    column: pa.ChunkedArray | pa.Array, separator: str | None, dialect: Dialect
) -> list[tuple[str, ...] | None]:
    """Lists of text: of a list column, of JSON (or as Python writes a list), or of split text."""
    column = plain(column)
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        return [None if v is None else tuple(map(str, v)) for v in column.to_pylist()]
    coded = texts(column, dialect).dictionary_encode()
    read = [_split(text, separator) for text in coded.dictionary.to_pylist()]
    return [None if at is None else read[at] for at in coded.indices.to_pylist()]


def _split(text: str, separator: str | None) -> tuple[str, ...]:
    if separator is not None:
        return tuple(part.strip() for part in text.split(separator) if part.strip())
    parts = re.findall(r"\"([^\"]*)\"|'([^']*)'|([^\s,\[\]()]+)", text)
    return tuple(next(group for group in groups if group) for groups in parts if any(groups))
