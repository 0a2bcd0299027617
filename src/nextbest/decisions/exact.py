"""Small allocations, exactly, by HiGHS."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp

from nextbest.decisions.gains import Gains
from nextbest.errors import DataError

_WORK = (
    2_000_000  # pairs × nodes, not seconds: the same problem must always end at the same allocation
)


def solve(problem: Gains, capacity: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """The best group of each customer, int [n] (−1: base), the price of each limit [R], and proof.

    The last is False when HiGHS stopped branching at its node limit with what it had by then.
    Without a budget the program is a flow and its corners are whole; a budget may need branching.
    """
    group = np.full(len(problem), -1)
    rows, groups = np.nonzero(np.isfinite(problem.gain))
    if not len(rows):
        return group, np.zeros(len(capacity)), True
    gain = problem.gain[rows, groups]
    matrix, least, most = _constraints(problem, capacity, rows, groups)
    found = linear_program(problem, capacity, rows, groups)
    x, prices, proved = found.x, _prices(found, capacity), True
    if np.abs(x - np.round(x)).max() > 1e-7:
        whole = milp(
            -gain,
            constraints=LinearConstraint(matrix, least, most),
            integrality=np.ones(len(gain)),
            bounds=Bounds(0, 1),
            options={"mip_rel_gap": 0.0, "node_limit": max(_WORK // len(gain), 1)},
        )
        if whole.x is None:
            raise DataError(
                f"allocation of {len(problem)} customers: HiGHS found no whole solution "
                f"({whole.message}); raise the budget or make 'none' eligible for all"
            )
        x, proved = whole.x, whole.status == 0
    chosen = x > 0.5
    group[rows[chosen]] = groups[chosen]
    return group, prices, proved


def sample_prices(problem: Gains, capacity: np.ndarray) -> np.ndarray:
    """Prices [R] of the linear program alone."""
    rows, groups = np.nonzero(np.isfinite(problem.gain))
    return _prices(linear_program(problem, capacity, rows, groups), capacity)


def linear_program(
    problem: Gains, capacity: np.ndarray, rows: np.ndarray, groups: np.ndarray
) -> OptimizeResult:
    """HiGHS on the pairs (rows, groups), with the limits first among its inequalities.

    Raises DataError when it does not end at the optimum.
    """
    matrix, least, most = _constraints(problem, capacity, rows, groups)
    equal = least == most
    found = linprog(
        -problem.gain[rows, groups],
        A_ub=matrix[~equal],
        b_ub=most[~equal],
        A_eq=matrix[equal] if equal.any() else None,
        b_eq=most[equal] if equal.any() else None,
        bounds=(0, None),
        method="highs-ds",
    )
    if found.status != 0:
        raise DataError(f"allocation of {len(problem)} customers: HiGHS says {found.message}")
    return found


def unservable(problem: Gains, capacity: np.ndarray) -> int:
    """How many of the forced customers the limits can't serve, whatever is chosen.

    A small flow over their distinct sets of groups; fractions count as served (a budget's).
    """
    if not problem.forced.any():
        return 0
    open_to = np.isfinite(problem.gain[problem.forced])
    patterns, counts = np.unique(open_to, axis=0, return_counts=True)
    rows, groups = np.nonzero(patterns)
    served = sparse.csr_array((np.ones(len(rows)), (rows, np.arange(len(rows)))))
    found = linprog(
        -np.ones(len(rows)),
        A_ub=sparse.vstack([served, sparse.csr_array(problem.usage[:, groups])]),
        b_ub=np.concatenate([counts, capacity]),
        method="highs",
    )
    return int(np.ceil(counts.sum() + found.fun - 1e-6))


def _constraints(
    problem: Gains, capacity: np.ndarray, rows: np.ndarray, groups: np.ndarray
) -> tuple[sparse.csr_array, np.ndarray, np.ndarray]:
    """Limits, then one row per customer: the matrix over pairs, its lower and upper bounds."""
    customers, at = np.unique(rows, return_inverse=True)
    pairs = np.arange(len(rows))
    once = sparse.csr_array((np.ones(len(rows)), (at.reshape(-1), pairs)))
    matrix = sparse.vstack([sparse.csr_array(problem.usage[:, groups]), once], format="csr")
    least = np.where(problem.forced[customers], 1.0, -np.inf)
    return (
        matrix,
        np.concatenate([np.full(len(capacity), -np.inf), least]),
        np.concatenate([capacity, np.ones(len(customers))]),
    )


def _prices(found: OptimizeResult, capacity: np.ndarray) -> np.ndarray:
    return np.maximum(-found.ineqlin.marginals[: len(capacity)], 0.0)
