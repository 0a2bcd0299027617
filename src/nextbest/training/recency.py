"""What the last weeks know better: a shift of the pooled model towards the newest decisions.

The world moves, and a model of all days describes its average. So the last four weeks correct it,
and then the last one: the same pooled model on these rows alone, beside what is predicted already,
with priors around no change at all. How wide those are is learned from the same rows (`pooling`):
where an offer has become another one they open, and a week of decisions tells. A correction is
made only if half of its rows foretells the other half better with it, by more than the standard
error of that gain (the rule of `policy.search`): in a steady world it is rare, and costs little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nextbest.training.linear import Fit, Grouped, Pooled, grouped, prior
from nextbest.training.pooling import fit_hierarchical
from nextbest.training.uncertainty import roots

SPANS = (28, 7)  # days
LEAST = 50  # positives and negatives: fewer could hardly tell a change from chance
WIDTH = 0.2  # deviations to begin with, in those of `linear.prior`
LEVEL = 0.3  # how far, in logits, the level of some weeks may be off


def recent_shift(
    design: np.ndarray,
    codes: np.ndarray,
    outcome: np.ndarray,
    predicted: np.ndarray,
    age: np.ndarray,
    sizes: tuple[int, int],
    spans: Sequence[int] = SPANS,
) -> tuple[Pooled, list[np.ndarray]]:
    """Coefficients to add to those that made the logits `predicted` [n], and how sure they are.

    design [n, p], codes [n, 2] of action and channel, outcome 0/1 [n], age [n] in whole days
    before the newest row. A span that holds all rows, or too few positives, corrects nothing; of
    each correction made there are the roots of its covariance, as of `uncertainty.roots`. Raises
    DataError as `linear.fit_pooled` does.
    """
    total, unsure = _zeros(design.shape[1], sizes), []
    logit = predicted.copy()
    for days in spans:
        recent = np.flatnonzero(age < days)
        rarer = min(outcome[recent].sum(), (1.0 - outcome[recent]).sum())
        if len(recent) == len(age) or rarer < LEAST:
            continue
        rows = _Rows(design, codes, outcome, logit, sizes)
        half, other = recent[::2], recent[1::2]
        tried = rows.corrected(rows.fit(half)[1].model, other)
        gain = _loss(outcome[other], logit[other]) - _loss(outcome[other], tried)
        if gain.mean() > gain.std() / np.sqrt(len(gain)):
            fitted = rows.fit(recent)
            shift = fitted[1].model
            logit[recent] = rows.corrected(shift, recent)
            total = total.plus(shift, 1.0)
            unsure.append(roots(*fitted))
    return total, unsure


@dataclass(frozen=True, eq=False)
class _Rows:
    design: np.ndarray
    codes: np.ndarray
    outcome: np.ndarray
    logit: np.ndarray
    sizes: tuple[int, int]

    def fit(self, at: np.ndarray) -> tuple[Grouped, Fit, Pooled]:
        """The rows `at`, the shift that they ask for, and the deviations of its priors."""
        action, channel = self.codes[at].T[:2]
        rows = grouped(
            self.design[at], action, channel, self.outcome[at], self.sizes, self.logit[at]
        )
        usual = prior(rows, WIDTH)
        first = replace(usual, base=np.concatenate([[LEVEL], WIDTH * usual.base[1:]]))
        return rows, *fit_hierarchical(rows, first, _zeros(self.design.shape[1], self.sizes))

    def corrected(self, shift: Pooled, at: np.ndarray) -> np.ndarray:
        """The logits of the rows `at` with a shift."""
        each = shift.coefficients(*self.codes[at].T[:2])
        return self.logit[at] + np.einsum("np,np->n", self.design[at], each)


def _loss(outcome: np.ndarray, logit: np.ndarray) -> np.ndarray:
    return np.logaddexp(0.0, logit) - outcome * logit


def _zeros(p: int, sizes: tuple[int, int]) -> Pooled:
    actions, channels = sizes
    shapes = (p, (actions, p), (channels, p), sizes)
    return Pooled(*(np.zeros(shape) for shape in shapes))
