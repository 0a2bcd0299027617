"""From probabilities to one score per treatment: P·C·V·L summed over heads, minus cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nextbest.decisions.heads import Head
from nextbest.decisions.treatments import WEIGHTS, Treatments
from nextbest.errors import DataError, SettingsError


@dataclass(frozen=True)
class Arbitration:
    """Which parts of P·C·V·L count; a part that is switched off is 1 everywhere.

    `propensity` P: the predicted probability of the head. `context` C: a weight given per
    decision. `value` V: the head's money. `lever` L: the business weight of the treatment.
    `cost`: whether the price of the contact is taken off (in money, so it needs V).
    Ranking by propensity alone is `Arbitration(heads, value=False, lever=False, cost=False)`.
    `incremental` puts P − P_none in the place of P, so that C and L weigh only what a treatment
    adds to leaving the customer alone; without C and L it changes no ranking of heads whose value
    is the same under every treatment. Raises SettingsError for `incremental` without `propensity`.
    """

    heads: tuple[Head, ...]
    propensity: bool = True
    context: bool = True
    value: bool = True
    lever: bool = True
    cost: bool = True
    incremental: bool = False

    def __post_init__(self) -> None:
        if self.incremental and not self.propensity:
            raise SettingsError(
                "arbitration: 'incremental' is a difference of propensities, so it needs "
                "'propensity': switch it on, or 'incremental' off"
            )


@dataclass(frozen=True, eq=False)
class Scores:
    """What arbitration found, [n, K] each; `worth` broadcasts to it.

    `score` ranks. `expected_value` is money, Σ p·value − cost, whatever the switches and levers
    say: it is the model's honest guess of the net value, and equals `score` when C and L are 1.
    `probabilities` holds p of each head, `worth` the head's value. `none` is the column of "none",
    if there is one. `deviation` is the standard deviation of `score`, None when the model gave
    none.
    """

    score: np.ndarray
    expected_value: np.ndarray
    probabilities: Mapping[str, np.ndarray]
    worth: Mapping[str, np.ndarray]
    none: int | None
    deviation: np.ndarray | None = None

    @property
    def baseline(self) -> np.ndarray:
        """Expected value of "none", [n]; NaN without a "none"."""
        if self.none is None:
            return np.full(len(self.expected_value), np.nan)
        return self.expected_value[:, self.none]

    @property
    def incremental_value(self) -> np.ndarray:
        """expected_value less that of "none", [n, K]; NaN without a "none"."""
        return self.expected_value - self.baseline[:, None]

    @property
    def values(self) -> dict[str, np.ndarray]:
        """p·value of each head, [n, K]."""
        return {name: self.probabilities[name] * worth for name, worth in self.worth.items()}


def arbitrate(
    probabilities: Mapping[str, np.ndarray],
    customers: pd.DataFrame,
    treatments: Treatments,
    arbitration: Arbitration,
    context: np.ndarray | None = None,
    deviations: Mapping[str, np.ndarray] | None = None,
) -> Scores:
    """Score n customers × K treatments, score = Σ_head P·C·V·L − cost.

    `probabilities` has one [n, K] array per head name, `deviations` their standard deviations;
    heads err independently of each other. `context` broadcasts to [n, K] (None: 1). "none"
    competes with its own expected value, so the winner also has the highest value incremental to
    leaving the customer alone. Raises DataError for a head without probabilities, for values and
    weights of the wrong shape, weights out of bounds and, if incremental, a table without "none".
    """
    shape = (len(customers), len(treatments))
    _check(probabilities, arbitration, treatments)
    weight = _weight(treatments, arbitration, context, shape)
    heads = [(probabilities[head.name], _worth(head, customers, treatments, shape))
             for head in arbitration.heads]  # fmt: skip
    expected = _money(heads, treatments.cost)
    plain = arbitration.propensity and arbitration.value and not arbitration.incremental
    if plain and arbitration.cost and isinstance(weight, float):
        score = expected  # the usual case, and half the work
    else:
        score = _score(heads, arbitration, treatments, weight, shape)
    deviation = None
    if deviations is not None:
        variance = np.zeros(shape)
        for head, (_, worth) in zip(arbitration.heads, heads, strict=True):
            scale = worth * weight if arbitration.value else weight
            variance += np.square(deviations[head.name] * scale) * arbitration.propensity
        deviation = np.sqrt(variance)
    names = [head.name for head in arbitration.heads]
    worths = {name: worth for name, (_, worth) in zip(names, heads, strict=True)}
    return Scores(score, expected, probabilities, worths, treatments.none, deviation)


def _money(heads: Sequence[tuple[np.ndarray, np.ndarray]], cost: np.ndarray) -> np.ndarray:
    (p, worth), *others = heads
    money = p * worth
    for p, worth in others:
        money += p * worth
    money -= cost
    return money


def _score(
    heads: Sequence[tuple[np.ndarray, np.ndarray]],
    arbitration: Arbitration,
    treatments: Treatments,
    weight: np.ndarray | float,
    shape: tuple[int, int],
) -> np.ndarray:
    score, none = np.zeros(shape), treatments.none
    for p, worth in heads:
        scale = worth * weight if arbitration.value else weight
        gain = p - p[:, [none]] if arbitration.incremental else p
        score += gain * scale if arbitration.propensity else scale
    return score - treatments.cost if arbitration.cost else score


def _check(
    probabilities: Mapping[str, np.ndarray], arbitration: Arbitration, treatments: Treatments
) -> None:
    lacking = [head.name for head in arbitration.heads if head.name not in probabilities]
    if lacking or not arbitration.heads:
        raise DataError(
            f"arbitration: the model has no head {', '.join(lacking) or '(none is named)'}; "
            f"it predicts {', '.join(probabilities) or 'nothing'}: retrain it with these heads"
        )
    if arbitration.incremental and treatments.none is None:
        raise DataError(
            "arbitration: incremental value is measured against 'none', which the actions table "
            "lacks; add it (treatment, action_id and channel 'none', cost 0)"
        )


def _weight(
    treatments: Treatments,
    arbitration: Arbitration,
    context: np.ndarray | None,
    shape: tuple[int, int],
) -> np.ndarray | float:
    """C·L, broadcasting to [n, K]; the number 1.0 when neither weighs."""
    lever = treatments.lever if arbitration.lever else np.ones(shape[1])
    if not arbitration.context or context is None:
        return 1.0 if (lever == 1.0).all() else lever
    given = np.asarray(context, dtype=float)
    _broadcast("context", given, shape)
    least, most = WEIGHTS
    wrong = ~((given >= least) & (given <= most))
    if wrong.any():
        at = np.flatnonzero(np.broadcast_to(wrong, shape).any(axis=0))
        names = ", ".join(treatments.names[k] for k in at[:5])
        raise DataError(
            f"context: {int(wrong.sum())} weights are not between {least:g} and {most:g} "
            f"({names}); a weight is 1 + sum/100 of what speaks for a treatment"
        )
    return lever * given


def _worth(
    head: Head, customers: pd.DataFrame, treatments: Treatments, shape: tuple[int, int]
) -> np.ndarray:
    worth = np.asarray(head.value(customers, treatments), dtype=float)
    _broadcast(f"head '{head.name}': value", worth, shape)
    return worth


def _broadcast(what: str, given: np.ndarray, shape: tuple[int, int]) -> None:
    fits = zip(given.shape[::-1], shape[::-1], strict=False)
    if given.ndim > 2 or any(have not in (1, want) for have, want in fits):
        raise DataError(
            f"{what} gives an array of shape {given.shape}; "
            f"it must broadcast to {shape} (customers × treatments)"
        )
