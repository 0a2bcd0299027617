"""Models that are wrong in one way: real ones, with their inputs or their answers changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit

TIMES = 50
RATE = 0.027  # of responses, about


def as_is(given):
    return given


def as_said(head, p, rows, channel):
    return p


@dataclass(frozen=True, eq=False)
class Altered:
    """A model whose rows are changed before, and whose probabilities after it has predicted.

    `after` gets head, probabilities, rows and channels; [n] when it predicts and [n, K] when it
    scores.
    """

    model: object
    before: Callable = as_is
    after: Callable = as_said
    more_features: tuple[str, ...] = ()

    @property
    def features(self):
        return (*self.model.features, *self.more_features)

    def predict(self, rows):
        found = self.model.predict(self.before(rows))
        channel = rows["channel"].to_numpy()
        told = {
            name: self.after(name.removeprefix("p_"), found[name].to_numpy(), rows, channel)
            for name in found
        }
        return pd.DataFrame(told, index=rows.index)

    def predict_matrix(self, customers, treatments, eligible=None):
        found = self.model.predict_matrix(self.before(customers), treatments, eligible)
        return {
            name: self.after(name, each, customers, treatments.channel)
            for name, each in found.items()
        }


@dataclass(frozen=True, eq=False)
class Slow(Altered):
    """A model that needs 50 times as long for a request."""

    def predict(self, rows):
        for _ in range(TIMES - 1 if len(rows) <= 1000 else 0):
            self.model.predict(rows)
        return self.model.predict(rows)


def column(values, p):
    """A column of rows beside probabilities [n] or [n, K]."""
    values = np.asarray(values)
    return values if p.ndim == 1 else values[:, None]


def rolled(rows):
    """Every customer's features are those of somebody else."""
    features = [name for name in rows if name not in ("action_id", "channel", "treatment")]
    return rows.assign(**{name: np.roll(rows[name].to_numpy(), 1000) for name in features})


def on_responses(change):
    """Change the probability of a response alone."""

    def after(head, p, rows, channel):
        return change(p, rows, channel) if head == "response" else p

    return after


def shifted(by, scale=1.0):
    """Logits of responses moved by `by`, and stretched around that of their rate."""
    centre = logit(RATE)

    def change(p, rows, channel):
        with np.errstate(divide="ignore"):
            return expit(centre + scale * (logit(p) - centre) + by)

    return on_responses(change)


def of_channels(factors):
    """Responses by channel overrated: × factor, at most .9."""

    def change(p, rows, channel):
        return np.minimum(p * np.array([factors.get(name, 1.0) for name in channel]), 0.9)

    return on_responses(change)


def in_segment(segment, change):
    """Responses changed in one segment alone."""

    def after(p, rows, channel):
        here = column(rows["segment"] == segment, p)
        return np.where(here, change(p), p)

    return on_responses(after)


def with_model(contest, **changed):
    """The contest with the candidate's model altered."""
    return of_candidate(contest, Altered(contest.candidate.decider.model, **changed))


def of_candidate(contest, model):
    decider = dataclasses.replace(contest.candidate.decider, model=model)
    return dataclasses.replace(
        contest, candidate=dataclasses.replace(contest.candidate, decider=decider)
    )
