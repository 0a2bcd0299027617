"""Reading features online: one key at a time, from the newest publish that ended."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from nextbest.errors import DataError, PlatformError
from nextbest.platforms.local import online_values
from nextbest.platforms.local.online_database import Layout, path, published


class OnlineTable:
    """A feature table online, open for reading; safe to use from several threads.

    Raises DataError when the table was never published, PlatformError when it can't be read.
    """

    def __init__(self, lakehouse: Path, table: str) -> None:
        place = path(lakehouse, table)
        if not place.is_file():
            raise DataError(f"{table} is not online: publish it first")
        self.table = table
        self._place = place
        self._lock = threading.Lock()
        with ExitStack() as undone, self._told():
            self._database = sqlite3.connect(
                f"{place.as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
            )
            undone.callback(self._database.close)
            layout = published(self._database)
            if layout is None:  # what a first publish leaves that was refused or killed
                raise DataError(f"{table} is not online: publish it first")
            self.keys = layout.keys
            undone.pop_all()

    def close(self) -> None:
        """End reading."""
        self._database.close()

    def read(self, keys: Sequence[Mapping[str, Any]]) -> list[dict[str, Any] | None]:
        """For each key its latest row, keys and timestamp included; None where there is none.

        All rows are of one publish. A key that is None has no row. Raises DataError for keys of
        other names or types, PlatformError when the database can't be read.
        """
        with self._lock, self._told():
            self._database.execute("BEGIN")
            try:
                layout = published(self._database)
                match = " AND ".join(f"c{at} = ?" for at in range(len(layout.keys)))
                statement = f"SELECT * FROM features WHERE {match}"
                asked = [_key(key, layout, self.table) for key in keys]
                found = [self._database.execute(statement, key).fetchone() for key in asked]
            finally:
                self._database.execute("ROLLBACK")
        decoders = [(name, online_values.decoder(kind)) for name, kind in layout.columns]
        return [None if row is None else _decode(row, decoders) for row in found]

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise PlatformError(
                f"{self.table} can't be read online ({error}): {self._place}. Ask again, or delete "
                "that file and publish the table again"
            ) from error


def _decode(row: Sequence[Any], decoders: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    return {
        name: value if value is None or decode is None else decode(value)
        for (name, decode), value in zip(decoders, row, strict=True)
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
