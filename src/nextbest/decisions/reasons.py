"""Why this treatment: one short sentence per decision."""

from __future__ import annotations

import numpy as np


def reasons(
    scores: np.ndarray, eligible: np.ndarray, choice: np.ndarray, control: np.ndarray
) -> np.ndarray:
    """Sentence of each decision, str [n], from scores and eligible [n, K], choice and control [n].

    "control group", when the customer is in it; "best", when nothing eligible scores higher than
    the choice; otherwise the policy "explored". Scores are in the arbitration's unit: money, unless
    its value is off.
    """
    masked = np.where(eligible, scores, -np.inf)
    chosen = masked[np.arange(len(choice)), choice]
    best = masked.max(axis=1)
    counts = eligible.sum(axis=1)
    return np.array(
        [
            _reason(*row)
            for row in zip(
                chosen.tolist(), best.tolist(), counts.tolist(), control.tolist(), strict=True
            )
        ],
        dtype=object,
    )


def _reason(chosen: float, best: float, count: int, control: bool) -> str:
    if control:
        return f"control group: uniform over {count} eligible"
    if chosen == best:
        return f"best score {chosen:.4g} of {count} eligible"
    return f"explored: score {chosen:.4g}, best {best:.4g} of {count} eligible"
