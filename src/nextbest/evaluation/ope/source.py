"""A log as batches, whatever its format: memory does not grow with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.dataset as ds

from nextbest.errors import DataError

ROWS = 65_536  # of one batch


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
