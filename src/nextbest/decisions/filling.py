"""From prices to an allocation that keeps every limit and leaves nothing worth having."""

from __future__ import annotations

import numpy as np

from nextbest.decisions.gains import Gains, blocks
from nextbest.errors import DataError


def fill(problem: Gains, capacity: np.ndarray, prices: np.ndarray) -> np.ndarray:
    """Group of each customer, int [n] (−1: base), at given prices [R].

    Customers ask for what is worth most to them net of prices among the groups with room, and are
    served in the order of what they would lose by going without (forced ones before all others),
    until the first whom a limit refuses on each limit; then the others ask again. When nobody
    asks any more, what is left goes to those who gain at all, least against the prices first.
    Raises DataError for forced customers that are not served, with their count.
    """
    group = np.full(len(problem), -1)
    cost = prices @ problem.usage
    room = capacity.astype(float).copy()
    waiting = np.arange(len(problem))
    for only_net in (True, False):
        rows = waiting
        while len(rows):
            fits = (problem.usage <= room[:, None]).all(axis=0)
            asked, urgency = _ask(problem, rows, cost, fits, only_net)
            asking = asked >= 0
            rows, asked, urgency = rows[asking], asked[asking], urgency[asking]
            order = np.lexsort((-urgency, ~problem.forced[rows]))
            rows, asked = rows[order], asked[order]
            served = _serve(problem.usage[:, asked], room)
            group[rows[served]] = asked[served]
            room = capacity - problem.usage @ np.bincount(
                group[group >= 0], minlength=problem.usage.shape[1]
            )
            rows = rows[~served]
        waiting = np.flatnonzero(group < 0)
    lost = int((problem.forced & (group < 0)).sum())
    if lost:
        raise DataError(
            f"{lost} of {len(group)} customers may only get treatments whose limits are used up; "
            "make 'none' eligible for them or raise the limits"
        )
    return group


def _ask(
    problem: Gains, rows: np.ndarray, cost: np.ndarray, fits: np.ndarray, only_net: bool
) -> tuple[np.ndarray, np.ndarray]:
    """What each row asks for, int [m] (−1: nothing), and how much it would lose without it."""
    asked, urgency = np.full(len(rows), -1), np.empty(len(rows))
    if not fits.any():
        return asked, urgency
    for part in blocks(len(rows)):
        some = rows[part]
        net = np.where(fits, problem.gain[some] - cost, -np.inf)
        best = net.argmax(axis=1)
        at = (np.arange(len(some)), best)
        worth = net[at].copy()
        net[at] = -np.inf
        second = net.max(axis=1)
        must = problem.forced[some]
        if only_net:
            second = np.where(must, second, np.maximum(second, 0.0))
            asked[part] = np.where((worth > 0) | (must & np.isfinite(worth)), best, -1)
            urgency[part] = np.where(worth > second, worth - second, 0.0)
        else:
            asked[part] = np.where(np.isfinite(worth), best, -1)
            urgency[part] = worth
    return asked, urgency


def _serve(usage: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Who fits, bool [m], in this order, when usage [R, m] is taken from room [R].

    Whoever comes after somebody refused on a limit he needs too waits for the next round, so that
    the order is kept; the first always fits.
    """
    fits = np.ones(usage.shape[1], dtype=bool)
    for row, left in zip(usage, room, strict=True):
        if row.sum() > left:
            fits &= (np.cumsum(row) <= left) | (row == 0)
    return fits
