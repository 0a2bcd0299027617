"""The last step of dependent rounding: a small flow made whole, cycle by cycle (rounding.py)."""

from __future__ import annotations

import numpy as np

from nextbest.decisions.randomness import unit_interval

Edge = tuple[tuple[str, int], tuple[str, int]]
ROOT = ("root", 0)


def land(units: np.ndarray, above: np.ndarray, one: int, generator: np.random.PCG64) -> None:
    """Settle the customers that are still open, in place: units [K, n], columns that sum to `one`.

    `above` int [K] is the channel a treatment counts for (−1: none that matters). Every customer
    ends with one treatment; counts of treatments and channels end at the floor or the ceiling of
    what they were. Every node has whole supply, so a node with one edge whose flow isn't whole has
    another one: a walk along them must close a cycle, and each cycle makes an edge whole.
    """
    open_rows = np.flatnonzero((units > 0).sum(axis=0) > 1)
    flow: dict[Edge, int] = {}
    for row in open_rows.tolist():
        for k in np.flatnonzero(units[:, row]).tolist():
            amount = int(units[k, row])
            top = ("channel", int(above[k])) if above[k] >= 0 else ROOT
            path = [(("customer", row), ("treatment", k)), (("treatment", k), top)]
            path += [(top, ROOT)] if top != ROOT else []
            for edge in path:
                flow[edge] = flow.get(edge, 0) + amount
    around: dict[tuple[str, int], dict[tuple[str, int], Edge]] = {}
    for edge, amount in flow.items():
        if amount % one:
            for here, there in (edge, edge[::-1]):
                around.setdefault(here, {})[there] = edge
    for start in list(around):
        while around[start]:
            cycle = _cycle(around, start)
            _shift(flow, cycle, one, generator)
            for edge, _ in cycle:
                if flow[edge] % one == 0:
                    for here, there in (edge, edge[::-1]):
                        del around[here][there]
    for (kind, row), (_, k) in flow:
        if kind == "customer":
            units[k, row] = flow[("customer", row), ("treatment", k)]


def _cycle(
    around: dict[tuple[str, int], dict[tuple[str, int], Edge]], start: tuple[str, int]
) -> list[tuple[Edge, bool]]:
    """Walk from `start` until a node comes again; the edges of that cycle, True where forward."""
    walk, at = [start], {start: 0}
    while True:
        before = walk[-2] if len(walk) > 1 else None
        here = walk[-1]
        there = next(node for node in around[here] if node != before)
        if there in at:
            ring = [*walk[at[there] :], there]
            return [
                (around[a][b], around[a][b] == (a, b))
                for a, b in zip(ring[:-1], ring[1:], strict=True)
            ]
        at[there] = len(walk)
        walk.append(there)


def _shift(
    flow: dict[Edge, int], cycle: list[tuple[Edge, bool]], one: int, generator: np.random.PCG64
) -> None:
    """Move the flow around the cycle, one way or the other, with no change on average."""
    above = {edge: one - flow[edge] % one for edge, _ in cycle}
    below = {edge: flow[edge] % one for edge, _ in cycle}
    up = min(above[edge] if forward else below[edge] for edge, forward in cycle)
    down = min(below[edge] if forward else above[edge] for edge, forward in cycle)
    u = unit_interval(generator.random_raw(1))[0]
    step = up if u * (up + down) < down else -down
    for edge, forward in cycle:
        flow[edge] += step if forward else -step
