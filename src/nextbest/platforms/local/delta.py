"""A Delta table in a folder as an Arrow dataset, for what needs no engine."""

from __future__ import annotations

from pathlib import Path

import pyarrow.dataset as ds

from nextbest.errors import DataError


def delta_dataset(folder: Path) -> ds.Dataset:
    """The newest version of the table; its partition columns are columns.

    Raises DataError when its log can't be read whole, or needs a reader that knows more (delta-rs
    refuses deletion vectors and mapped column names here).
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        return DeltaTable(str(folder)).to_pyarrow_dataset()
    except DeltaError as error:
        # Below the message delta-rs prints its own stack.
        raise DataError(f"{folder}: can't be read: {str(error).splitlines()[0]}") from error


def table_id(lakehouse: Path, table: str) -> str:
    """The id that a Delta table gets when it is made; one made anew in its place has another.

    Raises DataError when there is none of this name.
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import TableNotFoundError

    folder = lakehouse.joinpath(*table.split("."))
    try:
        return str(DeltaTable(str(folder)).metadata().id)
    except TableNotFoundError as error:
        raise DataError(
            f"table {table} does not exist (no Delta log in {folder}): write it anew, or restore "
            "the folder from a copy"
        ) from error
