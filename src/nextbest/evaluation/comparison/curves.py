"""Said and seen: how often what was given a probability happened."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from nextbest.evaluation.metrics import equal_bins


def calibration_curve(
    outcomes: np.ndarray, probabilities: np.ndarray, confidence: float = 0.95, bins: int = 10
) -> pd.DataFrame:
    """A row per bin of about equal size, the bins of `metrics.calibration_error`.

    Columns: said (mean probability), seen (share of successes), low, high (Wilson's interval of
    the share, 1927), decisions.
    """
    y, p = np.asarray(outcomes, dtype=float), np.asarray(probabilities, dtype=float)
    at = equal_bins(p, np.ones(len(p)), bins)
    frame = pd.DataFrame({"said": p, "seen": y}).groupby(at).agg(
        said=("said", "mean"), seen=("seen", "mean"), decisions=("seen", "size")
    )  # fmt: skip
    z = stats.norm.ppf((1 + confidence) / 2)
    n, share = frame["decisions"], frame["seen"]
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # Rounding of a share of 0 or 1 must not leave it outside.
    frame["low"] = np.minimum(np.maximum(middle - reach, 0.0), share)
    frame["high"] = np.maximum(np.minimum(middle + reach, 1.0), share)
    return frame.reset_index(drop=True)
