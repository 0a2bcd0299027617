"""`settings.source` as a path or a table: found, mapped, landed, and turned into tables."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession

from nextbest import tables
from nextbest.data.contracts import Column, Contract, log_contracts
from nextbest.data.own_log.files import Rows, columns_of, flat, format_of, holding, read
from nextbest.data.own_log.lacking import check_columns, check_ids, check_lines
from nextbest.data.own_log.mapped import flat_schema, map_rows
from nextbest.data.own_log.mapping import LogMapping
from nextbest.data.own_log.reading import read_mapping
from nextbest.data.own_log.tables import to_tables, without_faults
from nextbest.errors import DataError
from nextbest.settings import Settings

_SQL = {
    "int64": "bigint", "string": "string", "double": "double", "bool": "boolean",
    "timestamp[us, tz=UTC]": "timestamp", "list<item: string>": "array<string>",
    "list<element: string>": "array<string>",
}  # fmt: skip
TABLE = re.compile(r"\w+\.\w+\.\w+")


def find(path: str) -> Path:
    """A path as it stands, or, a relative one, in the nearest folder upwards that has it.

    A notebook runs in its own folder, dbb in the bundle's: both name a file alike. Raises
    DataError when there is none.
    """
    here = Path(path).expanduser()
    folders = [Path()] if here.is_absolute() else [Path.cwd(), *Path.cwd().parents]
    for folder in folders:
        if (folder / here).exists():
            return folder / here
    raise DataError(f"{path}: no such file, in {Path.cwd()} or above it; give its whole path")


def mapping_of(settings: Settings) -> LogMapping:
    """The mapping that `settings.mapping` names."""
    return read_mapping(find(settings.mapping))


def own_contracts(mapping: LogMapping) -> dict[str, Contract]:
    """The contracts of the tables that a mapped log fills."""
    attributes = [
        Column(each.name, "double" if each.kind == "number" else "string",
               f"column {each.column} of the log, at the first decision", nullable=True)
        for each in mapping.attributes
    ]  # fmt: skip
    found = log_contracts(attributes, [each.kind for each in mapping.outcomes])
    return {**found, "decisions": without_faults(found["decisions"])}


def read_log(
    spark: SparkSession, settings: Settings, land: Path, open_delta: Callable[[str], DataFrame]
) -> dict[str, DataFrame]:
    """Frames by table name of the log that `settings.source` names (tables.to_tables).

    A file is read in order, in flat memory, and lands as Parquet in `land`; a Delta folder and a
    table are opened by `open_delta`, and need an id of their own for every decision. Raises
    DataError for a log or mapping that can't be read.
    """
    mapping = mapping_of(settings)
    if TABLE.fullmatch(settings.source):
        rows = _by_engine(open_delta(settings.source), mapping, settings.source)
        return to_tables(spark, rows, mapping, settings.as_of, settings.source)
    path = find(settings.source)
    kind = format_of(path)
    if kind == "delta":
        rows = _by_engine(open_delta(str(path.absolute())), mapping, settings.source)
        return to_tables(spark, rows, mapping, settings.as_of, settings.source)
    dialect = mapping.dialect if kind != "parquet" else replace(mapping.dialect, format="parquet")
    mapping = replace(mapping, dialect=dialect)
    if (names := columns_of(path, dialect)) is not None:
        check_columns(names, mapping, settings.source)
    landed = land / f"{settings.dataset}log.parquet"
    land_rows(read(path, dialect, mapping.columns), mapping, path.stem, landed)
    rows = spark.read.parquet(str(landed))
    return to_tables(spark, rows, mapping, settings.as_of, settings.source)


def land_rows(
    batches: Iterator[Rows],
    mapping: LogMapping,
    log: str,
    landed: Path,
    seen: Callable[[int], None] = lambda rows: None,
) -> None:
    """Write flat rows to one Parquet file; it is whole, or the one that was there stays.

    Raises DataError where the log can't be read on, and for columns that no JSON line has.
    """
    landed.parent.mkdir(parents=True, exist_ok=True)
    partial = landed.with_suffix(f".{os.getpid()}.partial")
    try:
        # No statistics, for the engine takes NaN and one other value for a constant by them.
        with pq.ParquetWriter(partial, flat_schema(mapping), write_statistics=False) as writer:
            for rows in check_lines(batches, mapping, log):
                writer.write_table(map_rows(rows, mapping, log))
                seen(rows.columns.num_rows)
        os.replace(partial, landed)
    finally:
        partial.unlink(missing_ok=True)


def _by_engine(frame: DataFrame, mapping: LogMapping, log: str) -> DataFrame:
    check_ids(mapping, log)
    check_columns(flat(frame.limit(0).toArrow()).column_names, mapping, log)

    def mapped(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield from map_rows(Rows(flat(pa.table(batch)), 1), mapping, log).to_batches()

    kinds = [f"{field.name} {_SQL[str(field.type)]}" for field in flat_schema(mapping)]
    columns = [tables.column(name) for name in holding(frame.columns, mapping.columns)]
    return frame.select(*columns).mapInArrow(mapped, ", ".join(kinds))
