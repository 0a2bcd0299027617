"""Customers without a way out: probability that a limit cut moves among treatments with limits.

Where neither "none" nor a treatment without a limit is eligible, what one limit cuts must fit under
another. Customers with the same eligible treatments are one source of a flow to these treatments,
on to their channels, and out; what they have already flows, and is augmented along shortest paths
(Edmonds & Karp, J. ACM 1972), which may lead back and move what others have. In whole units of
2⁻⁴⁰ that is exact, and it places everything whenever there is a way to.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from nextbest.decisions.limits import Limits
from nextbest.decisions.rounding import ONE

_SAFE = 1 - 1e-12  # a factor's rounding error must not lift a sum over what it shares out
_MUCH = ONE << 40  # more than any flow

Residual = dict[object, dict[object, int]]


def reroute(
    units: np.ndarray, eligible: np.ndarray, stuck: np.ndarray, limits: Limits, *, alone: bool
) -> None:
    """Complete the rows `stuck` of units [K, n] to ONE as far as capacities allow, in place.

    A budget is not looked at. `alone`: as if nobody else had anything; others must give way then.
    """
    sets, member = np.unique(eligible[stuck], axis=0, return_inverse=True)
    classes = [stuck[member.reshape(-1) == number] for number in range(len(sets))]
    mine = [[int(amount) for amount in units[:, rows].sum(axis=1)] for rows in classes]
    others = [0] * len(units)
    if not alone:
        totals = units.sum(axis=1) - units[:, stuck].sum(axis=1)
        others = [int(total) for total in totals]
    residual = _residual(sets, mine, others, [len(rows) * ONE for rows in classes], limits)
    while path := _shortest(residual):
        amount = min(residual[a][b] for a, b in path)
        for a, b in path:
            residual[a][b] -= amount
            residual[b][a] = residual[b].get(a, 0) + amount
    for number, rows in enumerate(classes):
        wanted = [residual["k", k].get(("c", number), 0) for k in range(len(units))]
        units[:, rows] = _shared_out(units[:, rows], mine[number], wanted)


def _residual(
    sets: np.ndarray,
    mine: list[list[int]],
    others: list[int],
    needed: list[int],
    limits: Limits,
) -> Residual:
    """What can still flow along each edge, and back: in → class → treatment → channel → out."""
    residual: Residual = {"in": {}, "out": {}}
    count = len(others)
    held = [sum(part[k] for part in mine) for k in range(count)]
    for k in range(count):
        residual["k", k] = {"out": _MUCH}
    for row in np.flatnonzero(limits.counts):
        members = np.flatnonzero(limits.usage[row] > 0).tolist()
        left = int(limits.capacity[row]) * ONE - sum(held[k] + others[k] for k in members)
        if limits.names[row].startswith("channel "):
            residual["h", row] = {"out": left, **{("k", k): held[k] for k in members}}
            for k in members:
                residual["k", k][("h", row)] = residual["k", k].pop("out")
        else:
            residual["k", members[0]]["out"] = left
    for number, (allowed, part) in enumerate(zip(sets, mine, strict=True)):
        residual["in"]["c", number] = needed[number] - sum(part)
        residual["c", number] = {("k", int(k)): _MUCH for k in np.flatnonzero(allowed)}
        for k in np.flatnonzero(allowed).tolist():
            residual["k", k]["c", number] = part[k]
    return residual


def _shortest(residual: Residual) -> list[tuple[object, object]]:
    """Edges of a shortest path from in to out that can take more; none when there is no such."""
    before: dict[object, object] = {"in": None}
    queue = deque(["in"])
    while queue and "out" not in before:
        node = queue.popleft()
        for following, amount in residual[node].items():
            if amount > 0 and following not in before:
                before[following] = node
                queue.append(following)
    path, node = [], "out"
    while before.get(node) is not None:
        path.append((before[node], node))
        node = before[node]
    return path[::-1]


def _shared_out(units: np.ndarray, had: list[int], wanted: list[int]) -> np.ndarray:
    """Units [K, m] with these sums by treatment, near to what they were; rows of at most ONE."""
    found = units.copy()
    for k, (before, after) in enumerate(zip(had, wanted, strict=True)):
        if after < before:
            found[k] = (units[k] * (after / before * _SAFE)).astype(np.int64)
    lack = ONE - found.sum(axis=0)
    free = np.array(wanted) - found.sum(axis=1)
    shares = free / max(1, int(lack.sum())) * _SAFE
    added = np.stack([(lack * share).astype(np.int64) for share in shares])
    found += added
    # What rounding left: by the corners of two ladders, that of customers and that of treatments.
    lack, free = np.cumsum(lack - added.sum(axis=0)), np.cumsum(
        np.array(wanted) - found.sum(axis=1)
    )
    ends = np.union1d(lack, free)
    ends = ends[(ends > 0) & (ends <= min(lack[-1], free[-1]))]
    at = np.searchsorted(free, ends), np.searchsorted(lack, ends)
    np.add.at(found, at, np.diff(ends, prepend=0))
    return found
