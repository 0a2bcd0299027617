"""One outcome kind: pooled logistic model, trees on what it leaves, Platt's scaling on both."""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm
import numpy as np
import pandas as pd

from nextbest.decisions.heads import Head
from nextbest.decisions.treatments import NONE
from nextbest.training import calibration, linear, trees, uncertainty
from nextbest.training.encoding import Encoder
from nextbest.training.pooling import fit_hierarchical
from nextbest.training.recency import recent_shift

PAIRS = 400_000  # customer × treatment rows given to the trees at a time: memory stays flat
APART = 3.0  # width of the priors when treatments are hardly pooled at all


@dataclass(frozen=True, eq=False)
class HeadModel:
    """A fitted head: calibrated logit = intercept + slope·(linear + trees).

    `actions` and `channels` are the known levels; None when the head doesn't look at them.
    """

    name: str
    needs_contact: bool
    encoder: Encoder
    actions: tuple[str, ...] | None
    channels: tuple[str, ...] | None
    linear: linear.Pooled
    roots: np.ndarray  # of the covariance of the linear part, as of training.uncertainty
    booster: lightgbm.Booster | None
    intercept: float
    slope: float

    @property
    def trees(self) -> int:
        """How many trees were worth growing."""
        return self.booster.num_trees() if self.booster else 0

    def logits(
        self, matrix: np.ndarray, design: np.ndarray, codes: np.ndarray, wanted: np.ndarray
    ) -> np.ndarray:
        """Calibrated logits [n, D] for D distinct treatments, from `treatment_codes` [D, 3].

        `matrix` and `design` are the encoder's; where `wanted` (bool [n, D]) is False the trees
        are left out.
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

    def deviations(self, design: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Posterior standard deviation of the logits [n, D], of the linear part alone."""
        found = np.empty((len(design), len(codes)))
        for at, (action, channel) in enumerate(codes[:, :2].tolist()):
            spread = np.einsum("np,pq->nq", design, self.roots[action, channel])
            found[:, at] = np.sqrt(np.einsum("nq,nq->n", spread, spread))
        return abs(self.slope) * found


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


def fit_head(
    frame: pd.DataFrame,
    head: Head,
    encoder: Encoder,
    matrix: np.ndarray,
    design: np.ndarray,
    age: np.ndarray,
    later: np.ndarray,
    seed: int,
    pooled: bool,
) -> HeadModel:
    """Fit one head; `frame` has action_id, channel and the head's kind, `later` is bool [n].

    The rows that are not `later` are fitted first, with priors learned from them (`pooled`) or
    wide ones, which leave every treatment nearly to itself; the later ones choose the number of
    trees and give the calibration. Then linear part and trees are fitted again on all rows, and
    the linear part is shifted towards the newest ones; `age` [n] is in days.
    """
    actions, channels = (
        tuple(sorted(frame[name].unique())) if name in head.treatment else None
        for name in ("action_id", "channel")
    )
    codes = treatment_codes(
        frame["action_id"].to_numpy(), frame["channel"].to_numpy(), actions, channels
    )
    kept = codes[:, 2] == 0 if head.needs_contact else np.ones(len(frame), dtype=bool)
    rows = _Rows(
        matrix=np.concatenate([matrix[kept], codes[kept]], axis=1, dtype=np.float32),
        design=design[kept],
        codes=codes[kept],
        outcome=frame[head.kind].to_numpy(dtype=float)[kept],
        sizes=(len(actions or "*"), len(channels or "*")),
        categorical=(*encoder.categorical, len(encoder.names), len(encoder.names) + 1),
    )
    early, late = rows.take(~later[kept]), rows.take(later[kept])
    fit, deviations = _fit_linear(early.grouped(), pooled)
    base = fit.model
    boosting = early.boosting(base)
    residual, count = trees.choose(boosting, late.boosting(base, boosting), seed)
    raw = late.logit(base) + residual
    intercept, slope = calibration.fit_platt(raw, late.outcome)
    whole = rows.grouped()
    final = linear.fit_pooled(whole, deviations, base)
    boosting = rows.boosting(final.model)
    booster = trees.grow(boosting, count, seed) if count else None
    raw = rows.logit(final.model)
    if booster is not None:
        raw = raw + booster.predict(rows.matrix, raw_score=True)
    shift, unsure = recent_shift(
        rows.design, rows.codes, rows.outcome, intercept + slope * raw, age[kept], rows.sizes
    )
    roots = uncertainty.roots(whole, final, deviations)
    for each in unsure:
        roots = uncertainty.added(roots, each / slope)
    return HeadModel(
        name=head.name,
        needs_contact=head.needs_contact,
        encoder=encoder,
        actions=actions,
        channels=channels,
        linear=final.model.plus(shift, 1.0 / slope),
        roots=roots,
        booster=booster,
        intercept=intercept,
        slope=slope,
    )


@dataclass(frozen=True, eq=False)
class _Rows:
    matrix: np.ndarray  # for the trees: encoder's matrix, then the three codes
    design: np.ndarray
    codes: np.ndarray
    outcome: np.ndarray
    sizes: tuple[int, int]
    categorical: tuple[int, ...]

    def take(self, mask: np.ndarray) -> _Rows:
        parts = (self.matrix, self.design, self.codes, self.outcome)
        return _Rows(*(part[mask] for part in parts), self.sizes, self.categorical)

    def grouped(self) -> linear.Grouped:
        return linear.grouped(
            self.design, self.codes[:, 0], self.codes[:, 1], self.outcome, self.sizes
        )

    def logit(self, base: linear.Pooled) -> np.ndarray:
        each = base.coefficients(self.codes[:, 0], self.codes[:, 1])
        return np.einsum("np,np->n", self.design, each)

    def boosting(
        self, base: linear.Pooled, reference: lightgbm.Dataset | None = None
    ) -> lightgbm.Dataset:
        logit = self.logit(base)
        return trees.dataset(self.matrix, self.outcome, logit, self.categorical, reference)


def _fit_linear(rows: linear.Grouped, pooled: bool) -> tuple[linear.Fit, linear.Pooled]:
    if pooled:
        return fit_hierarchical(rows)
    deviations = linear.prior(rows, APART)
    return linear.fit_pooled(rows, deviations), deviations
