"""What a mapping asks for and a log lacks: refused, never taken for empty."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

from nextbest.data.own_log.files import Rows
from nextbest.data.own_log.mapping import LogMapping
from nextbest.errors import DataError


def check_ids(mapping: LogMapping, log: str) -> None:
    """Raise DataError when a table's rows would be named by their numbers: they have none."""
    if mapping.decision_id is None:
        raise DataError(
            f"{mapping.file}: decisions.decision_id is missing: rows of the table {log} have no "
            "number; name a column that is different in every row"
        )


def check_columns(names: Sequence[str], mapping: LogMapping, log: str) -> None:
    """Raise DataError when the log lacks columns that the mapping reads, naming all and where."""
    lacking = [(place, column) for place, column in mapping.uses() if column not in names]
    if lacking:
        told = "; ".join(f"{place} wants '{column}'" for place, column in lacking)
        raise DataError(
            f"{mapping.file}: {log} lacks columns: {told}; there are {', '.join(names)} (what is "
            f"the same in every row is {{constant: {lacking[0][1]}}})"
        )


def check_lines(batches: Iterable[Rows], mapping: LogMapping, log: str) -> Iterator[Rows]:
    """The batches as they are; behind the last one of JSON lines, what no line has is refused.

    Only the end tells: a line may leave out what is not there. Raises DataError as check_columns.
    """
    names = list(mapping.columns)
    lacking, count = set(names), 0
    for rows in batches:
        count += rows.columns.num_rows
        kinds = rows.columns.schema
        lacking = {name for name in lacking if pa.types.is_null(kinds.field(name).type)}
        yield rows
    if mapping.dialect.format == "json" and lacking and count:
        check_columns([name for name in names if name not in lacking], mapping, log)
