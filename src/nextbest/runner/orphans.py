"""Who descends from whom, so that nothing a notebook started outlives it (Linux; else no-ops)."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


def adopt() -> None:
    """From now on orphaned descendants become children of this process, not of init's."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def parents() -> dict[int, int]:
    """Every living process and its parent, from /proc; empty where there is none."""
    return {pid: parent for pid, (parent, alive) in _processes().items() if alive}


def descendants(roots: Iterable[int]) -> set[int]:
    """Living processes below `roots`, and the roots that live."""
    return living_below(roots, _processes())


def living_below(roots: Iterable[int], tree: Mapping[int, tuple[int, bool]]) -> set[int]:
    """The same in one look at all processes: of each its parent, and whether it lives.

    Also those below a dead one that nobody has waited for: a look takes its time, and a process
    may have been seen before its dying parent's children were handed on.
    """
    found = {pid for pid in roots if pid in tree}
    fresh = found
    while fresh:
        fresh = {pid for pid, (parent, _) in tree.items() if parent in fresh} - found
        found |= fresh
    return {pid for pid in found if tree[pid][1]}


def _processes() -> dict[int, tuple[int, bool]]:
    """Every process: its parent, and whether it is more than an exit code to be waited for."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it may end while we look
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
            found[int(path.parent.name)] = (int(parent), state != "Z")
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
        tree = _processes()  # one look: between two a child may be handed on, and seen in neither
        children = {pid for pid, (parent, _) in tree.items() if parent == os.getpid()}
        strays = living_below(children - keep, tree)
        if not strays:
            return
        for pid in strays:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)
