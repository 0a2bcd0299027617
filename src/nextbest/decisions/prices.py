"""Prices of limits for allocations too large to solve exactly: the dual, by cutting planes."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.optimize import linprog

from nextbest.decisions.exact import sample_prices
from nextbest.decisions.gains import BLOCK, Gains, blocks
from nextbest.errors import DataError

_ROUNDS = 60
_TOLERANCE = 5e-5  # of the bound
_WIDEST = 100.0  # of the prices' scale: beyond, the dual is flat (all forced customers fit)
_LEAST_CUTS = 16  # a round; finer cuts tell more


def responses(problem: Gains, price: np.ndarray) -> np.ndarray:
    """What every customer takes when a contact costs its price, int [n]; −1 takes the base."""
    cost = price @ problem.usage
    group = np.empty(len(problem), dtype=np.int64)
    for rows in blocks(len(problem)):
        net = problem.gain[rows] - cost
        best = net.argmax(axis=1)
        worth = np.take_along_axis(net, best[:, None], axis=1)[:, 0] > 0
        group[rows] = np.where(worth | problem.forced[rows], best, -1)
    return group


def dual_value(problem: Gains, capacity: np.ndarray, price: np.ndarray) -> float:
    """D(price) without the base: no allocation gains more, for any price ≥ 0."""
    if not problem.gain.shape[1]:
        return 0.0
    gained, used = _cuts(problem, price)
    return float(price @ capacity + gained.sum() - used.sum(axis=0) @ price)


def best_prices(problem: Gains, capacity: np.ndarray, sample_pairs: int) -> np.ndarray:
    """Minimise D: prices [R], from a sample solved by HiGHS, then by cutting planes on all.

    Each block of customers gives a cut of its own, since what a block gains at its response to one
    price, gained − used·price, is a lower bound of what it gains at any other. The cuts' minimum
    within a box around the best prices is tried next; the box grows while that helps and shrinks
    when it doesn't. Deterministic; ends within 5e-5 of the optimum or after 60 rounds.
    """
    active = np.flatnonzero(np.isfinite(problem.gain).any(axis=1))
    step = -(-int(np.isfinite(problem.gain).sum()) // max(sample_pairs, 1))
    sample = active[::step]
    # A sample of the forced may not be servable; these prices are only where the search begins.
    eased = dataclasses.replace(problem.rows(sample), forced=np.zeros(len(sample), dtype=bool))
    centre = sample_prices(eased, capacity * (len(sample) / len(active)))
    top = np.where(np.isfinite(problem.gain), problem.gain, 0.0).max()
    scale = np.maximum(centre, centre[centre > 0].min(initial=top) * 0.1)
    radius = 0.1
    cuts = [_cuts(problem, centre)]
    best = _value(cuts[-1], centre, capacity)
    for _ in range(_ROUNDS):
        box = np.maximum(centre - radius * scale, 0), centre + radius * scale
        price, lower = _minimum(cuts, capacity, box)
        inside = ((price > box[0]) | (box[0] == 0)) & (price < box[1])
        if best - lower <= _TOLERANCE * best:
            if inside.all() or radius > _WIDEST:
                break
            radius *= 4.0  # the box, not the function, leaves nothing to gain
            continue
        cuts.append(_cuts(problem, price))
        value = _value(cuts[-1], price, capacity)
        if value < best:
            radius *= 1.0 if inside.all() else 2.0
            centre, best = price, value
        else:
            radius *= 0.5
    return centre


def affordable(problem: Gains, capacity: np.ndarray, prices: np.ndarray) -> np.ndarray:
    """Prices [R] with the budget's raised, by bisection, until what is asked for can be paid.

    filling.fill serves in the order of urgency, which is right among contacts of equal usage; of
    money it would give too much to the dear. Demand for money falls as its price rises.
    """
    raised = prices.copy()
    for row in np.flatnonzero(~np.isin(problem.usage, (0.0, 1.0)).all(axis=1)):
        low, high = raised[row], raised[row]
        step = max(1e-3 * low, 1e-6)
        while _spent(problem, raised, row, high) > capacity[row] and step < 1e12:
            low, high, step = high, high + step, step * 4.0
        for _ in range(8 if high > low else 0):
            middle = (low + high) / 2.0
            if _spent(problem, raised, row, middle) > capacity[row]:
                low = middle
            else:
                high = middle
        raised[row] = high
    return raised


def _spent(problem: Gains, prices: np.ndarray, row: int, price: float) -> float:
    tried = prices.copy()
    tried[row] = price
    return float(_cuts(problem, tried)[1][:, row].sum())


def _cuts(problem: Gains, price: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each block's response to `price`: gained [B] and used [B, R]."""
    group = responses(problem, price)
    gained, used = [], []
    size = max(1, min(BLOCK, -(-len(problem) // _LEAST_CUTS)))
    for start in range(0, len(problem), size):
        rows = slice(start, start + size)
        some = np.flatnonzero(group[rows] >= 0)
        taken = group[rows][some]
        gained.append(problem.gain[rows][some, taken].sum())
        used.append(problem.usage @ np.bincount(taken, minlength=problem.usage.shape[1]))
    return np.array(gained), np.array(used)


def _value(cut: tuple[np.ndarray, np.ndarray], price: np.ndarray, capacity: np.ndarray) -> float:
    gained, used = cut
    return float(price @ capacity + gained.sum() - used.sum(axis=0) @ price)


def _minimum(
    cuts: list[tuple[np.ndarray, np.ndarray]],
    capacity: np.ndarray,
    box: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, float]:
    """Minimise price·capacity + Σ_b t_b, t_b ≥ gained_b − used_b·price, in the box; its value."""
    count = len(cuts[0][0])
    gained = np.concatenate([cut[0] for cut in cuts])
    used = np.concatenate([cut[1] for cut in cuts])
    size = max(float(np.abs(gained).max()), 1.0)  # so that HiGHS sees numbers near 1
    ones = np.tile(-np.eye(count), (len(cuts), 1))
    found = linprog(
        np.concatenate([capacity / size, np.ones(count)]),
        A_ub=np.hstack([-used / size, ones]),
        b_ub=-gained / size,
        bounds=[*zip(*box, strict=True), *[(None, None)] * count],
        method="highs",
    )
    if found.status != 0:
        raise DataError(f"prices of {len(capacity)} limits: HiGHS says {found.message}")
    return found.x[: len(capacity)], float(found.fun) * size
