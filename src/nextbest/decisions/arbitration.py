"""From probabilities to one score per treatment: P·C·V·L summed over heads, minus cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nextbest.decisions.heads import Head
from nextbest.decisions.treatments import Treatments
from nextbest.errors import DataError


@dataclass(frozen=True)
class Arbitration:
    """Which parts of P·C·V·L count; a part that is switched off is 1 everywhere.

    `propensity` P: the predicted probability of the head. `context` C: a weight given per
    decision. `value` V: the head's money. `lever` L: the business weight of the treatment.
    `cost`: whether the price of the contact is taken off (in money, so it needs V).
    Ranking by propensity alone is `Arbitration(heads, value=False, lever=False, cost=False)`.
    """

    heads: tuple[Head, ...]
    propensity: bool = True
    context: bool = True
    value: bool = True
    lever: bool = True
    cost: bool = True


@dataclass(frozen=True, eq=False)
class Scores:
    """What arbitration found, [n, K] each.

    `score` ranks. `expected_value` is money, Σ p·value − cost, whatever the switches and levers
    say: it is the model's honest guess of the net value, and equals `score` when C and L are 1.
    `values` holds p·value of each head, `probabilities` p of each head.
    """

    score: np.ndarray
    expected_value: np.ndarray
    values: Mapping[str, np.ndarray]
    probabilities: Mapping[str, np.ndarray]


def arbitrate(
    probabilities: Mapping[str, np.ndarray],
    customers: pd.DataFrame,
    treatments: Treatments,
    arbitration: Arbitration,
    context: np.ndarray | None = None,
) -> Scores:
    """Score n customers × K treatments, score = Σ_head P·C·V·L − cost.

    `probabilities` has one [n, K] array per head name; `context` broadcasts to [n, K] (None: 1).
    "none" competes with its own expected value, so the winner also has the highest value
    incremental to leaving the customer alone. Raises DataError for a head without probabilities
    and for values of the wrong shape.
    """
    shape = (len(customers), len(treatments))
    lacking = [head.name for head in arbitration.heads if head.name not in probabilities]
    if lacking or not arbitration.heads:
        raise DataError(
            f"arbitration: the model has no head {', '.join(lacking) or '(none is named)'}; "
            f"it predicts {', '.join(probabilities) or 'nothing'}: retrain it with these heads"
        )
    weight = treatments.lever if arbitration.lever else np.ones(shape[1])
    if arbitration.context and context is not None:
        weight = weight * context
    score = np.zeros(shape)
    expected = np.zeros(shape)
    values = {}
    for head in arbitration.heads:
        p, worth = probabilities[head.name], _worth(head, customers, treatments, shape)
        money = p * worth
        values[head.name] = money
        expected += money
        if arbitration.propensity and arbitration.value:
            score += money * weight
        else:
            score += (
                (p if arbitration.propensity else 1.0)
                * weight
                * (worth if arbitration.value else 1.0)
            )
    expected -= treatments.cost
    if arbitration.cost:
        score -= treatments.cost
    return Scores(score, expected, values, probabilities)


def _worth(
    head: Head, customers: pd.DataFrame, treatments: Treatments, shape: tuple[int, int]
) -> np.ndarray:
    worth = np.asarray(head.value(customers, treatments), dtype=float)
    fits = zip(worth.shape[::-1], shape[::-1], strict=False)
    if worth.ndim > 2 or any(have not in (1, want) for have, want in fits):
        raise DataError(
            f"head '{head.name}': value gives an array of shape {worth.shape}; "
            f"it must broadcast to {shape} (customers × treatments)"
        )
    return worth
