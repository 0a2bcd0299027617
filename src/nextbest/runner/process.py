"""This side of the fork server: start it early, ask it for tasks, wait for how they end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Literal

from nextbest.errors import RunError
from nextbest.runner import orphans
from nextbest.runner.cancel import Cancel
from nextbest.runner.log import Log

GRACE = 3.0  # seconds between TERM and KILL
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MPLBACKEND": "Agg",
    "GIT_PYTHON_REFRESH": "quiet",
    "RUST_LOG": "error",
    "PYTHONUNBUFFERED": "1",
}


@dataclass(frozen=True)
class Ending:
    """How a task's process ended; `code` is negative for a signal, None when it was stopped."""

    how: Literal["exit", "timeout", "cancel"]
    code: int | None = None


class ForkServer:
    """The running fork server; one serves all runs of a process."""

    def __init__(self, preload: Sequence[str]) -> None:
        self._control, theirs = socket.socketpair()
        said, path = tempfile.mkstemp()
        os.unlink(path)
        self._said = os.fdopen(said, "w+b")
        self._lock = threading.Lock()
        number = theirs.fileno()
        # -P: the working folder is the user's, and not a place to import from.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "nextbest.runner.server", str(number), *preload],
            pass_fds=[number],
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=self._said,
            env={**os.environ, **_QUIET},
            start_new_session=True,  # Ctrl-C in the terminal is for dbb alone
        )
        theirs.close()

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._process.pid

    def fork(self, output: int, channel: int, cancel: Cancel) -> tuple[int, int] | None:
        """A new task process: its id, and the descriptor on which its exit code arrives.

        None when canceled before the server was ready: the task ends as its channel closes.
        """
        status, theirs = os.pipe()
        try:
            with self._lock:
                socket.send_fds(self._control, [b"t"], [output, channel, theirs])
        except OSError:
            os.close(status)
            raise RunError(self._last_words()) from None
        finally:
            os.close(theirs)
        if status not in wait([status, cancel]):
            os.close(status)
            return None
        pid = _line(status)
        if pid is None:
            os.close(status)
            raise RunError(self._last_words())
        return pid, status

    def close(self) -> None:
        """End the server and everything it forked."""
        self._control.close()
        try:
            self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:  # still importing: it has no tasks yet
            self._process.kill()
            self._process.wait()
        self._said.close()

    def _last_words(self) -> str:
        self._process.wait()
        self._said.seek(0)
        said = self._said.read().decode("utf-8", "replace").strip().splitlines()
        return (
            "the process that starts tasks ended with code "
            f"{self._process.returncode}: {said[-1] if said else 'it said nothing'}"
        )


def _line(descriptor: int) -> int | None:
    """Read one number written as a line; None at the end of the pipe."""
    text = b""
    while not text.endswith(b"\n"):
        byte = os.read(descriptor, 1)
        if not byte:
            return None
        text += byte
    return int(text)


def run(
    server: ForkServer,
    spec: Mapping[str, Any],
    log: Path,
    hidden: tuple[str, ...],
    timeout: float,
    cancel: Cancel,
    on_event: Callable[[dict[str, Any]], None],
) -> tuple[Ending, str]:
    """Run one task process to its end and hand over what it reports; leave nothing of it behind.

    `timeout` is in seconds, 0 for none. The second value says what the log lacks, if anything.
    """
    ours, theirs = socket.socketpair()
    out_read, out_write = os.pipe()
    copied = Log(log, out_read, hidden)
    try:
        try:
            forked = server.fork(out_write, theirs.fileno(), cancel)
        finally:
            theirs.close()
            os.close(out_write)
        if forked is None:
            return Ending("cancel"), ""
        pid, status = forked
        channel = Connection(ours.detach())
        try:
            channel.send_bytes(json.dumps(spec).encode())
            ending = _watch(pid, status, channel, timeout, cancel, on_event)
        except BrokenPipeError:  # it died before it could read
            ending = Ending("exit", _line(status))
        finally:
            os.close(status)
            channel.close()
    finally:
        ours.close()
        copied.close()
    return ending, copied.problem


def _watch(
    pid: int,
    status: int,
    channel: Connection,
    timeout: float,
    cancel: Cancel,
    on_event: Callable[[dict[str, Any]], None],
) -> Ending:
    until = time.monotonic() + timeout if timeout else None
    listening: list[Any] = [status, channel, cancel]
    while True:
        left = None if until is None else max(0.0, until - time.monotonic())
        ready = wait(listening, left)
        if channel in ready and not _receive(channel, on_event):
            listening.remove(channel)
        elif status in ready:
            while channel in listening and channel.poll(0):
                if not _receive(channel, on_event):
                    break
            code = _line(status)
            if code is None:  # the fork server is gone and can't sweep up
                orphans.kill_group(pid)
            return Ending("exit", code)
        elif cancel in ready or (until is not None and time.monotonic() >= until):
            _stop(pid, status)
            return Ending("cancel" if cancel in ready else "timeout")


def _receive(channel: Connection, on_event: Callable[[dict[str, Any]], None]) -> bool:
    """Hand over one event; False at the end of the channel."""
    try:
        data = channel.recv_bytes()
    except (EOFError, ConnectionResetError):
        return False
    on_event(json.loads(data))
    return True


def _stop(pid: int, status: int) -> None:
    """Ask the whole group to end, then make it; the fork server sweeps up what left the group."""
    orphans.kill_group(pid, signal.SIGTERM)
    if not wait([status], GRACE):
        orphans.kill_group(pid)
    _line(status)
