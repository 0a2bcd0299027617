"""Third central moments of the core terms: how lopsided an estimator is, and what follows.

They merge like the others (Pébay 2008): with parts p, δ_p = z̄_p − z̄ and scatter S_p,

    Σ(z − z̄)⊗³ = Σ_p [ T_p + S_p ⊗ δ_p in its three orders + n_p δ_p⊗³ ]
"""

from __future__ import annotations

import numpy as np

# Where terms cancel until a hundredth of their variance is left, the rounding of third moments
# (which no root protects) begins to show in the twelfth digit: there their say is halved.
CANCELLED = 0.01


def write_pairs(z: np.ndarray, pairs: np.ndarray) -> None:
    """Write the products z_i z_j, i ≤ j, of terms z (c, n) into pairs (c(c + 1)/2, n)."""
    start, c = 0, len(z)
    for i in range(c):
        np.multiply(z[i], z[i:], out=pairs[start : start + c - i])
        start += c - i


def from_pairs(sums: np.ndarray) -> np.ndarray:
    """Σ z ⊗ z ⊗ z (c, c, c) from the sums over n of pairs ⊗ z (c(c + 1)/2, c)."""
    c = sums.shape[1]
    first, second = np.triu_indices(c)
    cubes = np.empty((c, c, c))
    cubes[first, second] = sums
    cubes[second, first] = sums
    return cubes


def merged_cubes(
    counts: np.ndarray, apart: np.ndarray, scatters: np.ndarray, cubes: np.ndarray
) -> np.ndarray:
    """Third moments (c, c, c) of m parts together.

    counts (m,), apart (m, ≥ c) δ, scatters (m, c, c), cubes (c, c, c) summed over the parts.
    """
    apart = apart[:, : len(cubes)]
    with np.errstate(over="ignore", invalid="ignore"):
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
