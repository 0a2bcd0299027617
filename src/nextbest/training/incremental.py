"""Learners of money itself, incremental to "none": T-, X- and DR-learner with pooled ridges.

They ask for no heads and no probabilities, only for the logged value and the exact propensities.
Künzel et al. (2019) for T and X, Kennedy (2023) for DR: there the pseudo-outcome of treatment a,
q̂(x, a) + 1{A = a}·(y − q̂(x, a)) / p, is regressed on x over all rows to which a was open, with
q̂ fitted on the other half of the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nextbest.decisions.heads import Head
from nextbest.decisions.treatments import NONE, Treatments
from nextbest.errors import DataError
from nextbest.training.encoding import Encoder, fit_encoder

KINDS = ("t", "x", "dr")
ROUNDS = 10
WEAK = 1.0  # ridge on what all treatments share: one row's worth
LEAST_SHARE = 1e-6  # of the noise: below it treatments are the same


def _money(customers: pd.DataFrame, treatments: Treatments) -> np.ndarray:
    return np.ones((1, 1))


# The one "head" to arbitrate with: what is predicted is money already.
MONEY = Head("money", "value", _money)


@dataclass(frozen=True, eq=False)
class IncrementalModel:
    """Money that each treatment brings over "none", before its cost: linear in the design."""

    features: tuple[str, ...]
    encoder: Encoder
    names: tuple[str, ...]
    coefficients: np.ndarray  # [K, p]

    def predict_matrix(
        self, customers: pd.DataFrame, treatments: Treatments, eligible: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """Incremental money [n, K] under the name of MONEY, NaN where not eligible (bool [n, K]).

        Raises DataError for treatments that the log didn't have.
        """
        at = pd.Index(self.names).get_indexer(pd.Index(treatments.names, dtype=object))
        if (at < 0).any():
            raise DataError(
                f"{int((at < 0).sum())} of {len(at)} treatments, the first "
                f"'{treatments.names[int((at < 0).argmax())]}', are not in the log of this "
                "learner; use the head model, which borrows for new ones, or retrain"
            )
        design = self.encoder.design(self.encoder.matrix(customers))
        money = np.einsum("np,kp->nk", design, self.coefficients[at])
        return {MONEY.name: money if eligible is None else np.where(eligible, money, np.nan)}


def fit(
    frame: pd.DataFrame, treatments: Treatments, features: Sequence[str], kind: str
) -> IncrementalModel:
    """Fit the learner of this `kind` (one of KINDS); deterministic.

    `frame`: treatment, eligible (names), propensity, value (net money) and the features. Raises
    DataError for an unknown kind, missing columns and treatments, and a log without "none".
    """
    missing = {"treatment", "eligible", "propensity", "value"} - set(frame.columns)
    if kind not in KINDS or missing:
        raise DataError(
            f"incremental learner '{kind}' (there are {', '.join(KINDS)}): the log of "
            f"{len(frame)} rows lacks {', '.join(sorted(missing)) or 'nothing'}"
        )
    arm = treatments.index(frame["treatment"])
    none = np.flatnonzero(treatments.is_none)
    if not len(none) or not (arm == none[0]).any():
        raise DataError(f"no decision of {len(frame)} is '{NONE}': there is nothing to compare to")
    encoder = fit_encoder(frame, features)
    x = encoder.design(encoder.matrix(frame))
    y = frame["value"].to_numpy(dtype=float) + treatments.cost[arm]  # arbitration takes it off
    k = len(treatments)
    if kind == "dr":
        chance = frame["propensity"].to_numpy(dtype=float)
        worth = _doubly_robust(x, y, arm, chance, treatments.mask(frame["eligible"]))
    else:
        worth = _ridges(*_own_rows(x, y, arm, k), _noise(x, y, arm))
    effect = worth - worth[none[0]]
    if kind == "x":
        effect = _crossed(x, y, arm, worth, int(none[0]))
    effect[none[0]] = 0.0
    return IncrementalModel(tuple(features), encoder, treatments.names, effect)


def _crossed(
    x: np.ndarray, y: np.ndarray, arm: np.ndarray, worth: np.ndarray, none: int
) -> np.ndarray:
    """Effects imputed on treated and on untreated rows, weighted by the share of treated."""
    gained = y - x @ worth[none]
    treated = arm != none
    part = (x[treated], gained[treated], arm[treated])
    on_treated = _ridges(*_own_rows(*part, len(worth)), _noise(*part))
    lost = np.linalg.lstsq(x[~treated], y[~treated] - x[~treated] @ worth[none], rcond=1e-8)[0]
    on_untreated = worth - worth[none] - lost
    counts = np.bincount(arm, minlength=len(worth)).astype(float)
    share = (counts / (counts + counts[none]))[:, None]
    return share * on_untreated + (1.0 - share) * on_treated


def _doubly_robust(
    x: np.ndarray, y: np.ndarray, arm: np.ndarray, chance: np.ndarray, open_: np.ndarray
) -> np.ndarray:
    k, half = open_.shape[1], np.arange(len(x)) % 2 == 0
    guess, missed = np.zeros((k, x.shape[1])), np.empty(len(x))
    for fold in (half, ~half):
        part = (x[~fold], y[~fold], arm[~fold])
        model = _ridges(*_own_rows(*part, k), _noise(*part))
        guess += model / 2.0
        missed[fold] = y[fold] - np.einsum("np,np->n", x[fold], model[arm[fold]])
    weighted = missed / chance
    grams = np.array([x[open_[:, a]].T @ x[open_[:, a]] for a in range(k)])
    moments = np.array([weighted[arm == a] @ x[arm == a] for a in range(k)])
    noise = float((weighted**2).sum() / max(open_.sum(), 1))
    return guess + _ridges(grams, moments, noise)


def _own_rows(
    x: np.ndarray, y: np.ndarray, arm: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """XᵀX [K, p, p] and Xᵀy [K, p] of each treatment's rows."""
    parts = [arm == a for a in range(k)]
    grams = np.array([x[part].T @ x[part] for part in parts])
    return grams, np.array([x[part].T @ y[part] for part in parts])


def _noise(x: np.ndarray, y: np.ndarray, arm: np.ndarray) -> float:
    means = np.bincount(arm, y) / np.maximum(np.bincount(arm), 1)
    return float(((y - means[arm]) ** 2).mean())


def _ridges(grams: np.ndarray, moments: np.ndarray, noise: float) -> np.ndarray:
    """Coefficients [K, p]: what treatments share plus deviations, whose spread is learned.

    Empirical Bayes as in `pooling`: the deviations' variance v solves v = Σ c² / Σ (1 − s²/v).
    """
    p = grams.shape[1]
    eye = np.eye(p)
    spread = noise / max(np.trace(grams.sum(axis=0)) / (p * len(grams)), 1.0)
    deviation = np.zeros_like(moments)
    for _ in range(ROUNDS):
        left = (moments - np.einsum("kpq,kq->kp", grams, deviation)).sum(axis=0)
        shared = np.linalg.solve(grams.sum(axis=0) + WEAK * eye, left)
        inverse = np.linalg.inv(grams + (noise / spread) * eye)
        deviation = np.einsum("kpq,kq->kp", inverse, moments - grams @ shared)
        left_over = np.trace(inverse, axis1=1, axis2=2).sum() * noise / spread
        known = max(moments.size - left_over, 1.0)
        spread = max(float((deviation**2).sum() / known), noise * LEAST_SHARE)
    return shared + deviation
