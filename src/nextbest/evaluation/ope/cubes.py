"""Third central moments of the core terms: how lopsided an estimator is, and what follows.

They merge like the others (Pébay 2008): with parts p, δ_p = z̄_p − z̄ and scatter S_p,

    Σ(z − z̄)⊗³ = Σ_p [ T_p + S_p ⊗ δ_p in its three orders + n_p δ_p⊗³ ]

Of any three terms two stand in the same half of them. So the products within the halves, each
times every term, are all third moments, from half as many products as there are pairs.
"""

from __future__ import annotations

import numpy as np

# Where terms cancel until a hundredth of their variance is left, the rounding of third moments
# (which no root protects) begins to show in the twelfth digit: there their say is halved.
CANCELLED = 0.01


def pairs_of(c: int) -> tuple[np.ndarray, np.ndarray]:
    """The pairs i ≤ j within the halves of c terms, in the order of `write_pairs`."""
    half = c // 2
    first, second = np.triu_indices(c)
    within = (first >= half) == (second >= half)
    return first[within], second[within]


def write_pairs(z: np.ndarray, pairs: np.ndarray) -> None:
    """Write the products of `pairs_of` terms z (c, n) into pairs (p, n)."""
    start, c = 0, len(z)
    for i in range(c):
        end = c // 2 if i < c // 2 else c
        np.multiply(z[i], z[i:end], out=pairs[start : start + end - i])
        start += end - i


def from_pairs(sums: np.ndarray) -> np.ndarray:
    """Σ z ⊗ z ⊗ z (c, c, c) from the sums over n of pairs ⊗ z (p, c)."""
    c = sums.shape[1]
    first, second = pairs_of(c)
    cubes = np.empty((c, c, c))
    for i, j in ((first, second), (second, first)):
        cubes[i, j] = sums
        cubes[i, :, j] = sums
        cubes[:, i, j] = sums.T
    return cubes


def merged_cubes(
    counts: np.ndarray, apart: np.ndarray, scatters: np.ndarray, cubes: np.ndarray
) -> np.ndarray:
    """Third moments (c, c, c) of m parts together.

    counts (m,), apart (m, ≥ c) δ, scatters (m, c, c), cubes (c, c, c) summed over the parts.
    """
    apart = apart[:, : len(cubes)]
    mixed = np.tensordot(scatters, apart, axes=(0, 0))
    mixed = mixed + mixed.transpose(0, 2, 1) + mixed.transpose(2, 0, 1)
    squares = np.einsum("p,pi,pj->pij", counts, apart, apart)
    return cubes + mixed + np.tensordot(squares, apart, axes=(0, 0))


def skewness(cubes: np.ndarray, root: np.ndarray, gradient: np.ndarray) -> float:
    """Skewness of gᵀz over √n, within [-1, 1] (no sample can have more); nan beyond floats.

    It fades to 0 where the terms of gᵀz cancel and only their rounding is left.
    """
    g = gradient[: len(cubes)]
    root = root[:, : len(cubes)]
    with np.errstate(all="ignore"):
        square = np.sum((root @ g) ** 2)
        if square == 0:
            return 0.0
        left = square / np.sum((root * g) ** 2)
        unit = g / np.sqrt(square)
        ratio = float(cubes @ unit @ unit @ unit / (1 + (CANCELLED / left) ** 2))
    return min(1.0, max(-1.0, ratio)) if np.isfinite(ratio) else np.nan
