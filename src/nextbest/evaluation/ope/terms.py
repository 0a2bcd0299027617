"""The few terms per decision from whose sums every estimator is made.

With weight w = π/p, reward r and residual d = r − q̂(x, a), a decision is the vector

    z = (r;  w, w·r, q̄, w·d, s₁(w)·d, s₂(w)·d, …  for each target policy)

where q̄ = Σ_a π(a|x) q̂(x, a) and each s is a way to shrink large weights. All policies stand in
one vector, so its covariance also holds what a paired comparison of two of them needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nextbest.errors import SettingsError
from nextbest.evaluation.ope.log import LogColumns, LoggedBatch


@dataclass(frozen=True)
class Shrinkage:
    """One shrunk doubly robust estimator: what it is called, its formula and its λ."""

    name: str
    kind: str  # switch | optimistic | subgaussian
    strength: float  # λ

    def __post_init__(self) -> None:
        if self.kind not in SHRINK:
            raise SettingsError(
                f"shrinkage '{self.name}': no kind '{self.kind}'; there are {', '.join(SHRINK)}"
            )
        below = 1.0 if self.kind == "subgaussian" else float("inf")
        if not 0 < self.strength < below:
            raise SettingsError(
                f"shrinkage '{self.name}': λ is {self.strength}; it must lie within (0, {below:g})"
            )

    def __call__(self, weight: np.ndarray) -> np.ndarray:
        """Shrink weights (n,)."""
        return SHRINK[self.kind](weight, self.strength)


SHRINK: Mapping[str, Callable[[np.ndarray, float], np.ndarray]] = {
    # Wang, Agarwal, Dudík 2017: where the weight is too large, trust the model.
    "switch": lambda w, strength: w * (w <= strength),
    # Su, Dimakopoulou, Krishnamurthy, Dudík 2020: least bound of the squared error.
    "optimistic": lambda w, strength: strength * w / (w * w + strength),
    # Metelli, Russo, Restelli 2021: weights with sub-Gaussian tails.
    "subgaussian": lambda w, strength: w / (1 - strength + strength * w),
}

SHRINKAGES = (
    Shrinkage("switch_dr", "switch", 5.0),
    Shrinkage("dros", "optimistic", 5.0),
    Shrinkage("sg_dr", "subgaussian", 0.1),
)


@dataclass(frozen=True)
class Layout:
    """Which terms there are, in which order; only moments of one layout add up."""

    policies: tuple[str, ...]
    modelled: bool  # q̂ is there
    supported: bool  # the target's mass outside the log's support is there
    shrinkages: tuple[Shrinkage, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the terms: "reward", then "<policy>.<term>"."""
        kinds = ["w", "wr"]
        if self.modelled:
            kinds += ["q", "wd", *(shrinkage.name for shrinkage in self.shrinkages)]
        return ("reward", *(f"{policy}.{kind}" for policy in self.policies for kind in kinds))


def layout_of(
    log: LoggedBatch | LogColumns, shrinkages: tuple[Shrinkage, ...] = SHRINKAGES
) -> Layout:
    """The layout that a log's columns allow."""
    supported = all(target.unsupported is not None for target in log.targets.values())
    return Layout(tuple(log.targets), log.q_logged is not None, supported, shrinkages)


def row_terms(
    layout: Layout,
    reward: np.ndarray,
    weights: Sequence[np.ndarray],
    q_logged: np.ndarray | None,
    q_targets: Sequence[np.ndarray | None],
) -> np.ndarray:
    """The vectors z as (d, n), in the layout's order; weights and q_targets: one per policy."""
    terms = [reward]
    for weight, q_target in zip(weights, q_targets, strict=True):
        terms += [weight, weight * reward]
        if layout.modelled:
            residual = reward - q_logged
            shrunk = [shrinkage(weight) * residual for shrinkage in layout.shrinkages]
            terms += [q_target, weight * residual, *shrunk]
    return np.array(terms)
