"""Probability of each outcome for each customer × treatment: pooled logistic, trees, Platt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import lightgbm
import numpy as np
import pandas as pd
from scipy.special import expit

from nextbest.decisions.heads import Head
from nextbest.decisions.treatments import NONE, Treatments
from nextbest.errors import DataError
from nextbest.training import calibration, linear, trees
from nextbest.training.encoding import Encoder, fit_encoder
from nextbest.training.splits import last_days

LEAST_POSITIVES = 10
CALIBRATION_SHARE = 0.2
PAIRS = 400_000  # customer × treatment rows given to the trees at a time: memory stays flat


@dataclass(frozen=True, eq=False)
class HeadModel:
    """One fitted head: calibrated logit = intercept + slope·(linear + trees).

    `actions` and `channels` are the known levels; None when the head doesn't look at them.
    """

    name: str
    needs_contact: bool
    encoder: Encoder
    actions: tuple[str, ...] | None
    channels: tuple[str, ...] | None
    linear: linear.Pooled
    booster: lightgbm.Booster | None
    intercept: float = 0.0
    slope: float = 1.0

    def logits(
        self, matrix: np.ndarray, design: np.ndarray, codes: np.ndarray, wanted: np.ndarray
    ) -> np.ndarray:
        """Calibrated logits [n, D] for D distinct treatments, codes int [D, 3].

        Where `wanted` (bool [n, D]) is False the trees are left out.
        """
        coefficients = self.linear.coefficients(codes[:, 0], codes[:, 1])
        # Not `@`: BLAS sums in an order that depends on n, and a customer's score must be the
        # same to the last bit in a batch of 20,000 and alone.
        logit = np.einsum("np,dp->nd", design, coefficients)
        if self.booster is not None:
            rows, columns = np.nonzero(wanted)
            for start in range(0, len(rows), PAIRS):
                at = (rows[start : start + PAIRS], columns[start : start + PAIRS])
                pairs = np.concatenate([matrix[at[0]], codes[at[1]]], axis=1, dtype=np.float32)
                logit[at] += self.booster.predict(pairs, raw_score=True)
        return self.intercept + self.slope * logit


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

    def _matrices(
        self, customers: pd.DataFrame, action: np.ndarray, channel: np.ndarray, wanted: np.ndarray
    ) -> dict[str, np.ndarray]:
        encoded: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        found = {}
        for head in self.heads:
            key = id(head.encoder)  # heads with the same features share their encoder
            if key not in encoded:
                matrix = head.encoder.matrix(customers)
                encoded[key] = (matrix, head.encoder.design(matrix))
            codes = treatment_codes(action, channel, head.actions, head.channels)
            distinct, inverse = np.unique(codes, axis=0, return_inverse=True)
            inverse = inverse.reshape(-1)
            asked = np.zeros((len(customers), len(distinct)), dtype=bool)
            for at in range(len(action)):
                asked[:, inverse[at]] |= wanted[:, at]
            if head.needs_contact:
                asked &= distinct[:, 2] == 0
            p = expit(head.logits(*encoded[key], distinct, asked))
            if head.needs_contact:
                p[:, distinct[:, 2] == 1] = 0.0
            found[head.name] = p[:, inverse]
        return found

    def _require(self, rows: pd.DataFrame, columns: Sequence[str]) -> None:
        missing = [name for name in columns if name not in rows.columns]
        if missing:
            raise DataError(f"the model needs the columns {', '.join(missing)}, which are missing")


def treatment_codes(
    action: np.ndarray,
    channel: np.ndarray,
    actions: tuple[str, ...] | None,
    channels: tuple[str, ...] | None,
) -> np.ndarray:
    """Codes of action and channel (−1 unknown, 0 when not looked at) and is-none, int [K, 3]."""
    columns = [
        np.zeros(len(values), dtype=int) if known is None else pd.Index(known).get_indexer(values)
        for values, known in ((action, actions), (channel, channels))
    ]
    return np.column_stack([*columns, (np.asarray(channel) == NONE).astype(int)])


def fit(
    frame: pd.DataFrame,
    heads: Sequence[Head],
    features: Sequence[str],
    seed: int,
    on_progress: Callable[[str], None],
) -> RewardModel:
    """Fit every head on logged decisions; deterministic for a seed on one machine.

    `frame` has one row per mature decision: decided_at, action_id, channel, the features and one
    0/1 column per head, named by its kind. Each head is fitted on the earlier days; the number of
    trees and the calibration come from the last fifth of the days; then the fit is repeated on
    all days with both kept (so the calibration is that of a model with a little less data).
    Training on logged choices is unbiased when the policy saw no more than the features. Raises
    DataError for missing columns, labels other than 0 and 1, and heads with too few positives.
    """
    _check(frame, heads)
    later = last_days(frame["decided_at"], CALIBRATION_SHARE)
    encoders: dict[tuple[str, ...], Encoder] = {}
    encoded: dict[tuple[str, ...], tuple[np.ndarray, np.ndarray]] = {}
    models = []
    for head in heads:
        key = tuple(features if head.features is None else head.features)
        if key not in encoders:
            encoders[key] = fit_encoder(frame, key)
            matrix = encoders[key].matrix(frame)
            encoded[key] = (matrix, encoders[key].design(matrix))
        models.append(_fit_head(frame, head, encoders[key], encoded[key], later, seed))
        count = models[-1].booster.num_trees() if models[-1].booster else 0
        on_progress(
            f"head {head.name}: {int(frame[head.kind].sum())} positives in {len(frame)} decisions, "
            f"{count} trees, calibration slope {models[-1].slope:.2f}"
        )
    used = dict.fromkeys(name for key in encoders for name in key)
    return RewardModel(features=tuple(used), heads=tuple(models))


def _fit_head(
    frame: pd.DataFrame,
    head: Head,
    encoder: Encoder,
    encoded: tuple[np.ndarray, np.ndarray],
    later: np.ndarray,
    seed: int,
) -> HeadModel:
    levels: Mapping[str, tuple[str, ...] | None] = {
        name: tuple(sorted(frame[name].astype(str).unique())) if name in head.treatment else None
        for name in ("action_id", "channel")
    }
    actions, channels = levels["action_id"], levels["channel"]
    sizes = (len(actions or "*"), len(channels or "*"))
    codes = treatment_codes(
        frame["action_id"].to_numpy(), frame["channel"].to_numpy(), actions, channels
    )
    kept = codes[:, 2] == 0 if head.needs_contact else np.ones(len(frame), dtype=bool)
    matrix, design = encoded[0][kept], encoded[1][kept]
    codes, later = codes[kept], later[kept]
    outcome = frame[head.kind].to_numpy(dtype=float)[kept]
    rows = np.concatenate([matrix, codes], axis=1, dtype=np.float32)
    width = matrix.shape[1]
    categorical = [*encoder.categorical, width, width + 1]

    def base(fitted_on: np.ndarray) -> tuple[linear.Pooled, np.ndarray]:
        model = linear.fit_pooled(
            design[fitted_on], codes[fitted_on, 0], codes[fitted_on, 1], outcome[fitted_on], sizes
        )
        logit = np.empty(len(outcome))
        for pair in np.unique(codes[:, :2], axis=0):
            at = (codes[:, :2] == pair).all(axis=1)
            logit[at] = design[at] @ model.coefficients(pair[:1], pair[1:])[0]
        return model, logit

    model, logit = base(~later)
    early = trees.dataset(rows[~later], outcome[~later], logit[~later], categorical)
    late = trees.dataset(rows[later], outcome[later], logit[later], categorical, early)
    count = trees.tree_count(early, late, seed)
    booster = trees.grow(early, count, seed)
    raw = logit[later] + (booster.predict(rows[later], raw_score=True) if booster else 0.0)
    intercept, slope = calibration.fit_platt(raw, outcome[later])
    model, logit = base(np.ones(len(outcome), dtype=bool))
    everything = trees.dataset(rows, outcome, logit, categorical)
    return HeadModel(
        name=head.name,
        needs_contact=head.needs_contact,
        encoder=encoder,
        actions=actions,
        channels=channels,
        linear=model,
        booster=trees.grow(everything, count, seed),
        intercept=intercept,
        slope=slope,
    )


def _check(frame: pd.DataFrame, heads: Sequence[Head]) -> None:
    needed = ["decided_at", "action_id", "channel", *(head.kind for head in heads)]
    problems = [f"column '{name}' is missing" for name in needed if name not in frame.columns]
    for head in heads:
        if head.kind not in frame.columns:
            continue
        outcome = frame[head.kind]
        wrong = int((~outcome.isin([0, 1])).sum())
        positives = int((outcome == 1).sum())
        if wrong:
            problems.append(
                f"'{head.kind}' is neither 0 nor 1 in {wrong} of {len(frame)} rows; "
                "leave immature decisions out"
            )
        elif not LEAST_POSITIVES <= positives <= len(frame) - LEAST_POSITIVES:
            problems.append(
                f"'{head.kind}' has {positives} positives in {len(frame)} rows; at least "
                f"{LEAST_POSITIVES} of each kind are needed: raise history_days"
            )
    if problems:
        raise DataError("training: " + "; ".join(problems))
