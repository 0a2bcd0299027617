"""What is said of a table and its columns, to whoever reads them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ColumnText:
    """What a column means, for whoever reads it: over which window, in which unit, from where."""

    name: str
    meaning: str
    unit: str = ""
    window: str = ""
    source: str = ""


@dataclass(frozen=True)
class TableText:
    """What a table (three-level name) is, and its columns."""

    name: str
    meaning: str
    columns: tuple[ColumnText, ...]
