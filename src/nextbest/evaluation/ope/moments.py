"""Mergeable sums of a log: fold numpy batches, Spark partitions or days, and add them up.

Over the vectors z of `terms.py` three things are kept: n, Σz, and a square root R of the scatter,
RᵀR = Σ(z − z̄)(z − z̄)ᵀ. Two parts A and B, with δ = z̄_B − z̄_A, merge by

    n = n_A + n_B
    Σ = Σ_A + Σ_B                      compensated: what rounding loses is carried along
    R = qr([R_A; R_B; √(n_A n_B / n) δᵀ])

which is Chan, Golub and LeVeque's (1983) update of the scatter taken under the root, as in
tall-skinny QR (Demmel et al. 2012). The root, and not the scatter itself, because a standard error
is ‖R g‖: it then carries the rounding of one number, while the root of a difference of large
squares would keep only half of the digits (constant rewards, two nearly equal policies).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nextbest.errors import DataError
from nextbest.evaluation.ope.log import LoggedBatch
from nextbest.evaluation.ope.terms import SHRINKAGES, Layout, Shrinkage, layout_of, row_terms

BLOCK = 4096  # rows whose terms stay in the processor's cache
PANEL = 256  # rows of one factorisation: too few for BLAS to hand them to (slower) threads
UNSUPPORTED = 1e-9  # target mass outside the log's support that is more than rounding
# Weights are counted by powers of two: none at all, below 1/64, …, 8192 and above.
WEIGHT_EDGES = np.concatenate([[np.finfo("float64").tiny], 2.0 ** np.arange(-6, 14)])


@dataclass(frozen=True, eq=False)
class Moments:
    """What evaluation keeps of n decisions; d terms in `layout.names`, K target policies.

    `a + b` is the moments of both logs together; `Moments.zero(layout)` changes nothing.
    """

    layout: Layout
    n: int
    total: np.ndarray  # (d,) Σz
    carry: np.ndarray  # (d,) what the rounding of total has lost
    root: np.ndarray  # (≤ d, d) R
    max_weight: np.ndarray  # (K,)
    positives: np.ndarray  # (K,) decisions with a reward above 0 and a weight above 0
    violations: np.ndarray  # (K,) decisions where the target leaves the log's support
    weight_counts: np.ndarray  # (K, len(WEIGHT_EDGES) + 1)

    @classmethod
    def zero(cls, layout: Layout) -> Moments:
        """The moments of no decision at all."""
        d, k = len(layout.names), len(layout.policies)
        counts = np.zeros((k, len(WEIGHT_EDGES) + 1), dtype="int64")
        none = np.zeros(k, dtype="int64")
        return cls(
            layout, 0, np.zeros(d), np.zeros(d), np.zeros((0, d)), np.zeros(k), none, none, counts
        )

    def __add__(self, other: Moments) -> Moments:
        if self.layout != other.layout:
            raise DataError(f"moments of different columns: {self.layout} and {other.layout}")
        if not self.n or not other.n:
            return other if other.n else self
        n = self.n + other.n
        total, lost = _two_sum(self.total, other.total)
        step = np.sqrt(self.n * (other.n / n)) * (other.mean - self.mean)
        return Moments(
            layout=self.layout,
            n=n,
            total=total,
            carry=self.carry + other.carry + lost,
            root=np.linalg.qr(np.vstack([self.root, other.root, step]), mode="r"),
            max_weight=np.maximum(self.max_weight, other.max_weight),
            positives=self.positives + other.positives,
            violations=self.violations + other.violations,
            weight_counts=self.weight_counts + other.weight_counts,
        )

    @property
    def mean(self) -> np.ndarray:
        """(d,) z̄."""
        return (self.total + self.carry) / self.n

    @property
    def scatter(self) -> np.ndarray:
        """(d, d) Σ(z − z̄)(z − z̄)ᵀ."""
        return self.root.T @ self.root

    def standard_error(self, gradient: np.ndarray) -> float:
        """‖R g‖ / √(n (n − 1)); of a single decision nothing is known, so infinity."""
        if self.n < 2:
            return np.inf
        return float(np.linalg.norm(self.root @ gradient) / np.sqrt(self.n * (self.n - 1.0)))

    def place(self, policy: str) -> int:
        """Where a target policy stands among the K; raises DataError for an unknown one."""
        if policy not in self.layout.policies:
            known = ", ".join(self.layout.policies)
            raise DataError(f"no policy '{policy}' in this log; its targets are {known}")
        return self.layout.policies.index(policy)

    def at(self, term: str) -> int:
        """Where a term stands in z; raises DataError when the log had no column for it."""
        names = self.layout.names
        if term not in names:
            raise DataError(f"no term '{term}' in this log; it has {', '.join(names)}")
        return names.index(term)


def fold(log: LoggedBatch, shrinkages: tuple[Shrinkage, ...] = SHRINKAGES) -> Moments:
    """Moments of a batch of decisions, in one pass and with the memory of one block.

    Raises DataError when reward × weight is too large for a float.
    """
    layout = layout_of(log, shrinkages)
    moments = Moments.zero(layout)
    for start in range(0, len(log), BLOCK):
        moments += _fold_block(layout, log, slice(start, start + BLOCK))
    return moments


def _fold_block(layout: Layout, log: LoggedBatch, rows: slice) -> Moments:
    reward, targets = log.reward[rows], list(log.targets.values())
    with np.errstate(over="ignore", invalid="ignore"):
        weights = [target.probability[rows] / log.propensity[rows] for target in targets]
        q_logged = log.q_logged[rows] if layout.modelled else None
        q_targets = [target.q_target[rows] if layout.modelled else None for target in targets]
        z = row_terms(layout, reward, weights, q_logged, q_targets)
        total = z.sum(axis=1)
        _check_finite(layout, total)
    z -= (total / len(reward))[:, None]
    violations = [
        np.count_nonzero(target.unsupported[rows] > UNSUPPORTED) if layout.supported else 0
        for target in targets
    ]
    bins = len(WEIGHT_EDGES) + 1
    return Moments(
        layout=layout,
        n=len(reward),
        total=total,
        carry=np.zeros(len(total)),
        root=_root(z.T),
        max_weight=np.array([w.max() for w in weights]),
        positives=np.array([np.count_nonzero((reward > 0) & (w > 0)) for w in weights]),
        violations=np.array(violations, dtype="int64"),
        weight_counts=np.array(
            [
                np.bincount(np.searchsorted(WEIGHT_EDGES, w, side="right"), minlength=bins)
                for w in weights
            ]
        ),
    )


def _root(rows: np.ndarray) -> np.ndarray:
    """R of the rows, panel by panel (rows of zeros, to fill the last one, change nothing)."""
    n, d = rows.shape
    panels = np.zeros((-(-n // PANEL), PANEL, d))
    panels.reshape(-1, d)[:n] = rows
    return np.linalg.qr(np.linalg.qr(panels, mode="r").reshape(-1, d), mode="r")


def _check_finite(layout: Layout, total: np.ndarray) -> None:
    """Raise DataError naming the terms whose sum left the range of a float."""
    if not np.isfinite(total).all():
        told = [name for name, value in zip(layout.names, total, strict=True) if value - value != 0]
        raise DataError(
            f"log: {', '.join(told)} left the range of a float: "
            "a reward is too large or a propensity too small to be weighted"
        )


def _two_sum(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """a + b, and exactly what its rounding loses (Knuth)."""
    s = a + b
    b_seen = s - a
    return s, (a - (s - b_seen)) + (b - b_seen)
