"""What a target policy would have done on logged decisions: the input of off-policy evaluation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nextbest.decisions.decide import Decider
from nextbest.errors import DataError

CHUNK = 8192  # customers at a time: memory stays flat, whatever the log's length


def target_probabilities(
    customers: pd.DataFrame,
    eligible: Sequence[Sequence[str]] | pd.Series,
    logged: Sequence[str] | pd.Series,
    decider: Decider,
    outcome: str | None = None,
    reference: Decider | None = None,
) -> pd.DataFrame:
    """Evaluate the decider's policy on n logged decisions; the index is that of `customers`.

    `customers` holds the features as of each decision (n rows), `eligible` each decision's
    eligible set, `logged` the treatment that was chosen. Columns: target_probability, π of the
    logged treatment; q_logged, the model's expectation for the logged treatment; q_target,
    Σ_a π(a)·q(a). The expectation is of the net value (money, cost taken off), or of the head
    named by `outcome` (a probability). It is the model's of `reference`, so that several policies
    can be compared under one q (None: the decider's own). Control groups are left out: π is the
    policy proper, as for a customer who isn't in one. A logged treatment outside its eligible set
    raises DataError, as do unequal lengths, unknown treatments, an unknown head and a reference
    with other treatments.
    """
    sets, names = list(eligible), list(logged)
    if not len(customers) == len(sets) == len(names):
        raise DataError(
            f"{len(customers)} feature rows, {len(sets)} eligible sets and {len(names)} logged "
            "treatments; they must be of the same decisions, in the same order"
        )
    reference = decider if reference is None else reference
    if reference.treatments.names != decider.treatments.names:
        raise DataError(
            f"the reference knows {len(reference.treatments)} treatments, the decider "
            f"{len(decider.treatments)}; give both those of one day's actions table"
        )
    heads = [head.name for head in reference.arbitration.heads]
    if outcome is not None and outcome not in heads:
        raise DataError(f"outcome '{outcome}' is no head; there are {', '.join(heads)}")
    positions = decider.treatments.index(names)
    parts = [
        _chunk(
            customers.iloc[start : start + CHUNK],
            decider.treatments.mask(sets[start : start + CHUNK]),
            positions[start : start + CHUNK],
            decider,
            outcome,
            reference,
        )
        for start in range(0, len(names), CHUNK)
    ]
    columns = ["target_probability", "q_logged", "q_target"]
    values = np.concatenate(parts) if parts else np.empty((0, 3))
    return pd.DataFrame(values, columns=columns, index=customers.index)


def _chunk(
    customers: pd.DataFrame,
    eligible: np.ndarray,
    logged: np.ndarray,
    decider: Decider,
    outcome: str | None,
    reference: Decider,
) -> np.ndarray:
    at = (np.arange(len(logged)), logged)
    outside = ~eligible[at]
    if outside.any():
        raise DataError(
            f"{int(outside.sum())} logged treatments are not in their eligible set, the first is "
            f"'{decider.treatments.names[logged[outside.argmax()]]}'; quarantine these decisions"
        )
    scores = decider.scores(customers, eligible)
    probabilities = decider.policy.probabilities(scores.score, eligible, deviation=scores.deviation)
    known = scores if reference is decider else reference.scores(customers, eligible)
    q = known.expected_value if outcome is None else known.probabilities[outcome]
    target = (probabilities * np.where(eligible, q, 0.0)).sum(axis=1)
    return np.column_stack([probabilities[at], q[at], target])
