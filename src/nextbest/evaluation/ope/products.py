"""Products of long rows in pieces that BLAS does not hand to its (slower) threads."""

from __future__ import annotations

import numpy as np

SINGLE = 200_000  # multiplications of matrices that OpenBLAS does on one thread (below 262,144)
SINGLE_DOT = 8192  # and of vectors (below 10,000)


def products(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """left @ right.T of (l, n) and (r, n)."""
    width = max(64, SINGLE // (len(left) * len(right)))
    pieces = [slice(start, start + width) for start in range(0, left.shape[1], width)]
    return sum(left[:, piece] @ right[:, piece].T for piece in pieces)


def dot(left: np.ndarray, right: np.ndarray) -> float:
    """left @ right of two vectors."""
    starts = range(0, len(left), SINGLE_DOT)
    return float(sum(left[at : at + SINGLE_DOT] @ right[at : at + SINGLE_DOT] for at in starts))
