"""Find a log by what a user typed: a file, a folder, a Delta table."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds

from nextbest.errors import DataError, UsageError
from nextbest.evaluation.ope.source import Source
from nextbest.platforms.local.delta import delta_dataset

FORMATS = {
    ".csv": "csv",
    ".csv.gz": "csv",
    ".parquet": "parquet",
    ".jsonl": "json",
    ".ndjson": "json",
    ".jsonl.gz": "json",
}
_SUPPORTED = (
    "supported are .csv, .csv.gz, .parquet, .jsonl, .jsonl.gz and .ndjson files, folders of "
    ".parquet files, Delta tables by their folder, and with --local catalog.schema.table of the "
    "lakehouse"
)


def open_source(log: str, lakehouse: Path | None = None) -> Source:
    """Find a log and see what it is, by its suffix or folder.

    lakehouse: where catalog.schema.table is looked for (None: it is not). Raises UsageError when
    there is no such log or its format is unknown, and DataError when it can't be read.
    """
    path = Path(log)
    if not path.exists():
        path = _table(log, lakehouse)
    try:
        kind, dataset = _dataset(path)
    except (pa.ArrowInvalid, OSError, ValueError) as error:
        if path.is_file() and not path.stat().st_size:
            raise DataError(f"{path}: the log is empty: no decision in it") from error
        raise DataError(f"{path}: can't be read: {error}") from error
    twice = {name for name in dataset.schema.names if dataset.schema.names.count(name) > 1}
    if twice:
        raise DataError(f"{path}: columns that are there twice: {', '.join(sorted(twice))}")
    return Source(path, kind, dataset)


def _table(log: str, lakehouse: Path | None) -> Path:
    if not re.fullmatch(r"\w+\.\w+\.\w+", log):
        raise UsageError(f"{log}: no such file or folder; {_SUPPORTED}")
    if lakehouse is None:
        raise UsageError(f"{log}: no such file; if it is a table of the lakehouse, add --local")
    path = lakehouse.joinpath(*log.split("."))
    if not (path / "_delta_log").is_dir():
        raise UsageError(f"{log}: no such table in {lakehouse}; there is no {path}")
    return path


def _dataset(path: Path) -> tuple[str, ds.Dataset]:
    if (path / "_delta_log").is_dir():
        dataset = delta_dataset(path)
        if not next(dataset.get_fragments(), None):
            raise DataError(f"{path}: the log is empty: no decision in it")
        return "delta", dataset
    if path.is_dir():
        if not next(path.rglob("*.parquet"), None):
            raise UsageError(f"{path}: a folder without .parquet files or _delta_log; {_SUPPORTED}")
        return "parquet", ds.dataset(str(path), format="parquet", partitioning="hive")
    kind = FORMATS.get("".join(path.suffixes[-2:]).lower(), FORMATS.get(path.suffix.lower()))
    if kind is None:
        raise UsageError(f"{path}: '{path.suffix}' tells no format that we know; {_SUPPORTED}")
    return kind, ds.dataset(str(path), format=kind)
