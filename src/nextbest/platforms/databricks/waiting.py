"""Waiting for what a workspace does by itself: within a limit, and told."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
TELL_SECONDS = 60  # after which the same state is told once more


def wait(
    first: T,
    look: Callable[[], T],
    state: Callable[[T], str],
    ended: Callable[[T], bool],
    what: str,
    every: float,
    patience: float,
) -> T:
    """What `look` sees once it has ended, or when patience is over; `first` was seen before.

    every, patience: seconds between two looks, and for all. Tells `what` and its state on stderr
    when that changes, and each minute. `look` asks by `asking.ask`, so that each look has its own
    patience with a workspace that has an error.
    """
    at, begin, told, said = first, time.monotonic(), "", 0.0
    while not ended(at):
        passed = time.monotonic() - begin
        if passed > patience:
            break
        if state(at) != told or passed - said >= TELL_SECONDS:
            told, said = state(at), passed
            since = f", {passed / 60:.0f} min" if passed >= TELL_SECONDS else ""
            print(f"{what}: {told}{since}", file=sys.stderr, flush=True)
        time.sleep(every)
        at = look()
    return at
