"""The ledger as a Delta table of the lakehouse, by delta-rs: no engine has to start for it.

A row is added by a commit that fails when somebody else has committed since the table was read:
Delta's optimistic transaction, without the retries that would rebase it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nextbest.errors import PlatformError
from nextbest.platforms.releases import COLUMNS, DONE, INTENDED, KINDS, Step, in_order

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

ATTEMPTS = 100


class LocalLedger:
    """The ledger port over a lakehouse folder; `table` is a three-level name."""

    def __init__(self, lakehouse: Path, table: str) -> None:
        self._folder = lakehouse.joinpath(*table.split("."))
        self._lock = lakehouse / "mlflow" / "promotions.lock"

    def steps(self, model: str | None) -> list[Step]:
        """All rows of a model (of all models without one), in order."""
        found = _read(self._open())
        return in_order([each for each in found if model is None or each.model == model])

    def append(self, step: Step) -> bool:
        """Add a row unless its place is taken; whether the row there is this one."""
        from deltalake import CommitProperties, write_deltalake
        from deltalake.exceptions import CommitFailedError, DeltaError

        once = CommitProperties(max_commit_retries=0)
        for _ in range(ATTEMPTS):
            table = self._open()
            place = _place(step)
            there = next((each for each in _read(table) if _place(each) == place), None)
            if there is not None:
                return (there.promotion_id, there.state) == (step.promotion_id, step.state)
            if table is None:
                self._create()
                continue
            with suppress(CommitFailedError):
                try:
                    write_deltalake(
                        table, _rows([step]), mode="append", schema_mode="merge",
                        commit_properties=once,
                    )  # fmt: skip
                except CommitFailedError:
                    raise
                except DeltaError as error:
                    raise PlatformError(
                        f"ledger {self._folder}: can't be written ({_first(error)})"
                    ) from error
        raise PlatformError(f"ledger {self._folder}: others write it all the time; run this again")

    @contextmanager
    def alone(self, model: str) -> Iterator[None]:
        """Keep other processes of this machine out; the lock of a killed one is free at once."""
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield

    def _open(self) -> DeltaTable | None:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError, TableNotFoundError

        if not (self._folder / "_delta_log").is_dir():
            return None
        try:
            return DeltaTable(str(self._folder))
        except TableNotFoundError:  # its first commit is under way, or never came
            return None
        except DeltaError as error:
            raise PlatformError(
                f"ledger {self._folder}: its Delta log can't be read ({_first(error)}); restore "
                "the folder from a copy"
            ) from error

    def _create(self) -> None:
        from deltalake import write_deltalake
        from deltalake.exceptions import DeltaError

        self._folder.parent.mkdir(parents=True, exist_ok=True)
        # As everywhere here: from statistics the embedded engine takes constants for granted.
        keep_none = {"delta.dataSkippingNumIndexedCols": "0"}
        with suppress(DeltaError):  # another made it meanwhile
            write_deltalake(self._folder, _rows([]), mode="error", configuration=keep_none)


def _place(step: Step) -> tuple[str, int, bool]:
    return step.model, step.sequence, step.state == INTENDED


def _rows(steps: list[Step]) -> pa.Table:
    import pyarrow as pa

    kinds = {"bigint": pa.int64(), "timestamp": pa.timestamp("us", "UTC"), "date": pa.date32()}
    schema = pa.schema([(name, kinds[KINDS[name]] if name in KINDS else pa.string())
                        for name in COLUMNS])  # fmt: skip
    return pa.Table.from_pylist([dataclasses.asdict(each) for each in steps], schema)


def _read(table: DeltaTable | None) -> list[Step]:
    if table is None:
        return []
    found = table.to_pyarrow_table().to_pylist()
    return [_step(row, at) for at, row in enumerate(sorted(found, key=_when))]


def _when(row: dict[str, Any]) -> dt.datetime:
    return row["promoted_at"].replace(tzinfo=dt.UTC)


def _step(row: dict[str, Any], at: int) -> Step:
    """A row as a value; those of before there were intents are changes that were done."""
    if row.get("sequence") is None:
        before = row["previous_version"] if row["to_alias"] == "champion" else None
        row |= {"sequence": at - 1_000_000, "state": DONE, "action": "promote",
                "previous_champion": before}  # fmt: skip
    given = {name: row.get(name) for name in COLUMNS} | {"promoted_at": _when(row)}
    return Step(**given)


def _first(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
