"""Mergeable sums of a log: fold numpy batches, Spark partitions or days, and add them up.

Over the vectors z of `terms.py` four things are kept: n, Σz, a square root R of the scatter,
RᵀR = Σ(z − z̄)(z − z̄)ᵀ, and the third moments of the core terms (`cubes.py`). Parts p with
δ_p = z̄_p − z̄ merge by

    n = Σ n_p
    Σ = Σ Σ_p                          compensated: what rounding loses is carried along
    R = qr([R_1; √n_1 δ_1ᵀ; R_2; √n_2 δ_2ᵀ; …])

which is Chan, Golub and LeVeque's (1983) update of the scatter taken under the root, as in
tall-skinny QR (Demmel et al. 2012). The root, and not the scatter itself, because a standard error
is ‖R g‖: it then carries the rounding of one number, while the root of a difference of large
squares would keep only half of the digits (constant rewards, two nearly equal policies).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nextbest.errors import DataError
from nextbest.evaluation.ope.blocks import WEIGHT_EDGES, centre, facts, write_terms
from nextbest.evaluation.ope.cubes import from_pairs, merged_cubes, pairs_of, write_pairs
from nextbest.evaluation.ope.log import LoggedBatch
from nextbest.evaluation.ope.products import products
from nextbest.evaluation.ope.terms import SHRINKAGES, Layout, Shrinkage, layout_of

BLOCK = 16384  # rows at a time: fewer cost more calls, more leave the processor's cache
PANEL = 256  # rows of one factorisation: too few for BLAS to hand them to (slower) threads
MANY = 64  # blocks of roots that are taken together
INDEPENDENT = 1e-6  # least eigenvalue of correlations whose squares keep 12 digits of an error


@dataclass(frozen=True, eq=False)
class Moments:
    """What evaluation keeps of n decisions; d terms in `layout.names`, K target policies.

    `a + b` is the moments of both logs together; `Moments.zero(layout)` changes nothing.
    """

    layout: Layout
    n: int
    total: np.ndarray  # (d,) Σz
    carry: np.ndarray  # (d,) what the rounding of total has lost
    left: np.ndarray  # (d,) Σ s(w)·d, Σ c(w)·r where z has what shrinking takes away, else 0
    root: np.ndarray  # (≤ d, d) R
    cubes: np.ndarray  # (c, c, c) Σ(z − z̄)⊗³ of the c terms in `layout.core`
    largest_reward: float  # max |r|
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
            layout=layout,
            n=0,
            total=np.zeros(d),
            carry=np.zeros(d),
            left=np.zeros(d),
            root=np.zeros((0, d)),
            cubes=np.zeros((len(layout.core),) * 3),
            largest_reward=0.0,
            max_weight=np.zeros(k),
            positives=none,
            violations=none,
            weight_counts=counts,
        )

    def __add__(self, other: Moments) -> Moments:
        return merged((self, other))

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


@np.errstate(over="ignore", invalid="ignore")  # what left the range of a float is told by name
def fold(log: LoggedBatch, shrinkages: tuple[Shrinkage, ...] = SHRINKAGES) -> Moments:
    """Moments of a batch of decisions, in one pass and with the memory of one block.

    Raises DataError when reward × weight is too large for a float.
    """
    layout = layout_of(log, shrinkages)
    if not len(log):
        return Moments.zero(layout)
    blocks = [slice(start, start + BLOCK) for start in range(0, len(log), BLOCK)]
    c, d = len(layout.core), len(layout.names)
    # Terms and their products stand in one array: BLAS multiplies both in one go, and four times
    # faster than the terms by themselves alone.
    stacked = np.empty((len(pairs_of(c)[0]) + d, min(BLOCK, len(log))))
    sums = np.empty((len(blocks), len(stacked), d))
    totals, lefts = np.empty((len(blocks), d)), np.empty((len(blocks), d))
    found = []
    for place, rows in enumerate(blocks):
        n = min(BLOCK, len(log) - rows.start)
        pairs, z = stacked[:-d, :n], stacked[-d:, :n]
        weights, lefts[place] = write_terms(layout, log, rows, z)
        totals[place] = centre(layout, z)
        write_pairs(z[:c], pairs)
        sums[place] = products(stacked[:, :n], z)
        found.append(facts(layout, log, rows, weights))
    counts = np.array([min(BLOCK, len(log) - rows.start) for rows in blocks], dtype="float64")
    total, carry = _exact_sum(totals)
    apart = totals / counts[:, None] - (total + carry) / len(log)
    squares = sums[:, -d:].sum(axis=0) + (counts[:, None] * apart).T @ apart
    cubes = from_pairs(sums[:, :-d, :c].sum(axis=0))
    root = _root_of(squares)
    if root is None:
        root = _root_by_panels(layout, log, blocks, counts, apart)
    largest, positives, violations, histogram = zip(*found, strict=True)
    return Moments(
        layout=layout,
        n=len(log),
        total=total,
        carry=carry,
        left=_exact_sum(lefts)[0],
        root=root,
        cubes=merged_cubes(counts, apart, sums[:, -d : len(stacked) - d + c, :c], cubes),
        largest_reward=float(np.abs(log.reward).max()),
        max_weight=np.max(largest, axis=0),
        positives=np.sum(positives, axis=0),
        violations=np.sum(violations, axis=0),
        weight_counts=np.sum(histogram, axis=0),
    )


@np.errstate(over="ignore", invalid="ignore")
def merged(parts: Sequence[Moments]) -> Moments:
    """The moments of several parts of a log together, whatever their order.

    Raises DataError when there is none, or when they are of different columns.
    """
    if not parts:
        raise DataError("no moments to merge: give those of at least one part of the log")
    layout = parts[0].layout
    for part in parts:
        if part.layout != layout:
            raise DataError(f"moments of different columns: {layout} and {part.layout}")
    parts = [part for part in parts if part.n] or parts[:1]
    if len(parts) == 1:
        return parts[0]
    n = sum(part.n for part in parts)
    total, carry = _exact_sum(
        np.concatenate([[part.total for part in parts], [part.carry for part in parts]])
    )
    counts = np.array([part.n for part in parts], dtype="float64")
    apart = np.stack([part.mean for part in parts]) - (total + carry) / n
    roots, c = [part.root for part in parts], len(layout.core)
    scatters = np.stack([root[:, :c].T @ root[:, :c] for root in roots])
    cubes = np.sum([part.cubes for part in parts], axis=0)
    return Moments(
        layout=layout,
        n=n,
        total=total,
        carry=carry,
        left=_exact_sum(np.stack([part.left for part in parts]))[0],
        root=np.linalg.qr(np.vstack([*roots, np.sqrt(counts)[:, None] * apart]), mode="r"),
        cubes=merged_cubes(counts, apart, scatters, cubes),
        largest_reward=max(part.largest_reward for part in parts),
        max_weight=np.max([part.max_weight for part in parts], axis=0),
        positives=np.sum([part.positives for part in parts], axis=0),
        violations=np.sum([part.violations for part in parts], axis=0),
        weight_counts=np.sum([part.weight_counts for part in parts], axis=0),
    )


def _exact_sum(parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums of the columns, correctly rounded, and what that rounding lost."""
    total = np.array([math.fsum(column) for column in parts.T])
    lost = [math.fsum((*column, -whole)) for column, whole in zip(parts.T, total, strict=True)]
    return total, np.array(lost)


