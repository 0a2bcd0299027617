"""An online store on sqlite: the latest features of each key, read one key at a time.

One database per feature table under `online/` of the lakehouse. What a publish changes is one
transaction, so that a reader sees all of it or none, whenever the publisher dies. Which rows
changed comes from the table's own versions: the one published last is compared with the newest.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from nextbest import tables
from nextbest.errors import DataError
from nextbest.platforms import Published
from nextbest.platforms.local import online_database, online_values
from nextbest.platforms.local.online_database import Layout

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MOST_COLUMNS = 2_000  # sqlite's own limit
PATIENCE_SECONDS = 600  # a second publisher waits for the first one


def publish(
    spark: SparkSession,
    lakehouse: Path,
    table: str,
    keys: Sequence[str],
    timestamp: str | None,
    *,
    time_to_live: dt.timedelta | None = None,
    now: dt.datetime | None = None,
) -> Published:
    """Bring the latest row of each key online; keys whose row is the same are not touched.

    Everything is written anew only the first time, when columns, keys or the time to live have
    changed, or when the version published last can't be read any more (vacuumed). With a time to
    live, rows whose `timestamp` is older than that are taken out. Raises DataError for types that
    can't be kept, keys that are null, and a time to live without a timestamp.
    """
    from deltalake import DeltaTable

    source = DeltaTable(str(_folder(lakehouse, table)))
    newest = _at(spark, lakehouse, table, source.version())
    types, others = dict(newest.dtypes), [name for name in newest.columns if name not in keys]
    wanted = Layout(
        str(source.metadata().id),
        tuple((name, types[name]) for name in (*keys, *others)),
        tuple(keys),
        timestamp,
        time_to_live.total_seconds() if time_to_live else None,
        source.version(),
    )
    _require_publishable(newest, wanted, table)
    cutoff = wanted.cutoff(now or dt.datetime.now(dt.UTC))
    rows = _latest(newest, wanted, cutoff)
    place = online_database.path(lakehouse, table)
    place.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(place, PATIENCE_SECONDS, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")  # readers go on while this writes
        database.execute("BEGIN IMMEDIATE")
        before = online_database.published(database)
        removed = 0
        if before is None or not _comparable(before, wanted, _folder(lakehouse, table)):
            online_database.make_anew(database, wanted)
            written = online_database.write(database, wanted, rows.toArrow())
        elif before.version == wanted.version:
            written = 0
        else:
            old = _latest(_at(spark, lakehouse, table, before.version), wanted, None)
            written = online_database.write(
                database, wanted, tables.changed_rows(rows, old, keys).toArrow()
            )
            own = [*map(tables.column, keys)]
            gone = old.select(*own).join(rows.select(*own), list(keys), "left_anti")
            removed = online_database.remove(database, wanted, gone.toArrow())
        removed += online_database.expire(database, wanted, cutoff)
        online_database.note(database, wanted)
        database.execute("COMMIT")
    return Published(table, written, removed)


def _folder(lakehouse: Path, table: str) -> Path:
    return lakehouse.joinpath(*table.split("."))


def _at(spark: SparkSession, lakehouse: Path, table: str, version: int) -> DataFrame:
    reader = spark.read.format("delta").option("versionAsOf", version)
    return reader.load(str(_folder(lakehouse, table)))


def _latest(frame: DataFrame, layout: Layout, cutoff: dt.datetime | None) -> DataFrame:
    """The latest row of each key, columns in the layout's order; none from before the cutoff."""
    from pyspark.sql import functions as F

    if layout.timestamp:
        # A window would sort every row; max_by of a struct takes four times as long.
        keys, time = [*map(tables.column, layout.keys)], tables.column(layout.timestamp)
        last = frame.groupBy(*keys).agg(F.max(time).alias(layout.timestamp))
        frame = frame.join(last, [*layout.keys, layout.timestamp], "left_semi")
        if cutoff is not None:
            frame = frame.where(time >= F.lit(cutoff))
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
    if layout.seconds_to_live is not None and layout.timestamp is None:
        problems.append("a time to live needs a table with a timestamp")
    absent = " OR ".join(f"{tables.quote(key)} IS NULL" for key in layout.keys)
    if nulls := frame.where(absent).count():
        problems.append(f"{nulls:,} rows have no {' or no '.join(layout.keys)}; delete them")
    if problems:
        raise DataError(f"{table} can't be published: {'; '.join(problems)}")


def _comparable(before: Layout, wanted: Layout, folder: Path) -> bool:
    """Whether only the rows may differ, and those published last can still be read."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    if replace(before, version=wanted.version) != wanted:
        return False
    try:
        files = DeltaTable(str(folder), version=before.version).file_uris()
    except DeltaError:
        return False
    return all(Path(unquote(file.removeprefix("file://"))).is_file() for file in files)
