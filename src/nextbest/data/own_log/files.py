"""A log in a file as batches of columns: text as it stands, lines that break off set aside."""

from __future__ import annotations

import csv
import io
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.dataset as ds

from nextbest.data.own_log.swallowed import refuse_swallowed
from nextbest.errors import DataError

csv.field_size_limit(1 << 27)  # Python's own is 131,072 letters, and a cell may hold a document
ROWS = 65_536  # of one batch
BLOCK = 1 << 21  # bytes of a CSV that are read at once; Arrow reads some 16 blocks ahead
FORMATS = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".csv.gz": "csv", ".tsv.gz": "csv",
    ".jsonl": "json", ".ndjson": "json", ".json": "json", ".dsjson": "json", ".jsonl.gz": "json",
    ".json.gz": "json", ".parquet": "parquet",
}  # fmt: skip
EMPTY = ("", "NA", "N/A", "NULL", "null", "None", "nan", "NaN", "\\N")


@dataclass(frozen=True)
class Dialect:
    """How a log's text is read; Parquet and tables need `empty` and `time_zone` at most.

    `skip` lines stand before the header; without a `header` columns are column_1 and so on. Times
    without an offset are of `time_zone`. A text of `empty` is no value. `numbers` are the columns
    that expressions read as numbers.
    """

    format: str = "csv"
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    skip: int = 0
    header: bool = True
    decimal: str = "."
    time_zone: str = "UTC"
    empty: tuple[str, ...] = EMPTY
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rows:
    """Some rows of a log: their columns, the first one's number (from 1), and broken lines."""

    columns: pa.Table
    first: int
    broken: tuple[str, ...] = ()


def format_of(path: Path) -> str | None:
    """csv, json, parquet or delta by the name of the file (folder), None when it tells nothing."""
    if (path / "_delta_log").is_dir():
        return "delta"
    if path.is_dir():
        return "parquet" if next(path.rglob("*.parquet"), None) else None
    return FORMATS.get("".join(path.suffixes[-2:]).lower(), FORMATS.get(path.suffix.lower()))


def header(path: Path, dialect: Dialect) -> tuple[str, ...]:
    """Names of a CSV's columns, made unique: the second `x` is `x.2`, a nameless one `column_3`."""
    return _header(path, dialect)[0]


def _header(path: Path, dialect: Dialect) -> tuple[tuple[str, ...], int]:
    """Names of a CSV's columns, and the lines they take: a quoted name may go over several."""
    with open_text(path, dialect.encoding) as lines:
        for _ in range(dialect.skip):
            next(lines, "")
        if dialect.quote:
            reader = csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quote)
        else:
            reader = csv.reader(lines, delimiter=dialect.delimiter, quoting=csv.QUOTE_NONE)
        named = next(reader, [])
    if not dialect.header:
        return unique([""] * len(named)), 0
    whole = [" ".join(part.strip() for part in name.splitlines()) for name in named]
    return unique(whole), reader.line_num


def unique(named: Sequence[str]) -> tuple[str, ...]:
    """Names without doubles; which is which goes by the position."""
    found: list[str] = []
    for at, name in enumerate(named, 1):
        name = name or f"column_{at}"
        count = 2
        new = name
        while new in found:
            new, count = f"{name}.{count}", count + 1
        found.append(new)
    return tuple(found)


def columns_of(path: Path, dialect: Dialect) -> tuple[str, ...] | None:
    """Names of a file's columns, nested ones dotted; None for JSON, of which each line has its own.

    Raises DataError when the file can't be read.
    """
    if dialect.format == "json":
        return None
    if dialect.format == "csv":
        return header(path, dialect)
    try:
        schema = ds.dataset(str(path), format="parquet", partitioning="hive").schema
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path}: can't be read: {error}") from error
    return tuple(flat(schema.empty_table()).column_names)


def flat(table: pa.Table) -> pa.Table:
    """Fields of structs as columns of their own, by dotted names."""
    while any(pa.types.is_struct(each) for each in table.schema.types):
        table = table.flatten()
    return table


