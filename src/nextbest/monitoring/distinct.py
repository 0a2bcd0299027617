"""How many different values: the smallest hashes of all that were seen, mergeable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

KEPT = 1024
DISTINCT_ERROR = 1 / (KEPT - 2) ** 0.5  # relative, one standard deviation; none up to KEPT
BLOCK = 2**15  # rows whose hashes stay in the processor's cache
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
    return _smallest(len(hashes), lambda rows: hashes[rows])


def distinct_numbers(numbers: np.ndarray) -> Distinct:
    """Of float64 numbers without -0.0."""
    return _smallest(len(numbers), lambda rows: number_hashes(numbers[rows]))


def _smallest(rows: int, hashed: Callable[[slice], np.ndarray]) -> Distinct:
    """The smallest hashes, looked for below a bound, by blocks that fit the processor's cache."""
    blocks = [slice(start, start + BLOCK) for start in range(0, rows, BLOCK)]
    # Of rows with different values about 4 KEPT are below this; of fewer values, fewer.
    bound = 4 * KEPT / max(rows, 1)
    while bound < 1:
        limit = np.uint64(int(bound * _ALL))
        found = [hashes[hashes < limit] for hashes in map(hashed, blocks)]
        smallest = np.unique(np.concatenate(found))
        if len(smallest) >= KEPT:
            return Distinct(smallest[:KEPT])
        bound *= 64
    different = [np.unique(hashed(rows)) for rows in blocks]
    return merged([Distinct(hashes) for hashes in different])


def merged(parts: Sequence[Distinct]) -> Distinct:
    """Of all parts together; exactly what counting at once gives."""
    every = [part.hashes for part in parts]
    return Distinct(np.unique(np.concatenate(every))[:KEPT] if every else np.empty(0, np.uint64))


def number_hashes(numbers: np.ndarray) -> np.ndarray:
    """Of float64 numbers without -0.0. Source: the finalizer of MurmurHash3 (public domain)."""
    bits = np.ascontiguousarray(numbers, dtype=np.float64).view(np.uint64)
    shift = np.uint64(33)
    mixed = bits >> shift
    mixed ^= bits
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        mixed *= np.uint64(factor)
        mixed ^= mixed >> shift
    return mixed
