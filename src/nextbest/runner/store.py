"""Runs on disk: one folder per run under `<lakehouse>/runs`, locked while its process lives."""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from nextbest.errors import PlatformError, RunError, UsageError
from nextbest.runner import record as records
from nextbest.runner.record import RunRecord
from nextbest.runner.states import KILLED, RUNNING, SUCCESS

RESERVE = 512 * 1024  # bytes kept back so that the record can be written on a full disk
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def new_run_id() -> str:
    """An id that sorts by time: UTC date and time to the millisecond, and a random tail."""
    moment = dt.datetime.now(dt.UTC).strftime("%Y%m%d-%H%M%S-%f")[:-3]
    return f"{moment}-{secrets.token_hex(4)}"


def runs_folder(lakehouse: Path) -> Path:
    """Where the records of a lakehouse are."""
    return lakehouse / "runs"


@contextmanager
def gate(lakehouse: Path) -> Iterator[None]:
    """Hold the lakehouse's door: one process at a time counts the runs and adds its own.

    Raises PlatformError when the folder can't be written.
    """
    folder = runs_folder(lakehouse)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        door = (folder / ".gate").open("w")
    except OSError as error:
        raise PlatformError(_unwritable(folder, error)) from error
    with door:
        fcntl.flock(door, fcntl.LOCK_EX)
        yield


def _unwritable(folder: Path, error: OSError) -> str:
    if error.errno in FULL:
        return f"{folder}: no space left on the disk: free some, then run again"
    return f"{folder} can't be written ({error.strerror}): mend its owner and mode, or --lakehouse"


class Folder:
    """The folder of one run that this process holds: its lock, its reserve, its record."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[str] = (path / "lock").open("w")
        for _ in range(20):
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:  # for a moment, when somebody looks whether the run is alive
                time.sleep(0.02)
        self._lock.close()
        raise RunError(f"run {path.name} is still going on in another process")

    def reserve(self) -> None:
        """Set room aside for the record."""
        (self.path / "reserve").write_bytes(b"\0" * RESERVE)

    def write(self, name: str, text: str) -> None:
        """Write a file whole or not at all; raises PlatformError when the disk is full."""
        whole = self.path / name
        scratch = whole.with_name(f".{whole.name}.new")
        try:
            scratch.write_text(text, encoding="utf-8")
            os.replace(scratch, whole)
        except OSError as error:
            scratch.unlink(missing_ok=True)
            raise PlatformError(_unwritable(self.path, error)) from error

    def release(self) -> None:
        """Give the set-aside room back."""
        (self.path / "reserve").unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the lock: from here on the run counts as ended."""
        self.release()
        self._lock.close()


def create(lakehouse: Path, run_id: str) -> Folder:
    """Make and hold the folder of a new run; raises PlatformError when it can't be written."""
    path = runs_folder(lakehouse) / run_id
    try:
        (path / "tasks").mkdir(parents=True)
        folder = Folder(path)
        folder.reserve()
    except OSError as error:
        raise PlatformError(_unwritable(path, error)) from error
    return folder


def reopen(lakehouse: Path, run_id: str) -> Folder:
    """Hold the folder of a run that has ended; raises RunError when it is still going on."""
    path = runs_folder(lakehouse) / run_id
    try:
        folder = Folder(path)
        folder.reserve()
    except OSError as error:
        raise PlatformError(_unwritable(path, error)) from error
    return folder


def load(lakehouse: Path, run_id: str) -> RunRecord:
    """Read a record; one that says RUNNING while its process is gone is shown as KILLED."""
    path = runs_folder(lakehouse) / run_id
    source = path / "run.json"
    record = records.from_json(source.read_text(encoding="utf-8"), str(source))
    return replace(record, state=KILLED) if record.state == RUNNING and not alive(path) else record


def alive(path: Path) -> bool:
    """Whether the process of a run holds its folder; never mistaken by a reused process id."""
    try:
        with (path / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def run_ids(lakehouse: Path) -> list[str]:
    """Ids of all runs that have a record, newest first."""
    return sorted((p.parent.name for p in runs_folder(lakehouse).glob("*/run.json")), reverse=True)


def summaries(lakehouse: Path, record: RunRecord) -> Iterator[str]:
    """The value `summary` of tasks that succeeded, those of child runs in their place."""
    known = run_ids(lakehouse)
    for task in records.every_task(record.tasks):
        if task.child_run_id in known:
            yield from summaries(lakehouse, load(lakehouse, str(task.child_run_id)))
        said = task.values.get("summary")
        if task.state == SUCCESS and isinstance(said, str):
            yield said


def find(lakehouse: Path, prefix: str) -> str:
    """The id that `prefix` begins; raises UsageError when none or several do."""
    known = run_ids(lakehouse)
    found = [run_id for run_id in known if run_id.startswith(prefix)]
    if prefix in found:
        return prefix
    if len(found) == 1:
        return found[0]
    if not found:
        last = f"; the last one is {known[0]}" if known else f": none was made in {lakehouse}"
        raise UsageError(f"no run '{prefix}'{last} (`dbb runs` lists them)")
    raise UsageError(f"'{prefix}' begins several runs: {', '.join(found[:5])}")


def going_on(lakehouse: Path, job_key: str, target: str) -> list[str]:
    """Ids of the runs of a job whose processes are alive."""
    paths = (runs_folder(lakehouse) / run_id for run_id in run_ids(lakehouse))
    found = [load(lakehouse, path.name) for path in paths if alive(path)]
    return [
        each.run_id
        for each in found
        if (each.job_key, each.target, each.state) == (job_key, target, RUNNING)
    ]
