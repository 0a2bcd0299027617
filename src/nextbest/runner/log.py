"""A task's log: what it printed, kept in full up to a limit, then its head and its tail."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path

from nextbest.runner import secrets

HEAD = 63 * 1024 * 1024  # bytes kept from the beginning
TAIL = 1024 * 1024  # bytes kept from the end
_CHUNK = 64 * 1024


class Log:
    """Copies a pipe to a file in a thread of its own, never holding more than the tail."""

    def __init__(
        self, path: Path, pipe: int, hidden: tuple[str, ...], head: int = HEAD, tail: int = TAIL
    ) -> None:
        self.path = path
        self.problem = ""
        self._pipe = pipe
        self._hidden = [secret.encode() for secret in hidden]  # longest first
        self._pattern = re.compile(b"|".join(map(re.escape, self._hidden)) or b"(?!)")
        self._overlap = max((len(secret) for secret in self._hidden), default=1) - 1
        self._room = head
        self._limit = tail
        self._tail = bytearray()
        self._cut = 0
        self._file = path.open("ab", buffering=0)
        self._thread = threading.Thread(target=self._copy, name=f"log {path.name}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Wait for the end of the pipe and write the tail."""
        self._thread.join(timeout=3)
        if self._cut:
            self._write(b"\n[... %d bytes are left out here ...]\n" % self._cut)
        self._write(bytes(self._tail))
        if self._thread.is_alive():
            self.problem = f"the log {self.path.name} is cut: a process left behind still writes"
        self._file.close()

    def _copy(self) -> None:
        held = b""
        while chunk := os.read(self._pipe, _CHUNK):
            # A secret may be cut by the end of a chunk: hold back what could begin one.
            clean, held = self._redact(held + chunk, self._overlap)
            self._keep(clean)
        self._keep(self._redact(held, 0)[0])
        os.close(self._pipe)

    def _redact(self, data: bytes, back: int) -> tuple[bytes, bytes]:
        """What can be written down, and the rest: of its last `back` bytes it can't be told yet."""
        end, at, clean = max(0, len(data) - back), 0, []
        if any(secret in data for secret in self._hidden):  # a pattern takes its time
            for match in self._pattern.finditer(data):
                if match.start() >= end:
                    break
                clean += [data[at : match.start()], secrets.BLACKED_OUT.encode()]
                at = match.end()
        end = max(at, end)
        return b"".join([*clean, data[at:end]]), data[end:]

    def _keep(self, data: bytes) -> None:
        now, later = data[: self._room], data[self._room :]
        self._room -= len(now)
        self._write(now)
        self._tail += later
        if (over := len(self._tail) - self._limit) > 0:
            del self._tail[:over]
            self._cut += over

    def _write(self, data: bytes) -> None:
        while data and not self.problem:
            try:
                data = data[self._file.write(data) :]
            except OSError as error:  # the task goes on; the record says that its log is cut
                self.problem = f"the log {self.path.name} is cut: {error.strerror}"


def ends(path: Path, size: int = 32 * 1024) -> str:
    """Head and tail of a log for showing: whole when it is short."""
    with path.open("rb") as file:
        length = os.fstat(file.fileno()).st_size
        head = file.read(size)
        if length <= 2 * size:
            return (head + file.read()).decode("utf-8", "replace")
        file.seek(length - size)
        tail = file.read()
    middle = f"\n\n[... {length - 2 * size} bytes: see the log ...]\n\n"
    return head.decode("utf-8", "replace") + middle + tail.decode("utf-8", "replace")
