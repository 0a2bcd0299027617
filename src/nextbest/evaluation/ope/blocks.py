"""A block of rows of a log: its terms, their sums and products, and what is counted of it."""

from __future__ import annotations

import numpy as np

from nextbest.errors import DataError
from nextbest.evaluation.ope.log import LoggedBatch
from nextbest.evaluation.ope.terms import Layout, row_terms

UNSUPPORTED = 1e-9  # target mass outside the log's support that is more than rounding
# Weights are counted by powers of two: none at all, below 1/64, …, 8192 and above.
WEIGHT_EDGES = np.concatenate([[np.finfo("float64").tiny], 2.0 ** np.arange(-6, 14)])
_POWERS = np.array([0, 1, *range(1023 - 6, 1023 + 14)])  # those edges as exponents; 0 has 0


def write_terms(
    layout: Layout, log: LoggedBatch, rows: slice, z: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray]:
    """Write the terms of some rows into z (d, n).

    Returns the weights of each policy, and what shrinking leaves (see `terms.row_terms`).
    """
    targets = log.targets.values()
    weights = [target.probability[rows] / log.propensity[rows] for target in targets]
    q_logged = log.q_logged[rows] if layout.modelled else None
    q_targets = [target.q_target[rows] if layout.modelled else None for target in targets]
    return weights, row_terms(layout, log.reward[rows], weights, q_logged, q_targets, z)


def centre(layout: Layout, z: np.ndarray) -> np.ndarray:
    """Take the mean of the rows off z (d, n); returns their sums (d,)."""
    total = z.sum(axis=1)
    _check_finite(layout, total)
    z -= (total / z.shape[1])[:, None]
    return total


def facts(
    layout: Layout, log: LoggedBatch, rows: slice, weights: list[np.ndarray]
) -> tuple[list, ...]:
    """Of each policy: largest weight, positive rewards, support violations, counts of weights."""
    paid = log.reward[rows] > 0
    return (
        [w.max() for w in weights],
        [np.count_nonzero(paid & (w > 0)) for w in weights],
        [
            np.count_nonzero(target.unsupported[rows] > UNSUPPORTED) if layout.supported else 0
            for target in log.targets.values()
        ],
        [weight_counts(w) for w in weights],
    )


def weight_counts(weights: np.ndarray) -> np.ndarray:
    """How many weights lie between WEIGHT_EDGES, by the exponents of the floats themselves."""
    exponents = (weights.view("uint64") >> 52).view("int64")  # w = 1.… · 2^(exponent − 1023)
    by_power = np.bincount(exponents, minlength=0x801)
    by_power[0] += by_power[0x800]  # the sign of -0.0, which is a weight of 0
    return np.add.reduceat(by_power[:0x800], _POWERS)


def _check_finite(layout: Layout, total: np.ndarray) -> None:
    """Raise DataError naming the terms whose sum left the range of a float."""
    # Only the core: what shrinking takes away is never more.
    bad = ~np.isfinite(total[: len(layout.core)])
    if bad.any():
        told = [name for name, wrong in zip(layout.core, bad, strict=True) if wrong]
        raise DataError(
            f"log: {', '.join(told)} left the range of a float: "
            "a reward is too large or a propensity too small to be weighted"
        )
