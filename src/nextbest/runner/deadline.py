"""A time limit on a scope that holds more than one process: a run, or a task of several."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from nextbest.bundle.graph import Job, Task
from nextbest.runner.cancel import Cancel
from nextbest.runner.states import TIMEDOUT


@contextmanager
def deadline(cancel: Cancel, seconds: float, what: Job | Task) -> Iterator[None]:
    """Stop `cancel` after that long; 0 is no limit."""
    if not seconds:
        yield
        return
    reason = f"stopped after {seconds} s, the timeout_seconds of '{what.key}' ({what.location})"
    timer = threading.Timer(seconds, cancel.set, (TIMEDOUT, reason))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
