"""An online store on sqlite: the latest features of each key, read one key at a time.

One database per feature table under `online/` of the lakehouse. What a publish changes is one
transaction, so that a reader sees all of it or none, whenever the publisher dies. Which rows
changed comes from the table's own versions: the one published last is compared with the newest.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from nextbest import tables
from nextbest.errors import DataError, PlatformError
from nextbest.platforms import Published
from nextbest.platforms.local import online_database, online_values
from nextbest.platforms.local.online_database import Layout

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MOST_COLUMNS = 2_000  # sqlite's own limit
PATIENCE_SECONDS = 600  # a second publisher waits for the first one


def publish(
    spark: SparkSession, lakehouse: Path, table: str, keys: Sequence[str], timestamp: str | None
) -> Published:
    """Bring the latest row of each key online; keys whose row is the same are not touched.

    Everything is written anew only the first time, when columns or keys have changed, or when the
    version published last can't be read any more (vacuumed) or is another's (restored from a
    copy). Raises DataError for types that can't be kept and keys that are null, PlatformError when
    the database can't be written to.
    """
    place = online_database.path(lakehouse, table)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(place, PATIENCE_SECONDS, isolation_level=None)) as database:
            _write_ahead(database)
            database.execute("BEGIN IMMEDIATE")
            # Only now, so that of two publishers the later brings the newer state.
            told = _publish(spark, lakehouse, table, keys, timestamp, database)
            database.execute("COMMIT")
            return told
    except sqlite3.Error as error:
        raise PlatformError(
            f"{table} was not published ({error}): {place}. What was online still is; free disk "
            "space, or wait for the other publisher, then publish again"
        ) from error


def _write_ahead(database: sqlite3.Connection) -> None:
    """Let readers go on while it is written to; the first publishers may ask for it at once."""
    limit = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # For this alone sqlite does not wait as it was told to.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > limit:
                raise
        time.sleep(0.02)


def _publish(
    spark: SparkSession,
    lakehouse: Path,
    table: str,
    keys: Sequence[str],
    timestamp: str | None,
    database: sqlite3.Connection,
) -> Published:
    from deltalake import DeltaTable

    folder = lakehouse.joinpath(*table.split("."))
    source = DeltaTable(str(folder))
    newest = spark.read.format("delta").option("versionAsOf", source.version()).load(str(folder))
    types, others = dict(newest.dtypes), [name for name in newest.columns if name not in keys]
    wanted = Layout(
        str(source.metadata().id),
        tuple((name, types[name]) for name in (*keys, *others)),
        tuple(keys),
        timestamp,
        source.version(),
        _commit(folder, source.version()),
    )
    _require_publishable(newest, wanted, table)
    rows = _latest(newest, wanted)
    before, removed = online_database.published(database), 0
    if before is None or not _comparable(before, wanted, folder):
        online_database.make_anew(database, wanted)
        written = online_database.write(database, wanted, rows.toArrow())
    elif before.version == wanted.version:
        written = 0
    else:
        old = _latest(_before(newest, folder, before.version), wanted)
        written = online_database.write(
            database, wanted, tables.changed_rows(rows, old, keys).toArrow()
        )
        own = [*map(tables.column, keys)]
        gone = old.select(*own).join(rows.select(*own), list(keys), "left_anti")
        removed = online_database.remove(database, wanted, gone.toArrow())
    online_database.note(database, wanted)
    return Published(table, written, removed)


def _before(newest: DataFrame, folder: Path, version: int) -> DataFrame:
    """The rows of a former version, from its own files; those lack columns that came later.

    Not by `versionAsOf`: the engine (0.7.2) can't go back behind the newest checkpoint.
    """
    if files := _files(folder, version):
        reader = newest.sparkSession.read.schema(newest.schema)
        return reader.parquet(*map(str, files))
    return newest.limit(0)


def _files(folder: Path, version: int) -> list[Path]:
    """The data files of one version; DeltaError when its log is gone."""
    from deltalake import DeltaTable

    # A partitioned table's files lack its columns, and of a row that is deleted they still tell:
    # nothing here writes such tables, and delta-rs refuses the latter.
    dataset = DeltaTable(str(folder), version=version).to_pyarrow_dataset()
    return [folder / unquote(file) for file in dataset.files]


def _commit(folder: Path, version: int) -> str:
    """What tells a version from another of that number, which a restored table can have."""
    file = folder / "_delta_log" / f"{version:020}.json"
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def _latest(frame: DataFrame, layout: Layout) -> DataFrame:
    """The latest row of each key, columns in the layout's order."""
    from pyspark.sql import functions as F

    if layout.timestamp:
        # A window would sort every row; max_by of a struct takes four times as long.
        keys, moment = [*map(tables.column, layout.keys)], tables.column(layout.timestamp)
        last = frame.groupBy(*keys).agg(F.max(moment).alias(layout.timestamp))
        frame = frame.join(last, [*layout.keys, layout.timestamp], "left_semi")
    return frame.select(*[tables.column(name) for name, _ in layout.columns])


def _require_publishable(frame: DataFrame, layout: Layout, table: str) -> None:
    problems = [
        f"column {name} is {data_type}: simple types and arrays of them can be published; drop "
        "it or make it one of them"
        for name, data_type in layout.columns
        if not online_values.supported(data_type)
    ]
    if len(layout.columns) > MOST_COLUMNS:
        problems.append(f"{len(layout.columns)} columns are more than {MOST_COLUMNS:,}")
    absent = " OR ".join(f"{tables.quote(key)} IS NULL" for key in layout.keys)
    if nulls := frame.where(absent).count():
        problems.append(f"{nulls:,} rows have no {' or no '.join(layout.keys)}; delete them")
    if problems:
        raise DataError(f"{table} can't be published: {'; '.join(problems)}")


def _comparable(before: Layout, wanted: Layout, folder: Path) -> bool:
    """Whether only the rows may differ, and those published last can still be read."""
    from deltalake.exceptions import DeltaError

    if replace(before, version=wanted.version, commit=wanted.commit) != wanted:
        return False
    if not before.commit or before.commit != _commit(folder, before.version):
        return False
    try:
        return all(file.is_file() for file in _files(folder, before.version))
    except DeltaError:
        return False
