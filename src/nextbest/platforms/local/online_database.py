"""The database behind an online feature table: what stands in it, and how its rows change."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nextbest.platforms.local import online_values

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 50_000


@dataclass(frozen=True)
class Layout:
    """What stands in a database: columns with their types, keys first, and whence they came.

    In sqlite the columns are c0, c1, … so that no name has to be quoted or can clash.
    """

    table_id: str
    columns: tuple[tuple[str, str], ...]
    keys: tuple[str, ...]
    timestamp: str | None
    version: int  # of the Delta table
    commit: str  # a digest of what its log says of the version, "" where that is gone


def path(lakehouse: Path, table: str) -> Path:
    """The database of a feature table."""
    return lakehouse.joinpath("online", *table.split(".")).with_suffix(".db")


def published(database: sqlite3.Connection) -> Layout | None:
    """What stands in a database; None before the first publish has ended."""
    if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'layout'").fetchone():
        return None
    (text,) = database.execute("SELECT told FROM layout").fetchone()
    told = json.loads(text)
    return Layout(
        told["table_id"],
        tuple((name, data_type) for name, data_type in told["columns"]),
        tuple(told["keys"]),
        told["timestamp"],
        told["version"],
        told.get("commit", ""),  # older databases have none
    )


def note(database: sqlite3.Connection, now: Layout) -> None:
    """Write down what stands in the database now."""
    database.execute("DELETE FROM layout")
    database.execute("INSERT INTO layout VALUES (?)", [json.dumps(asdict(now))])


def make_anew(database: sqlite3.Connection, layout: Layout) -> None:
    """An empty table in this layout, in place of what was there."""
    columns = ", ".join(f"c{at}" for at in range(len(layout.columns)))
    keys = ", ".join(f"c{at}" for at in range(len(layout.keys)))
    database.execute("CREATE TABLE IF NOT EXISTS layout (told)")
    database.execute("DROP TABLE IF EXISTS features")
    database.execute(f"CREATE TABLE features ({columns}, PRIMARY KEY ({keys})) WITHOUT ROWID")


def write(database: sqlite3.Connection, layout: Layout, rows: pa.Table) -> int:
    """Insert or replace rows; how many."""
    statement = f"INSERT OR REPLACE INTO features VALUES ({_marks(len(layout.columns))})"
    return _each(database, statement, rows, layout.columns)


def remove(database: sqlite3.Connection, layout: Layout, rows: pa.Table) -> int:
    """Delete the rows of these keys; how many."""
    match = " AND ".join(f"c{at} = ?" for at in range(len(layout.keys)))
    statement = f"DELETE FROM features WHERE {match}"
    return _each(database, statement, rows, layout.columns[: len(layout.keys)])


def _each(
    database: sqlite3.Connection,
    statement: str,
    rows: pa.Table,
    columns: Sequence[tuple[str, str]],
) -> int:
    done = 0
    # In the order of the keys each page of the database is visited once.
    for batch in rows.sort_by([(columns[0][0], "ascending")]).to_batches(BATCH_ROWS):
        values = [online_values.encode_column(batch[name], kind) for name, kind in columns]
        done += database.executemany(statement, zip(*values, strict=True)).rowcount
    return done


def _marks(count: int) -> str:
    return ", ".join("?" * count)
