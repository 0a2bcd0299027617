"""p-values of several tests at once; adjusted ones are held against the same 1 − confidence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Adjusted so that any false alarm among all tests has the chance of one (Holm 1979).

    In the order given; whatever the tests share.
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    found = np.empty(len(p))
    found[order] = np.minimum(raised, 1.0)
    return found


def benjamini_hochberg(p_values: Sequence[float]) -> np.ndarray:
    """Adjusted so that of what is called different an expected share is not (1995).

    In the order given. For slices, where a list of suspects is wanted and not one verdict.
    """
    p = np.asarray(p_values, dtype=float)
    return stats.false_discovery_control(p) if len(p) else p
