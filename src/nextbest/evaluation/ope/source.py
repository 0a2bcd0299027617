"""A log in a file, whatever its format, as batches: memory does not grow with the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.dataset as ds

from nextbest.errors import DataError, UsageError
from nextbest.evaluation.ope.delta import delta_files

ROWS = 65_536  # of one batch
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


@dataclass(frozen=True)
class Source:
    """A log that can be read more than once: where it is, its format, its columns."""

    path: Path
    format: str
    dataset: ds.Dataset

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, as they stand in the log."""
        return tuple(self.dataset.schema.names)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Rows of some columns, in the order of the log.

        A CSV gives text everywhere: what is no number is then ours to count, and not a type
        guessed from the first block.

        Raises DataError where the file breaks off or contradicts itself.
        """
        try:
            if self.format == "csv":
                text = csv.ConvertOptions(
                    column_types=dict.fromkeys(columns, pa.string()),
                    strings_can_be_null=True,
                    include_columns=list(columns),
                )
                with csv.open_csv(str(self.path), convert_options=text) as reader:
                    yield from reader
                return
            for fragment in self.dataset.get_fragments():
                # A scan of whole Parquet files reads far ahead of who asks for the rows.
                parquet = isinstance(fragment, ds.ParquetFileFragment)
                for piece in fragment.split_by_row_group() if parquet else [fragment]:
                    yield from piece.to_batches(
                        schema=self.dataset.schema,
                        columns=list(columns),
                        batch_size=ROWS,
                        batch_readahead=2,
                    )
        except (pa.ArrowInvalid, pa.ArrowTypeError, OSError) as error:
            raise DataError(f"{self.path}: can't be read on: {error}") from error


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
        files, partitions = delta_files(path)
        if not files:
            raise DataError(f"{path}: the log is empty: no decision in it")
        schema = ds.partitioning(flavor="hive") if partitions else None
        return "delta", ds.dataset(
            [str(file) for file in files],
            format="parquet",
            partitioning=schema,
            partition_base_dir=str(path),
        )
    if path.is_dir():
        if not next(path.rglob("*.parquet"), None):
            raise UsageError(f"{path}: a folder without .parquet files or _delta_log; {_SUPPORTED}")
        return "parquet", ds.dataset(str(path), format="parquet", partitioning="hive")
    kind = FORMATS.get("".join(path.suffixes[-2:]).lower(), FORMATS.get(path.suffix.lower()))
    if kind is None:
        raise UsageError(f"{path}: '{path.suffix}' tells no format that we know; {_SUPPORTED}")
    return kind, ds.dataset(str(path), format=kind)


def numbers(column: pa.Array, *, text_is_number: bool) -> tuple[np.ndarray, np.ndarray]:
    """A column as floats [n] (nan for null and for what is no number), and where the latter are.

    text_is_number: whether text may hold a number, as in a CSV. Raises DataError for a type that
    holds no numbers at all.
    """
    kind = column.type
    strange = np.zeros(len(column), dtype=bool)
    if pa.types.is_string(kind) and text_is_number:
        text = pc.utf8_trim_whitespace(column)
        try:
            column = text.cast(pa.float64())
        except pa.ArrowInvalid:
            fits = pc.match_substring_regex(text, _NUMBER, ignore_case=True)
            strange = ~pc.fill_null(fits, True).to_numpy(zero_copy_only=False)
            nothing = pa.scalar(None, pa.string())
            column = pc.if_else(pc.fill_null(fits, False), text, nothing).cast(pa.float64())
    elif pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    elif not any(holds(kind) for holds in _NUMERIC):
        raise DataError(f"is {kind}, not numbers; cast it first")
    return column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), strange


_NUMBER = r"^([+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?|[+-]?nan)$"
_NUMERIC = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
