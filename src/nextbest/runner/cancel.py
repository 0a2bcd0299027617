"""A way to stop everything below a run, with the reason, from any thread or signal handler."""

from __future__ import annotations

import os
import threading
from types import TracebackType


class Cancel:
    """Set once, with the state that running tasks end in; passes on to the scopes below.

    `fileno` becomes readable when set, so that it can be waited for beside pipes.
    """

    def __init__(self, above: Cancel | None = None) -> None:
        self.state: str | None = None
        self.reason = ""
        self._above = above
        self._below: list[Cancel] = []
        self._lock = threading.RLock()
        self._changed = threading.Event()
        self._read, self._write = os.pipe()
        if above is not None:
            above._adopt(self)

    def __enter__(self) -> Cancel:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._above is not None:
            with self._above._lock:
                self._above._below.remove(self)
        os.close(self._read)
        with self._lock:
            if self._write >= 0:
                os.close(self._write)
                self._write = -1

    def set(self, state: str, reason: str) -> None:
        """Stop this scope and every scope below; the first reason stays."""
        with self._lock:
            if self.state is not None:
                return
            self.state, self.reason = state, reason
            if self._write >= 0:
                os.close(self._write)  # the read end turns readable, for good
                self._write = -1
            self._changed.set()
            below = list(self._below)
        for scope in below:
            scope.set(state, reason)

    def is_set(self) -> bool:
        """Whether the scope was stopped."""
        return self._changed.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep, or wake up when stopped; whether it was."""
        return self._changed.wait(seconds)

    def fileno(self) -> int:
        """The descriptor that becomes readable when set."""
        return self._read

    def _adopt(self, scope: Cancel) -> None:
        with self._lock:
            self._below.append(scope)
            if self.state is not None:
                scope.set(self.state, self.reason)
