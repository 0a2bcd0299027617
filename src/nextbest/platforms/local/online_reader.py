"""Reading features online: one key at a time, from the newest publish that ended."""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from nextbest.errors import DataError
from nextbest.platforms.local import online_database, online_values
from nextbest.platforms.local.online_database import Layout, path, published


class OnlineTable:
    """A feature table online, open for reading; safe to use from several threads.

    Raises DataError when the table was never published.
    """

    def __init__(self, lakehouse: Path, table: str) -> None:
        place = path(lakehouse, table)
        if not place.is_file():
            raise DataError(f"{table} is not online: publish it first")
        self.table = table
        self._lock = threading.Lock()
        self._database = sqlite3.connect(
            f"{place.as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
        )
        layout = published(self._database)
        if layout is None:
            raise DataError(f"{table} is not online: its first publish did not end; publish again")
        self.keys = layout.keys

    def close(self) -> None:
        """End reading."""
        self._database.close()

    def read(
        self, keys: Sequence[Mapping[str, Any]], *, now: dt.datetime | None = None
    ) -> list[dict[str, Any] | None]:
        """For each key its latest row, keys and timestamp included; None where there is none.

        All rows are of one publish. A key that is None has no row, nor has one whose time to live
        is over at `now` (default: this moment). Raises DataError for keys of other names or types.
        """
        with self._lock:
            self._database.execute("BEGIN")
            try:
                layout = online_database.layout(self._database)
                statement = _select(len(layout.keys))
                asked = [_key(key, layout, self.table) for key in keys]
                found = [self._database.execute(statement, key).fetchone() for key in asked]
            finally:
                self._database.execute("ROLLBACK")
        rows = [None if row is None else _decode(row, layout) for row in found]
        if layout.seconds_to_live is None:
            return rows
        cutoff = layout.cutoff(now or dt.datetime.now(dt.UTC))
        return [row if row and _moment(row[layout.timestamp]) >= cutoff else None for row in rows]


@lru_cache(maxsize=64)
def _select(keys: int) -> str:
    match = " AND ".join(f"c{at} = ?" for at in range(keys))
    return f"SELECT * FROM features WHERE {match}"


@lru_cache(maxsize=64)
def _decoders(layout: Layout) -> tuple[tuple[str, Any], ...]:
    return tuple((name, online_values.decoder(kind)) for name, kind in layout.columns)


def _decode(row: Sequence[Any], layout: Layout) -> dict[str, Any]:
    return {
        name: value if value is None or decode is None else decode(value)
        for (name, decode), value in zip(_decoders(layout), row, strict=True)
    }


def _key(key: Mapping[str, Any], layout: Layout, table: str) -> list[Any]:
    if key.keys() != set(layout.keys):
        raise DataError(
            f"{table} is read by {', '.join(layout.keys)}, not by {', '.join(key) or 'nothing'}"
        )
    kinds = layout.columns[: len(layout.keys)]
    return [
        None if key[name] is None else online_values.encode_key(key[name], kind, f"{table}.{name}")
        for name, kind in kinds
    ]


def _moment(value: dt.datetime | dt.date) -> dt.datetime:
    if not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time())
    return value if value.tzinfo else value.replace(tzinfo=dt.UTC)
