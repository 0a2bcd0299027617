"""The best allocation under limits: one treatment per customer, the largest total score.

The linear program max Σ score·x, Σ_k x_ik = 1, usage·x ≤ capacity has a dual with one price ≥ 0 per
limit: D(price) = price·capacity + Σ_i max_k (score_ik − price·usage_k). Each D(price) is an upper
bound on every allocation's value. Small problems go to HiGHS as they are; large ones get prices
by prices.best_prices, an allocation by filling.fill that polishing.polish improves, and the gap
between bound and value says how good it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nextbest.decisions.exact import solve, unservable
from nextbest.decisions.filling import fill
from nextbest.decisions.gains import gains, separate
from nextbest.decisions.limits import Limits
from nextbest.decisions.polishing import polish
from nextbest.decisions.prices import affordable, best_prices, dual_value
from nextbest.errors import DataError

EXACT_PAIRS = 20_000  # HiGHS: 1 to 3 s (70,000 pairs: 10 to 20 s)

SEPARATION = 2e-3  # of the mean gain: what telling equal customers apart may cost


@dataclass(frozen=True, eq=False)
class Allocation:
    """Who gets what, and how good that is.

    `choice` int [n] is a column of the scores; `value` its Σ score and `bound` what no allocation
    can exceed. `gap` is (bound − value) / (bound − what everyone gets from treatments without a
    limit): relative to what limits decide about, hence the same whatever constant is added to a
    customer's scores. `prices` [R] is what one more unit of each limit would be worth, `used` [R]
    how much of it is taken. `method` is "exact", "lagrangian", or "branched": by HiGHS, which
    stopped at its node limit without a proof.
    """

    choice: np.ndarray
    value: float
    bound: float
    gap: float
    prices: np.ndarray
    used: np.ndarray
    method: str


def allocate(
    score: np.ndarray, eligible: np.ndarray, limits: Limits, exact_pairs: int = EXACT_PAIRS
) -> Allocation:
    """Choose one eligible treatment per customer: Σ score large, every limit kept.

    score and eligible (bool) are [n, K]; scores that are not eligible may be anything. Exact by
    HiGHS up to `exact_pairs` pairs of customer and treatment worth limiting, else by prices with
    the gap reported. Of equal scores the first column wins, of equal customers the first row.
    Raises DataError for eligible scores that are not finite, and for customers without an eligible
    treatment or whose treatments' limits can't serve all of them, with their count.
    """
    limits.check(score.shape, "score")
    problem = gains(score, eligible, limits)
    # HiGHS's tolerances are absolute: gains and what a contact takes are brought near 1.
    unit = _size(np.abs(problem.gain[np.isfinite(problem.gain)]).max(initial=0.0))
    use = _size(problem.usage.max(axis=1, initial=0.0))
    problem = replace(problem, gain=problem.gain / unit, usage=problem.usage / use[:, None])
    capacity = limits.capacity / use
    lost = unservable(problem, capacity)
    if lost:
        raise DataError(
            f"{lost} of {len(score)} customers may only get treatments whose limits are used up; "
            "make 'none' eligible for them or raise the limits"
        )
    if np.isfinite(problem.gain).sum() <= exact_pairs:
        group, prices, proved = solve(problem, capacity)
        method = "exact" if proved else "branched"
    else:
        method = "lagrangian"
        separate(problem, SEPARATION)
        prices = best_prices(problem, capacity, exact_pairs)
        group = fill(problem, capacity, affordable(problem, capacity, prices))
        group = polish(problem, capacity, prices, group, exact_pairs)
    choice = problem.treatment(score, eligible, group)
    base = float(problem.base.sum())
    value = float(score[np.arange(len(score)), choice].sum())
    bound = unit * dual_value(problem, capacity, prices)
    return Allocation(
        choice=choice,
        value=value,
        bound=max(base + bound, value),
        gap=float(np.clip((base + bound - value) / bound, 0.0, 1.0)) if bound > 0 else 0.0,
        prices=prices * unit / use,
        used=limits.usage @ np.bincount(choice, minlength=score.shape[1]),
        method=method,
    )


def _size(largest: np.ndarray) -> np.ndarray:
    """A power of two near it: to divide by that rounds nothing, so what fits exactly still does."""
    return np.exp2(np.floor(np.log2(np.where(largest > 0, largest, 1.0))))
