"""Who descends from whom, so that nothing a notebook started outlives it (Linux; else no-ops)."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


def adopt() -> None:
    """From now on orphaned descendants become children of this process, not of init's."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def parents() -> dict[int, int]:
    """Every process and its parent, from /proc; empty where there is none."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it may end while we look
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                found[int(path.parent.name)] = int(parent)
    return found


def descendants(roots: Iterable[int]) -> set[int]:
    """Living processes below `roots`, and the roots that live."""
    tree = parents()
    found = {pid for pid in roots if pid in tree}
    fresh = found
    while fresh:
        fresh = {pid for pid, parent in tree.items() if parent in fresh} - found
        found |= fresh
    return found


def kill_group(group: int, number: int = signal.SIGKILL) -> None:
    """Signal a process group, if there still is one."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def kill_strays(own: Iterable[int], seconds: float = 2.0) -> None:
    """Kill every child of this process that is not one of `own`, with all below, until none is."""
    keep = set(own)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        children = {pid for pid, parent in parents().items() if parent == os.getpid()}
        strays = descendants(children - keep)
        if not strays:
            return
        for pid in strays:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)