def holding(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """The columns that `wanted` (dotted names) are, or are fields of."""
    parts = {name for each in wanted for name in (each, *_above(each))}
    return [name for name in names if name in parts]


def _above(name: str) -> Iterator[str]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


def open_text(path: Path, encoding: str) -> io.TextIOBase:
    """The file as text, a byte order mark taken off; .gz is unpacked."""
    import gzip

    encoding = "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    return opened(path, "rt", encoding=encoding, newline="")


def read(path: Path, dialect: Dialect, columns: Sequence[str] | None = None) -> Iterator[Rows]:
    """Rows in the order of the file, in flat memory; a column that JSON lines lack has type null.

    A CSV's and JSON's values are text as they stand. Rows count from 1 without the header, broken
    lines not counted. Raises DataError where the file can't be read on, naming the row.
    """
    readers = {"csv": _csv, "json": _json, "parquet": _parquet}
    first = 1
    try:
        for table, broken in readers[dialect.format](path, dialect, columns):
            yield Rows(table, first, tuple(broken))
            first += table.num_rows
    except UnicodeError as error:
        raise DataError(
            f"{path}: after row {first - 1} there are bytes that are no {dialect.encoding} "
            f"({error}); write it anew as UTF-8, or set log.encoding in the mapping (cp1252 is "
            "usual for old Windows files) and try it by `dbb inspect-log --mapping`"
        ) from error
    except (pa.ArrowInvalid, pa.ArrowTypeError, OSError, EOFError, zlib.error) as error:
        told = str(error)
        if "straddling" in told:
            told = (
                f"a value goes on over more than {BLOCK:,} bytes: a {dialect.quote} is not closed; "
                "mend it, or write log.quote: '' in the mapping if the log quotes nothing"
            )
        raise DataError(f"{path}: can't be read after row {first - 1}: {told}") from error


def _csv(
    path: Path, dialect: Dialect, columns: Sequence[str] | None
) -> Iterator[tuple[pa.Table, list[str]]]:
    names, lines = _header(path, dialect)
    broken: list[str] = []

    def set_aside(row: Any) -> str:
        broken.append(f"a line of {row.actual_columns} values, not {len(names)}: {row.text}")
        return "skip"

    wanted = list(names if columns is None else columns)
    packed = "gzip" if path.suffix.lower() == ".gz" else None  # Arrow does not know .GZ
    with (
        pa.input_stream(path, compression=packed) as file,
        arrow_csv.open_csv(
            file,
            read_options=arrow_csv.ReadOptions(
                use_threads=False,
                block_size=BLOCK,
                column_names=list(names),
                skip_rows=dialect.skip + lines,
                encoding=dialect.encoding,
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=dialect.delimiter,
                quote_char=dialect.quote or False,
                newlines_in_values=bool(dialect.quote),
                invalid_row_handler=set_aside,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string())
            ),
        ) as reader,
    ):
        first = 1
        for batch in reader:
            told = broken[:]
            broken.clear()
            refuse_swallowed(
                str(path), dialect.delimiter, dialect.quote, batch, first, told
            )  # also where nobody asked for it
            first += batch.num_rows
            yield pa.table(batch).select(wanted), told
        none = pa.record_batch({name: pa.array([], pa.string()) for name in names})
        refuse_swallowed(str(path), dialect.delimiter, dialect.quote, none, first, broken)
    if broken:
        yield pa.table(none).select(wanted), broken


def _json(
    path: Path, dialect: Dialect, columns: Sequence[str] | None
) -> Iterator[tuple[pa.Table, list[str]]]:
    rows: list[dict[str, str | None]] = []
    broken: list[str] = []
    with open_text(path, dialect.encoding) as lines:
        for line in lines:
            if not line.strip():
                continue
            try:
                value = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
            except ValueError as error:
                broken.append(f"a line that is no JSON ({error}): {line.strip()}")
                continue
            if not isinstance(value, dict):
                broken.append(f"a line that is no JSON object: {line.strip()}")
                continue
            rows.append(dict(_flat(value)))
            if len(rows) == ROWS:
                yield _table(rows, columns), broken
                rows, broken = [], []
    if rows or broken:
        yield _table(rows, columns), broken


def _flat(value: dict[str, Any], before: str = "") -> Iterator[tuple[str, str | None]]:
    """Nested objects as dotted names; lists as JSON."""
    for name, each in value.items():
        if isinstance(each, dict):
            yield from _flat(each, f"{before}{name}.")
        elif isinstance(each, list):
            yield before + name, json.dumps(each, ensure_ascii=False)
        elif isinstance(each, bool):
            yield before + name, str(each).lower()
        else:
            yield before + name, each


def _table(rows: list[dict[str, str | None]], columns: Sequence[str] | None) -> pa.Table:
    names = list(dict.fromkeys(n for row in rows for n in row)) if columns is None else columns
    found = {n: pa.array([row.get(n) for row in rows], pa.string()) for n in names}
    there = {name for row in rows for name in row}
    return pa.table({n: found[n] if n in there else pa.nulls(len(rows)) for n in names})


def _parquet(
    path: Path, dialect: Dialect, columns: Sequence[str] | None
) -> Iterator[tuple[pa.Table, list[str]]]:
    dataset = ds.dataset(str(path), format="parquet", partitioning="hive")
    for batch in dataset.to_batches(
        columns=None if columns is None else holding(dataset.schema.names, columns),
        batch_size=ROWS,
        batch_readahead=2,
        fragment_readahead=1,
    ):
        yield flat(pa.table(batch)), []
