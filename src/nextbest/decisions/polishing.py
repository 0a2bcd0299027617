"""The last doubts of a large allocation, settled exactly: those for whom prices hardly decide."""

from __future__ import annotations

import numpy as np

from nextbest.decisions.exact import linear_program
from nextbest.decisions.gains import Gains, blocks

_OPTIONS = 5  # groups a customer keeps, the best net of prices


def polish(
    problem: Gains, capacity: np.ndarray, prices: np.ndarray, group: np.ndarray, pairs: int
) -> np.ndarray:
    """Improve an allocation, group int [n] (−1: base), within the limits; never a worse one.

    The bound exceeds an allocation by what customers lose against their best choice net of prices,
    plus what unused limits would cost at their prices. So customers who lose something come first,
    then those whose best two choices differ least; as many as `pairs` allows leave their places and
    are allocated again by HiGHS among their best few choices and the one they had.
    """
    if not problem.gain.shape[1] or not (group >= 0).any():
        return group
    order = np.argsort(_margin(problem, prices @ problem.usage, group), kind="stable")
    rows = np.sort(order[: max(pairs // _OPTIONS, 1)])
    core = problem.rows(rows)
    net = core.gain - prices @ problem.usage
    at = np.arange(len(rows))
    had = group[rows]
    if net.shape[1] > _OPTIONS:
        least = np.partition(net, -_OPTIONS, axis=1)[:, -_OPTIONS]
        kept = net >= least[:, None]
        kept[at[had >= 0], had[had >= 0]] = True
        core.gain[~kept] = -np.inf
    others = np.delete(group, rows)
    used = problem.usage @ np.bincount(others[others >= 0], minlength=problem.usage.shape[1])
    options = np.nonzero(np.isfinite(core.gain))
    x = linear_program(core, capacity - used, *options).x
    # Nearly all of a corner is whole; the few customers in between (one per limit) go without.
    chosen = x > 1 - 1e-9
    found = np.full(len(rows), -1)
    found[options[0][chosen]] = options[1][chosen]
    if (core.forced & (found < 0)).any():
        return group
    if _value(core, found) <= _value(core, had):
        return group
    better = group.copy()
    better[rows] = found
    return better


def _margin(problem: Gains, cost: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Net best − net second best [n]; −loss where the present choice is not the best one."""
    margin = np.empty(len(problem))
    for rows in blocks(len(problem)):
        net = problem.gain[rows] - cost
        base = np.where(problem.forced[rows], -np.inf, 0.0)
        net = np.concatenate([net, base[:, None]], axis=1)  # group −1 is the last column
        top_two = np.partition(net, -2, axis=1)[:, -2:]
        lost = top_two[:, 1] - net[np.arange(len(net)), group[rows]]
        margin[rows] = np.where(lost > 0, -lost, top_two[:, 1] - top_two[:, 0])
    return margin


def _value(problem: Gains, group: np.ndarray) -> float:
    rows = np.flatnonzero(group >= 0)
    return float(problem.gain[rows, group[rows]].sum())
