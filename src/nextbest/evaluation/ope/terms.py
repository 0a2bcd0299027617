"""The few terms per decision from whose sums every estimator is made.

With weight w = π/p, reward r and residual d = r − q̂(x, a), a decision is the vector

    z = (r;  w, w·r, q̄, w·d, (w − s₁(w))·d, …, (w − c₁(w))·r, …, w − c₁(w), …  per target policy)

where q̄ = Σ_a π(a|x) q̂(x, a), each s is a way to shrink large weights and c = min(w, λ) clips
them. What shrinking takes away is kept, and not what it leaves: the two are equally good, but
w − s(w) is no near copy of w. All policies stand in one vector, so its covariance also holds what
a paired comparison of two of them needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nextbest.errors import SettingsError
from nextbest.evaluation.ope.log import LogColumns, LoggedBatch
from nextbest.evaluation.ope.products import dot


@dataclass(frozen=True)
class Shrinkage:
    """One estimator with shrunk weights: what it is called, its formula and its λ.

    "clip" is inverse propensity with clipped weights and needs no model; the others are doubly
    robust. Raises SettingsError for an unknown kind and a λ out of range.
    """

    name: str
    kind: str  # clip | switch | optimistic | subgaussian
    strength: float  # λ

    @property
    def modelled(self) -> bool:
        """Whether it shrinks the residuals of q̂ (or the rewards themselves)."""
        return self.kind != CLIP

    def __post_init__(self) -> None:
        if self.kind not in (kinds := [CLIP, *KEPT]):
            raise SettingsError(
                f"shrinkage '{self.name}': no kind '{self.kind}'; there are {', '.join(kinds)}"
            )
        below = 1.0 if self.kind == "subgaussian" else float("inf")
        if not 0 < self.strength < below:
            raise SettingsError(
                f"shrinkage '{self.name}': λ is {self.strength}; it must lie within (0, {below:g})"
            )

    def __call__(self, weight: np.ndarray) -> np.ndarray:
        """Shrink weights (n,)."""
        if not self.modelled:
            return np.minimum(weight, self.strength)
        return weight * KEPT[self.kind](weight, self.strength)


CLIP = "clip"  # Ionides 2008: truncated importance sampling
# The others, by the part of a weight that they keep.
KEPT: Mapping[str, Callable[[np.ndarray, float], np.ndarray]] = {
    # Wang, Agarwal, Dudík 2017: where the weight is too large, trust the model.
    "switch": lambda w, strength: w <= strength,
    # Su, Dimakopoulou, Krishnamurthy, Dudík 2020: least bound of the squared error.
    "optimistic": lambda w, strength: strength / (w * w + strength),
    # Metelli, Russo, Restelli 2021: weights with sub-Gaussian tails.
    "subgaussian": lambda w, strength: 1 / (strength * w + (1 - strength)),
}

SHRINKAGES = (
    Shrinkage("clipped_ips", CLIP, 10.0),
    Shrinkage("switch_dr", "switch", 5.0),
    Shrinkage("dros", "optimistic", 5.0),
    Shrinkage("sg_dr", "subgaussian", 0.1),
)

# What a shrinkage may not be called: terms, and estimators that need none.
OTHERS = ("w", "wr", "q", "wd", "ips", "snips", "dm", "dr", "sndr", "on_policy", "mean_weight")


@dataclass(frozen=True)
class Layout:
    """Which terms there are, in which order; only moments of one layout add up."""

    policies: tuple[str, ...]
    modelled: bool  # q̂ is there
    supported: bool  # the target's mass outside the log's support is there
    shrinkages: tuple[Shrinkage, ...]

    @cached_property
    def estimators(self) -> tuple[Shrinkage, ...]:
        """The shrinkages that the columns allow."""
        return tuple(s for s in self.shrinkages if self.modelled or not s.modelled)

    @cached_property
    def core(self) -> tuple[str, ...]:
        """Names of the terms of which the unbiased estimators are made; they come first."""
        kinds = ("w", "wr", "q", "wd") if self.modelled else ("w", "wr")
        return ("reward", *(f"{policy}.{kind}" for policy in self.policies for kind in kinds))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the terms: those of `core`, then what each shrinkage takes away."""
        cut = [(s.name,) if s.modelled else (s.name, f"{s.name}.w") for s in self.estimators]
        names = tuple(name for each in cut for name in each)
        return (*self.core, *(f"{policy}.{name}" for policy in self.policies for name in names))


def layout_of(
    log: LoggedBatch | LogColumns, shrinkages: tuple[Shrinkage, ...] = SHRINKAGES
) -> Layout:
    """The layout that a log's columns allow.

    Raises SettingsError when two shrinkages share a name, or one has that of another estimator.
    """
    names = [shrinkage.name for shrinkage in shrinkages]
    if len(set(names)) < len(names):
        raise SettingsError(f"shrinkages: two share a name among {', '.join(names)}")
    if taken := [name for name in names if name in OTHERS or name.endswith(".w")]:
        raise SettingsError(
            f"shrinkages: {', '.join(taken)} is what something else is called; give other names"
        )
    supported = all(target.unsupported is not None for target in log.targets.values())
    return Layout(tuple(log.targets), log.q_logged is not None, supported, shrinkages)


def row_terms(
    layout: Layout,
    reward: np.ndarray,
    weights: Sequence[np.ndarray],
    q_logged: np.ndarray | None,
    q_targets: Sequence[np.ndarray | None],
    z: np.ndarray,
) -> np.ndarray:
    """Write the vectors z (d, n), in the layout's order; weights and q_targets: one per policy.

    Returns what shrinking leaves (d,), summed over the rows, where z has what it takes away: beside
    a weight of 1e9 nothing of it would be left in the difference of the two sums.
    """
    left = np.zeros(len(z))
    z[0] = reward
    if layout.modelled:
        residual = reward - q_logged
    place, shrunk = 1, len(layout.core)
    for weight, q_target in zip(weights, q_targets, strict=True):
        z[place] = weight
        np.multiply(weight, reward, out=z[place + 1])
        place += 2
        if layout.modelled:
            z[place] = q_target
            np.multiply(weight, residual, out=z[place + 1])
            place += 2
        for shrinkage in layout.estimators:
            if shrinkage.modelled:
                kept = z[place - 1] * KEPT[shrinkage.kind](weight, shrinkage.strength)
                left[shrunk] = kept.sum()
                np.subtract(z[place - 1], kept, out=z[shrunk])
                shrunk += 1
            else:
                small = shrinkage(weight)
                left[shrunk] = dot(small, reward)
                np.subtract(weight, small, out=z[shrunk + 1])
                np.multiply(z[shrunk + 1], reward, out=z[shrunk])
                shrunk += 2
    return left
