"""Draw one treatment per customer: every probability exact, no limit exceeded in any draw.

Independent draws keep a limit on average only. Here customers are drawn together (dependent
rounding: Gandhi, Khuller, Parthasarathy & Srinivasan, J. ACM 2006). The probabilities form a
matrix X whose rows sum to 1. A step takes two customers i, j and two treatments k, l in which all
four entries are positive, and shifts mass around this rectangle,

    X[i,k] + d   X[i,l] − d   X[j,k] − d   X[j,l] + d,

by d = up = min(X[i,l], X[j,k]) with probability down / (up + down), else by d = −down,
down = min(X[i,k], X[j,l]). Then (1) an entry becomes 0 and stays 0; (2) E[d] = 0, so every entry
is a martingale and X[i,k] is in the end 1 with the probability it began with: the logged
propensity is the true one; (3) rows and columns keep their sums in every draw.

A rectangle exists as long as two customers share two treatments. For each pair of treatments the
customers who have both meet in knock-out rounds, half of them leave in each, at most one is left,
and supports never grow: once every pair was visited, any two treatments are shared by at most one
customer, so at most K(K−1)/2 customers are open, whatever n is. These few are settled as a flow,
customer → treatment → channel → all, which is shifted in the same way along cycles of edges whose
flow isn't whole. Each edge ends at the floor or the ceiling of what it had: so do the counts
of each treatment and channel. A budget is kept by the caller's margin (see trimming.py).

Probabilities are counted in units of 2⁻⁴⁰ as integers, so that all of this is exact: no tolerance,
no drift, and a sum that is whole is never taken for a little more. Sums hold up to 8 million rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from nextbest.decisions.landing import land
from nextbest.decisions.limits import Limits
from nextbest.decisions.randomness import choose, hashes, uniforms, unit_interval
from nextbest.errors import DataError

ONE = 1 << 40  # probability 1 in units
MOST_ROWS = (1 << 63) // ONE - 1


def draw_within(
    probabilities: np.ndarray, limits: Limits, decision_ids: Sequence[str] | np.ndarray, seed: int
) -> np.ndarray:
    """Draw one treatment per row, int [n], from what trimming.within_limits gave, [n, K].

    Over seeds each row's treatment has exactly its probabilities; in each draw the contacts per
    limited treatment and channel are the floor or the ceiling of their expectation. It depends on
    the ids and the seed, not on the order of the rows. Without limits it is policy.choose, row by
    row. Raises DataError for rows that are not multiples of 2⁻⁴⁰ with sum 1, and for repeated ids.
    """
    limits.check(probabilities.shape, "probabilities")
    u = uniforms(decision_ids, seed)
    if not len(limits) or not len(probabilities):
        return choose(probabilities, u)
    order, generator = _shuffle(decision_ids, seed)
    # Treatments that no limit tells apart are drawn as one, then apart from each other by u.
    usage, member = np.unique(limits.usage, axis=1, return_inverse=True)
    member = member.reshape(-1)
    units = np.zeros((usage.shape[1], len(probabilities)), dtype=np.int64)
    for k, group in enumerate(member):
        units[group] += to_units(probabilities[order, k])
    if (units.sum(axis=0) != ONE).any():
        raise DataError(
            f"{int((units.sum(axis=0) != ONE).sum())} of {len(u)} rows of probabilities are not "
            "multiples of 2^-40 with sum 1: pass what within_limits returned"
        )
    knock_out(units, generator)
    above = _parents(usage, limits)
    land(units, above, ONE, generator)
    group = np.empty(len(u), dtype=np.int64)
    group[order] = units.argmax(axis=0)
    if usage.shape[1] == len(member):
        return np.argsort(member)[group]
    return choose(np.where(member == group[:, None], probabilities, 0.0), u)


def to_units(probabilities: np.ndarray) -> np.ndarray:
    """Probabilities in units of 2⁻⁴⁰, int64; what is between two units goes to the lower one."""
    return np.floor(probabilities * ONE).astype(np.int64)


def knock_out(units: np.ndarray, generator: np.random.PCG64) -> None:
    """Settle all customers but a few, in place: units [K, n] of nonnegative integers.

    Afterwards any two treatments are shared by at most one customer.
    """
    for low in range(len(units)):
        for high in range(low + 1, len(units)):
            rows = np.flatnonzero((units[low] > 0) & (units[high] > 0))
            if len(rows) > 1:
                a, b = units[low, rows], units[high, rows]
                _rounds(a, b, generator)
                units[low, rows], units[high, rows] = a, b


def _rounds(a: np.ndarray, b: np.ndarray, generator: np.random.PCG64) -> None:
    """Pair entries of a and b (one customer each) until at most one has both, in place."""
    alive = np.arange(len(a))
    while len(alive) > 1:
        half = len(alive) // 2
        i, j = alive[:half], alive[half : 2 * half]
        up, down = np.minimum(b[i], a[j]), np.minimum(a[i], b[j])
        u = unit_interval(generator.random_raw(half))
        shift = np.where(u * (up + down) < down, up, -down)
        a[i] += shift
        b[i] -= shift
        a[j] -= shift
        b[j] += shift
        alive = alive[(a[alive] > 0) & (b[alive] > 0)]


def _shuffle(
    decision_ids: Sequence[str] | np.ndarray, seed: int
) -> tuple[np.ndarray, np.random.PCG64]:
    """An order of the rows and a generator that depend on the set of ids and the seed only."""
    codes = hashes(decision_ids, f"rounding:{seed}")
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    twins = int((ordered[1:] == ordered[:-1]).sum())
    if twins:
        raise DataError(f"{twins} decision ids are repeated; decide once for each customer and day")
    digest = hashlib.blake2b(ordered.tobytes(), key=str(seed).encode(), digest_size=16).digest()
    return order, np.random.PCG64(int.from_bytes(digest, "big"))


def _parents(usage: np.ndarray, limits: Limits) -> np.ndarray:
    """The channel row that a group belongs to, int [groups]; −1 where its channel is unlimited."""
    rows = np.flatnonzero([name.startswith("channel ") for name in limits.names])
    above = np.full(usage.shape[1], -1)
    for row in rows:
        above[usage[row] > 0] = row
    return above