def _root_of(squares: np.ndarray) -> np.ndarray | None:
    """R of a scatter (d, d); None where its terms depend on each other: there it loses digits."""
    size = np.sqrt(np.diag(squares))
    unit = np.where(size > 0, size, 1.0)
    correlation = squares / unit / unit[:, None]
    if not np.isfinite(correlation).all():
        return None
    np.fill_diagonal(correlation, 1.0)
    values, vectors = np.linalg.eigh(correlation)
    return np.sqrt(values)[:, None] * vectors.T * size if values[0] > INDEPENDENT else None


def _root_by_panels(
    layout: Layout,
    log: LoggedBatch,
    blocks: list[slice],
    counts: np.ndarray,
    apart: np.ndarray,
) -> np.ndarray:
    """R of all rows by QR, panel by panel (rows of zeros, to fill the last one, change nothing)."""
    d = len(layout.names)
    roots = [np.sqrt(counts)[:, None] * apart]
    for rows, n in zip(blocks, counts.astype(int), strict=True):
        z = np.empty((d, n))
        write_terms(layout, log, rows, z)
        centre(layout, z)
        panels = np.zeros((-(-n // PANEL), PANEL, d))
        panels.reshape(-1, d)[:n] = z.T
        roots.append(np.linalg.qr(panels, mode="r").reshape(-1, d))
        if len(roots) > MANY:
            roots = [np.linalg.qr(np.vstack(roots), mode="r")]
    return np.linalg.qr(np.vstack(roots), mode="r")
