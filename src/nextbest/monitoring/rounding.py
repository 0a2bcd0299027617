"""Many numbers to few points in one pass, without sorting: each keeps the bits it needs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nextbest.monitoring.points import Points, merged

EXACT = 2000  # up to so many different values each is kept as it is
DENSE = 1 / 1024  # a rounded value that stands for a larger share of the rows is kept more finely
# Last bits of the mantissa left out: 42 leave a number within 1/2048 of its size.
DROPPED = (42, 31, 20, 10, 0)
BLOCK = 2**15  # numbers that stay in the processor's cache
_SIGN = 1 << (63 - DROPPED[0])


def points_of(numbers: np.ndarray) -> Points:
    """The points of float64 numbers (no NaN), some nanoseconds a number.

    Numbers fall into cells of equal sign, exponent and first bits of the mantissa; a cell with
    more than DENSE of the rows, or any as long as they are no more than EXACT, is divided by
    further bits. Cells are the same for all data, so that points of equal cells add up exactly.
    """
    if len(numbers) <= EXACT:
        return _atoms(*np.unique(numbers, return_counts=True))
    parts = []
    finite = np.isfinite(numbers)
    if not finite.all():
        for infinite in (-np.inf, np.inf):
            parts.append(_atoms(np.array([infinite]), np.array([(numbers == infinite).sum()])))
        numbers = numbers[finite]
    zeros = len(numbers) - int(np.count_nonzero(numbers))
    if zeros:
        parts.append(_atoms(np.zeros(1), np.array([zeros])))
        numbers = numbers[numbers != 0]
    if len(numbers):
        parts += _cells(np.ascontiguousarray(numbers, dtype=np.float64).view(np.uint64))
    found = merged(parts, most=None)
    # Cells don't overlap: any x lies in one of them at most.
    return replace(found, error=int(found.rows[found.spread].max(initial=0)))


def _cells(bits: np.ndarray) -> list[Points]:
    """Points of numbers by their bits, from coarse cells to fine ones."""
    found: list[Points] = []
    most = max(1, int(len(bits) * DENSE))
    index, first, width = _coarse(bits)
    parents, divided = np.empty(0, np.uint64), 0
    done = 0
    for level, dropped in enumerate(DROPPED):
        counts = np.bincount(index)
        held = np.flatnonzero(counts)
        rows = counts[held]
        if level:
            codes = parents[held >> divided] << np.uint64(divided)
            codes |= (held & ((1 << divided) - 1)).astype(np.uint64)
        else:
            codes = (held % width + first + held // width * _SIGN).astype(np.uint64)
        if not (bits & _low(dropped)).any():  # a cell holds one number only: that without them
            return [*found, _atoms((codes << np.uint64(dropped)).view(np.float64), rows)]
        finer = rows > most if done + len(held) > EXACT else np.ones(len(held), bool)
        if not finer.all():
            found.append(_rounded(codes[~finer], rows[~finer], dropped))
            done += len(found[-1].rows)
        if not finer.any():
            return found
        number = np.full(len(counts), -1)
        number[held[finer]] = np.arange(finer.sum())
        inside = number[index]
        if not finer.all():
            bits, inside = bits[inside >= 0], inside[inside >= 0]
        parents, divided = codes[finer], dropped - DROPPED[level + 1]
        following = (bits >> np.uint64(DROPPED[level + 1])).view(np.int64)
        index = (inside << divided) | (following & ((1 << divided) - 1))
    raise AssertionError("the last level leaves no bit out")


def _coarse(bits: np.ndarray) -> tuple[np.ndarray, int, int]:
    """Each number's cell, counted from the first magnitude; negative ones `width` further on."""
    codes = np.empty(len(bits), np.int64)
    blocks = [slice(start, start + BLOCK) for start in range(0, len(bits), BLOCK)]
    low, high, most = 2 * _SIGN, 0, 0  # magnitudes, and the largest code
    for rows in blocks:  # block by block: within the processor's cache
        code = np.right_shift(bits[rows], np.uint64(DROPPED[0]), out=codes[rows].view(np.uint64))
        most = max(most, int(code.max()))
        sizes = code & np.uint64(_SIGN - 1) if most >= _SIGN else code
        low, high = min(low, int(sizes.min())), max(high, int(sizes.max()))
    width = high - low + 1
    for rows in blocks:
        if most >= _SIGN:
            negative = codes[rows] >= _SIGN
            codes[rows] -= low
            codes[rows] -= negative * np.int64(_SIGN - width)
        else:
            codes[rows] -= low
    return codes, low, width


def _rounded(codes: np.ndarray, rows: np.ndarray, dropped: int) -> Points:
    """Each row stands in the middle of its cell."""
    low = codes << np.uint64(dropped)
    edges = [(low | bits).view(np.float64) for bits in (np.uint64(0), _low(dropped))]
    middle = (low | np.uint64(1 << (dropped - 1))).view(np.float64)
    moved = float(np.sum(np.abs(edges[1] - edges[0]) / 2 * rows))
    return Points(middle, rows, np.ones(len(rows), bool), 0, moved)


def _low(dropped: int) -> np.uint64:
    return np.uint64((1 << dropped) - 1)


def _atoms(values: np.ndarray, rows: np.ndarray) -> Points:
    return Points(values, rows.astype(np.int64), np.zeros(len(values), bool))
