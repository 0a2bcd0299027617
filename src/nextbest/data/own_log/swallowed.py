"""Rows of a CSV that a value swallowed, since a quote before them is not closed."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from nextbest.errors import DataError

DELIMITERS = 5  # at least, in a value that is taken for rows: a text may hold one or two


def refuse_swallowed(
    path: str,
    delimiter: str,
    quote: str,
    batch: pa.RecordBatch,
    first: int,
    broken: Sequence[str],
) -> None:
    """Raise DataError where a value, or a broken line, holds rows; `batch` begins at row `first`.

    What a value of column k holds then are the end of one row, whole ones, and the begin of one up
    to column k: so many delimiters in each line no text has.
    """
    others = batch.num_columns - 1
    held = [("a broken line", line, others, others) for line in broken]
    for k, (name, column) in enumerate(zip(batch.schema.names, batch.columns, strict=True)):
        for at in pc.indices_nonzero(pc.match_substring(column, "\n")).to_pylist():
            held.append((f"row {first + at}, column '{name}'", column[at].as_py(), others - k, k))
    for place, text, begin, end in held:
        lines = text.split("\n")
        wanted = [begin, *[others] * (len(lines) - 2), end]
        counts = [line.count(delimiter) for line in lines]
        alike = sum(a == b for a, b in zip(counts, wanted, strict=False))
        if len(lines) > 1 and sum(counts) >= DELIMITERS and alike > len(lines) / 2:
            raise DataError(
                f"{path}: {place} goes on over {len(lines):,} lines that look like rows: the "
                f"{quote} near '{lines[0][-60:].strip()}' is not closed; mend it, or write "
                "log.quote: '' in the mapping if the log quotes nothing"
            )
