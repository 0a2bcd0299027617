"""How many different values: the smallest hashes of all that were seen, mergeable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

KEPT = 1024
DISTINCT_ERROR = 1 / (KEPT - 2) ** 0.5  # relative, one standard deviation; none up to KEPT
_ALL = float(2**64)


@dataclass(frozen=True, eq=False)
class Distinct:
    """The KEPT smallest hashes, ascending; fewer are all that there are.

    Source: Bar-Yossef et al. (2002), "Counting distinct elements in a data stream"; the unbiased
    estimate: Beyer et al. (2007), SIGMOD, §4.2.
    """

    hashes: np.ndarray

    @property
    def count(self) -> int:
        """Exact below KEPT different values, an estimate from there on."""
        if len(self.hashes) < KEPT:
            return len(self.hashes)
        return round((KEPT - 1) * _ALL / float(self.hashes[-1]))


def distinct_of(hashes: np.ndarray) -> Distinct:
    """Of evenly distributed uint64 hashes, one per row, in any order."""
    if len(hashes) <= 8 * KEPT:
        return Distinct(np.unique(hashes)[:KEPT])
    # Of n rows with different values about 4 KEPT are below this; of fewer values, fewer.
    bound = 4 * KEPT / len(hashes)
    while bound < 1:
        smallest = np.unique(hashes[hashes < np.uint64(int(bound * _ALL))])
        if len(smallest) >= KEPT:
            return Distinct(smallest[:KEPT])
        bound *= 16
    return Distinct(np.unique(hashes)[:KEPT])


def merged(parts: Sequence[Distinct]) -> Distinct:
    """Of all parts together; exactly what counting at once gives."""
    every = [part.hashes for part in parts]
    return Distinct(np.unique(np.concatenate(every))[:KEPT] if every else np.empty(0, np.uint64))


def number_hashes(numbers: np.ndarray) -> np.ndarray:
    """Of float64 numbers without -0.0. Source: the finalizer of MurmurHash3 (public domain)."""
    mixed = np.ascontiguousarray(numbers, dtype=np.float64).view(np.uint64).copy()
    shift = np.uint64(33)
    mixed ^= mixed >> shift
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        mixed *= np.uint64(factor)
        mixed ^= mixed >> shift
    return mixed
