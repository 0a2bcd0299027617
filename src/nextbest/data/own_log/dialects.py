"""How a file's text is written: encoding, delimiter, header, decimal mark; found by looking."""

from __future__ import annotations

import codecs
import csv
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pyarrow as pa

from nextbest.data.own_log.files import Dialect, format_of, open_text
from nextbest.errors import UsageError

LINES = 500
_CHUNK = 1 << 23
_BOMS = {
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
_OTHERS = {
    b"PAR1": "Parquet without the suffix .parquet: rename it",
    b"PK": "a zip or an Excel workbook: unpack it, or save its sheet as CSV",
    b"\x1f\x8b": "gzip without the suffix .gz: rename it",
    b"SQLite": "a sqlite database: export the table as CSV",
}
_VW = re.compile(r"^(\d+:-?[\d.]+:[\d.]+\s+)+\||^[^|,;\t]*\|\w* [^|]*:?")
# What only one mark can be: 0,275 groups no thousands, 1,234 may.
_COMMA = re.compile(r"-?(\d{1,3}(\.\d{3})+,\d+|\d+,(\d{1,2}|\d{4,})|0+,\d+|\d{4,},\d+)")
_POINT = re.compile(r"-?(\d{1,3}(,\d{3})+\.\d+|\d+\.(\d{1,2}|\d{4,})|0+\.\d+|\d{4,}\.\d+)")
_EITHER = re.compile(r"-?[1-9]\d{0,2},\d{3}")
_AROUND = " \u00a0%€$£"


def sniff(
    path: Path, seen: Callable[[int], None] = lambda done: None
) -> tuple[Dialect, list[str], list[str]]:
    """A text file's dialect, what is remarkable about it in words, and what is in doubt.

    Reads the whole file once, to be sure of its encoding (`seen` is told the bytes). Raises
    UsageError for what is no CSV and no JSON lines, saying what it is, and for a file cut off.
    """
    try:
        encoding, told, doubts = _encoding(path, seen)
    except (EOFError, OSError, zlib.error) as error:
        raise UsageError(f"{path}: can't be read to its end: {error}") from error
    try:
        with open_text(path, encoding) as lines:
            head = list(islice(lines, LINES))
    except UnicodeError as error:
        mark = f"though its byte order mark promises {encoding}" if told else f"nor {encoding}"
        raise UsageError(
            f"{path}: is no UTF-8, {mark} ({error}): write it anew as UTF-8, as `iconv -f "
            "shift_jis -t utf-8` does for a Japanese one"
        ) from error
    text = next((line.strip() for line in head if line.strip()), "")
    if not text:
        raise UsageError(f"{path}: the log is empty")
    if format_of(path) == "json" or text.startswith("{"):
        if text.startswith("["):
            raise UsageError(
                f"{path}: one JSON list: write one object a line (jq -c '.[]' does), as .jsonl"
            )
        if text.count("{") > text.count("}"):
            raise UsageError(
                f"{path}: an object stands on several lines: write one a line (jq -c . does)"
            )
        return Dialect(format="json", encoding=encoding), told, doubts
    if "::" in text and text.count("::") == min(line.count("::") for line in head if line.strip()):
        raise UsageError(
            f"{path}: columns are parted by '::', two characters; replace them by a tab"
        )
    delimiter, skip = _delimiter(path, head)
    found = Dialect(encoding=encoding, delimiter=delimiter, skip=skip)
    if skip:
        told.append(f"{skip} lines stand before the header")
    below = list(csv.reader(head[skip:], delimiter=delimiter))
    names = below[0]
    above = next(csv.reader(head[skip - 1 : skip], delimiter=delimiter), [])
    if len(above) == len(names) - 1 and (not names[-1] or any(map(_number, names))):
        raise UsageError(
            f"{path}:{skip}: the header has {len(above)} names, and the lines below it have "
            f"{len(names)} values: name the first column (R's row names have none), or take the "
            "delimiter at the end of the lines away"
        )
    if any(map(_number, names)) and not _counted(below):
        told.append("the first line holds values: there is no header, columns are named by number")
        found = replace(found, header=False)
    again = [name for name, count in Counter(names).items() if count > 1 and found.header and name]
    if again:
        told.append(f"columns of the same name get a number: {', '.join(again)}")
    return found, told, doubts


def _encoding(path: Path, seen: Callable[[int], None]) -> tuple[str, list[str], list[str]]:
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    with opened(path, "rb") as file:
        begin = file.read(4096)
        for mark, what in _OTHERS.items():
            if begin.startswith(mark):
                raise UsageError(f"{path}: is {what}")
        for mark, name in _BOMS.items():
            if begin.startswith(mark):
                return name, [f"{name} with a byte order mark"], []
        for at, name in ((1, "utf-16-le"), (0, "utf-16-be")):
            if len(begin) > 3 and not any(begin[at : len(begin) // 2 * 2 : 2]):
                return name, [f"{name} without a byte order mark"], []
        if b"\0" in begin:
            raise UsageError(f"{path}: is no text (it holds zero bytes): give CSV, JSON lines, "
                             "Parquet or a Delta table")  # fmt: skip
        decoder, chunk = codecs.getincrementaldecoder("utf-8")(), begin
        done = 0
        try:
            while chunk:
                decoder.decode(chunk)
                seen(len(chunk))
                done += len(chunk)
                chunk = file.read(_CHUNK)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            doubt = (
                f"log.encoding: not UTF-8 (from about byte {done + error.start:,} on) and read as "
                "cp1252: look whether names with accents are right"
            )
            return "cp1252", [], [doubt]
    return "utf-8", [], []


def _delimiter(path: Path, head: list[str]) -> tuple[str, int]:
    """The delimiter, and how many lines stand before the header: by the number of columns."""
    said = re.fullmatch(r"sep=(.)\s*", head[0])
    best = (0.0, 1, ",", 0)
    for each in said[1] if said else ",;\t|":
        counts = [len(row) for row in csv.reader(head, delimiter=each) if row]
        width, _ = Counter(counts).most_common(1)[0] if counts else (1, 0)
        share = sum(count == width for count in counts) / max(len(counts), 1)
        if width > 1 and (share, width) > best[:2]:
            best = (share, width, each, _lines_before(head, each, width))
    share, width, delimiter, skip = best
    if width == 1:
        what = "one column only: no comma, semicolon, tab or | parts its lines"
        if any(_VW.match(line) for line in head[:5]):
            what = "Vowpal Wabbit's text format: write it as dsjson (--dsjson) or as CSV"
        raise UsageError(f"{path}: {what}")
    if delimiter == "|" and _VW.match(head[0]):
        raise UsageError(f"{path}: looks like Vowpal Wabbit's text format: write it as dsjson")
    return delimiter, skip


def _lines_before(head: list[str], delimiter: str, width: int) -> int:
    """How many lines stand before the first row of that many values."""
    rows, before = csv.reader(head, delimiter=delimiter), 0
    for row in rows:
        if len(row) == width:
            break
        before = rows.line_num
    return before


def _counted(rows: list[list[str]]) -> bool:
    """Whether the first row names some columns by words, and others by 0, 1, 2, …"""
    names = rows[0]
    counts = [float(name) for name in names if _number(name)]
    if not 1 < len(counts) < len(names) or counts != [counts[0] + k for k in range(len(counts))]:
        return False
    again = any(name in {row[k] for row in rows[1:] if k < len(row)}
                for k, name in enumerate(names) if not _number(name))  # fmt: skip
    return counts[0] in (0, 1) and not again


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.strip().lower() not in ("nan", "inf", "infinity")


def decimal_of(sample: pa.Table, delimiter: str = ",") -> tuple[str, list[str]]:
    """The decimal mark of most columns of text, by values in which only one mark can be one.

    Where as many columns have the other mark, a semicolon between columns tells the comma.
    """
    commas: list[str] = []
    points: list[str] = []
    mixed: list[str] = []
    either = 0
    for name, column in zip(sample.column_names, sample.columns, strict=True):
        if pa.types.is_string(column.type):
            texts = [text.strip(_AROUND) for text in column.unique().to_pylist()[:2000] if text]
            either += sum(_EITHER.fullmatch(text) is not None for text in texts)
            comma = sum(_COMMA.fullmatch(text) is not None for text in texts)
            point = sum(_POINT.fullmatch(text) is not None for text in texts)
            if comma and comma >= point:
                commas.append(name)
            if point and point >= comma:
                points.append(name)
            mixed += [name] if comma and point else []
    tie = len(commas) == len(points) > 0 and delimiter == ";"
    mark = "," if len(commas) > len(points) or tie else "."
    told = []
    if commas and points or mixed:
        told.append(
            "numbers are written both ways: with a decimal comma in "
            f"{', '.join(dict.fromkeys([*commas, *mixed]))}, with a point in "
            f"{', '.join(dict.fromkeys([*points, *mixed]))}; log.decimal is '{mark}', and numbers "
            "with the other mark would be rejected"
        )
    if either and not commas and not points:
        told.append(
            f"{either} numbers like 1,234 are read as thousands, and no other number tells the "
            "decimal mark: if it is the comma, write log.decimal: ','"
        )
    return mark, told
