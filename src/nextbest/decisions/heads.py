"""What a decision weighs: the outcomes a model predicts, and what each is worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from nextbest.decisions.treatments import Treatments

ValueOf = Callable[[pd.DataFrame, Treatments], np.ndarray]


@dataclass(frozen=True)
class Head:
    """One outcome kind: a probability to predict and the money it brings (or costs).

    `kind` is the outcome's kind in the outcomes table. `value` gives money per outcome for
    customers [n] × treatments [K] (anything that broadcasts to [n, K]); it travels to Spark's
    workers, so it must be picklable and depend on its arguments only. `features` are the customer
    columns the head may look at (None: all of the model's), `treatment` the treatment columns.
    A head that `needs_contact` can't happen under "none": its probability there is exactly 0.
    """

    name: str
    kind: str
    value: ValueOf
    features: tuple[str, ...] | None = None
    treatment: tuple[str, ...] = ("action_id", "channel")
    needs_contact: bool = False


class Scorer(Protocol):
    """What deciding needs of a model; `training.reward_model.RewardModel` is one."""

    @property
    def features(self) -> tuple[str, ...]:
        """The customer columns that it reads."""

    def predict_matrix(
        self, customers: pd.DataFrame, treatments: Treatments, eligible: np.ndarray | None = None
    ) -> Mapping[str, np.ndarray]:
        """Probability of every head, [n, K] each; NaN where not eligible (None: all are)."""


@runtime_checkable
class UncertainScorer(Scorer, Protocol):
    """A model that also knows how sure it is, as Thompson sampling needs."""

    def predict_deviations(
        self, customers: pd.DataFrame, treatments: Treatments, eligible: np.ndarray | None = None
    ) -> Mapping[str, np.ndarray]:
        """Posterior standard deviation of every head's probability, [n, K] each."""
