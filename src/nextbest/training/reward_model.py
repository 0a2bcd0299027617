"""Probability of each outcome for each customer × treatment: pooled logistic, trees, Platt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from nextbest.decisions.heads import Head
from nextbest.decisions.treatments import NONE, Treatments
from nextbest.errors import DataError
from nextbest.training.encoding import Encoder, fit_encoder
from nextbest.training.head_model import HeadModel, fit_head, treatment_codes
from nextbest.training.splits import last_days

LEAST_POSITIVES = 10
CALIBRATION_SHARE = 0.2


@dataclass(frozen=True, eq=False)
class RewardModel:
    """Calibrated probabilities of every head; picklable, preprocessing inside."""

    features: tuple[str, ...]
    heads: tuple[HeadModel, ...]

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """One probability p_<head> per head and row; rows have the features, action_id, channel.

        Raises DataError for missing columns.
        """
        self._require(rows, (*self.features, "action_id", "channel"))
        pairs = pd.MultiIndex.from_frame(rows[["action_id", "channel"]].astype(str))
        at, known = pd.factorize(pairs)
        wanted = np.arange(len(known)) == at[:, None]
        found = self._matrices(
            rows, known.get_level_values(0).to_numpy(), known.get_level_values(1).to_numpy(), wanted
        )
        chosen = (np.arange(len(rows)), at)
        return pd.DataFrame(
            {f"p_{name}": values[chosen] for name, values in found.items()}, index=rows.index
        )

    def predict_matrix(
        self, customers: pd.DataFrame, treatments: Treatments, eligible: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """Probability of every head, [n, K] each, NaN where `eligible` (bool [n, K]) is False.

        Customers are encoded once; a head that sees fewer treatment columns is evaluated once
        per distinct combination. A row's result doesn't depend on the other rows. Unknown levels,
        actions and channels get the population's coefficients. Raises DataError for missing
        columns.
        """
        self._require(customers, self.features)
        shape = (len(customers), len(treatments))
        wanted = np.ones(shape, dtype=bool) if eligible is None else eligible
        found = self._matrices(customers, treatments.action_id, treatments.channel, wanted)
        return {name: np.where(wanted, values, np.nan) for name, values in found.items()}

    def predict_deviations(
        self, customers: pd.DataFrame, treatments: Treatments, eligible: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """Posterior standard deviation of every probability, [n, K]; NaN where not eligible.

        p·(1 − p) times that of the logit (the delta method), by Laplace's approximation of the
        linear part; trees and calibration are taken as certain, so it errs to the small side.
        Raises DataError for missing columns.
        """
        chances = self.predict_matrix(customers, treatments, eligible)
        found = {}
        for head, _, design, distinct, inverse in self._asked(
            customers, treatments.action_id, treatments.channel
        ):
            p = chances[head.name]
            found[head.name] = p * (1.0 - p) * head.deviations(design, distinct)[:, inverse]
        return found

    def _matrices(
        self, customers: pd.DataFrame, action: np.ndarray, channel: np.ndarray, wanted: np.ndarray
    ) -> dict[str, np.ndarray]:
        found = {}
        for head, matrix, design, distinct, inverse in self._asked(customers, action, channel):
            asked = np.zeros((len(customers), len(distinct)), dtype=bool)
            for at in range(len(action)):
                asked[:, inverse[at]] |= wanted[:, at]
            if head.needs_contact:
                asked &= distinct[:, 2] == 0
            p = expit(head.logits(matrix, design, distinct, asked))
            if head.needs_contact:
                p[:, distinct[:, 2] == 1] = 0.0
            found[head.name] = p[:, inverse]
        return found

    def _asked(
        self, customers: pd.DataFrame, action: np.ndarray, channel: np.ndarray
    ) -> Iterator[tuple[HeadModel, np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """Each head, its matrix and design of the customers, its distinct codes, where they go."""
        encoded: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for head in self.heads:
            key = id(head.encoder)  # heads with the same features share their encoder
            if key not in encoded:
                matrix = head.encoder.matrix(customers)
                encoded[key] = (matrix, head.encoder.design(matrix))
            codes = treatment_codes(action, channel, head.actions, head.channels)
            distinct, inverse = np.unique(codes, axis=0, return_inverse=True)
            yield head, *encoded[key], distinct, inverse.reshape(-1)

    def _require(self, rows: pd.DataFrame, columns: Sequence[str]) -> None:
        missing = [name for name in columns if name not in rows.columns]
        if missing:
            raise DataError(f"the model needs the columns {', '.join(missing)}, which are missing")


def fit(
    frame: pd.DataFrame,
    heads: Sequence[Head],
    features: Sequence[str],
    seed: int,
    on_progress: Callable[[str], None],
    pooled: bool = True,
) -> RewardModel:
    """Fit every head on logged decisions; deterministic for a seed on one machine.

    `frame` has one row per mature decision: decided_at, action_id, channel, the features and one
    0/1 column per head, named by its kind. Each head is fitted on the earlier days; the number of
    trees and the calibration come from the last fifth of the days; then the fit is repeated on
    all days with both kept (so the calibration is that of a model with a little less data).
    With `pooled` treatments borrow from each other as much as the log says they are alike;
    without, each is nearly left to itself (a T-learner).
    Training on logged choices is unbiased when the policy saw no more than the features. Raises
    DataError for missing columns, labels other than 0 and 1, and heads with too few positives.
    """
    _check(frame, heads)
    later = last_days(frame["decided_at"], CALIBRATION_SHARE)
    age = (frame["decided_at"].max() - frame["decided_at"]).dt.days.to_numpy()
    encoders: dict[tuple[str, ...], Encoder] = {}
    encoded: dict[tuple[str, ...], tuple[np.ndarray, np.ndarray]] = {}
    for head in heads:
        key = tuple(features if head.features is None else head.features)
        if key not in encoders:
            encoders[key] = fit_encoder(frame, key)
            matrix = encoders[key].matrix(frame)
            encoded[key] = (matrix, encoders[key].design(matrix))

    models = []
    # In turn: side by side, in threads, native code once in hundreds of runs ended in a SIGSEGV.
    for head in heads:
        key = tuple(features if head.features is None else head.features)
        model = fit_head(frame, head, encoders[key], *encoded[key], age, later, seed, pooled)
        models.append(model)
        on_progress(
            f"head {head.name}: {int(frame[head.kind].sum())} positives in {len(frame)} "
            f"decisions, {model.trees} trees, calibration slope {model.slope:.2f}"
        )
    used = dict.fromkeys(name for key in encoders for name in key)
    return RewardModel(features=tuple(used), heads=tuple(models))


def _check(frame: pd.DataFrame, heads: Sequence[Head]) -> None:
    needed = ["decided_at", "action_id", "channel", *(head.kind for head in heads)]
    problems = [f"column '{name}' is missing" for name in needed if name not in frame.columns]
    for head in heads:
        if head.kind not in frame.columns:
            continue
        outcome = frame[head.kind]
        wrong = int((~outcome.isin([0, 1])).sum())
        asked = outcome
        if head.needs_contact and "channel" in frame.columns:
            asked = outcome[frame["channel"] != NONE]
        positives = int((asked == 1).sum())
        if wrong:
            problems.append(
                f"'{head.kind}' is neither 0 nor 1 in {wrong} of {len(frame)} rows; "
                "leave immature decisions out"
            )
        elif not LEAST_POSITIVES <= positives <= len(asked) - LEAST_POSITIVES:
            contacts = " with a contact" if len(asked) < len(outcome) else ""
            problems.append(
                f"'{head.kind}' has {positives} positives in {len(asked)} rows{contacts}; at least "
                f"{LEAST_POSITIVES} of each kind are needed: raise history_days"
            )
    if problems:
        raise DataError("training: " + "; ".join(problems))
