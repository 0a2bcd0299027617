"""Notebooks as cells: source files (`# Databricks notebook source`) and `.ipynb`."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nextbest.errors import UsageError

FIRST_LINE = "# Databricks notebook source"
_SEPARATOR = "# COMMAND ----------"
_MAGIC = "# MAGIC"
_TITLE = "# DBTITLE 1,"
LANGUAGES = ("python", "md", "sql", "pip", "run", "sh")


@dataclass(frozen=True)
class Cell:
    """One piece to execute: `line` is where `source` begins in `file`, 1-based."""

    language: str  # one of LANGUAGES
    source: str
    file: str
    line: int
    title: str = ""


def parse(path: Path) -> tuple[Cell, ...]:
    """Cells of a notebook in order; raises UsageError naming file:line of what can't run here.

    A magic line inside a Python cell becomes a cell of its own, as it does on Databricks.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"notebook {path} can't be read: {error}") from error
    cells = list(_ipynb(path, text) if path.suffix == ".ipynb" else _source(path, text))
    problems = [problem for cell in cells if (problem := _problem(cell))]
    if problems:
        raise UsageError("; ".join(problems))
    return tuple(cells)


def _problem(cell: Cell) -> str | None:
    if cell.language not in LANGUAGES:
        return (
            f"{cell.file}:{cell.line}: %{cell.language} can't run locally, only "
            f"{', '.join('%' + name for name in LANGUAGES)}"
        )
    if cell.language == "run" and len(cell.source.split()) != 1:
        return f"{cell.file}:{cell.line}: %run stands alone in its cell and takes one path"
    return None


def _source(path: Path, text: str) -> Iterator[Cell]:
    lines = text.splitlines()
    if not lines or lines[0].strip() != FIRST_LINE:
        raise UsageError(f"{path}:1: the first line of a notebook must be '{FIRST_LINE}'")
    cell: list[tuple[int, str]] = []
    for number, line in enumerate([*lines[1:], _SEPARATOR], start=2):
        if line.strip() == _SEPARATOR:
            yield from _cells(str(path), cell)
            cell = []
        else:
            cell.append((number, line))


def _cells(file: str, lines: list[tuple[int, str]]) -> Iterator[Cell]:
    title = ""
    titles = [line for _, line in lines if line.startswith(_TITLE)]
    if titles:
        title = titles[0].removeprefix(_TITLE).strip()
        lines = [each for each in lines if each[1] not in titles]
    for magic, group in itertools.groupby(lines, key=lambda each: each[1].startswith(_MAGIC)):
        block = list(group)
        if magic:
            bare = [(n, line.removeprefix(_MAGIC).removeprefix(" ")) for n, line in block]
            yield from _magics(file, bare, title)
        elif any(line.strip() for _, line in block):
            yield _cell("python", file, block, title)
        title = ""


def _magics(file: str, lines: list[tuple[int, str]], title: str) -> Iterator[Cell]:
    """A block of magic lines: one cell, or several when it holds one-line magics."""
    name, rest = _split(lines[0][1])
    one_line = name == "pip"
    block = lines[:1] if one_line else lines
    body = [(block[0][0], rest), *block[1:]]
    while len(body) > 1 and not body[0][1].strip():
        body = body[1:]
    yield _cell(name, file, body, title)
    if one_line and len(lines) > 1:
        yield from _magics(file, lines[1:], "")


def _split(line: str) -> tuple[str, str]:
    """Magic and what follows it: `%pip install x` → ("pip", "install x"); `!ls` → ("sh", "ls")."""
    if line.startswith("!"):
        return "sh", line[1:]
    if not line.startswith("%"):
        return "python", line
    name, _, rest = line[1:].partition(" ")
    return ("md" if name == "md-sandbox" else name.strip()), rest


def _cell(language: str, file: str, lines: Iterable[tuple[int, str]], title: str) -> Cell:
    block = list(lines)
    while len(block) > 1 and not block[0][1].strip():
        block = block[1:]
    text = "\n".join(line for _, line in block).rstrip()
    return Cell(language, text, file, block[0][0], title)


def _ipynb(path: Path, text: str) -> Iterator[Cell]:
    try:
        cells = json.loads(text)["cells"]
        parts = [(each["cell_type"], "".join(each["source"])) for each in cells]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"notebook {path} is no .ipynb file: {error!r}") from error
    for number, (kind, source) in enumerate(parts, start=1):
        # There are no lines of a file to point at: the cell's number takes their place.
        file = f"{path}#cell{number}"
        lines = list(enumerate(source.splitlines(), start=1))
        if not source.strip():
            continue
        if kind == "markdown":
            yield _cell("md", file, lines, "")
        elif kind == "code":
            yield from _code(file, lines)


def _code(file: str, lines: list[tuple[int, str]]) -> Iterator[Cell]:
    first = next(line for _, line in lines if line.strip())
    if first.startswith("%") and not first.startswith("%pip"):
        yield from _magics(file, [each for each in lines if each[1].strip()], "")
        return
    for magic, group in itertools.groupby(lines, key=lambda each: each[1].startswith(("%", "!"))):
        block = list(group)
        if magic:
            for line in block:
                yield from _magics(file, [line], "")
        elif any(line.strip() for _, line in block):
            yield _cell("python", file, block, "")
