"""A logistic model whose coefficients are pooled over actions and channels.

logit p(x, a, c) = x·(β + β_action[a] + β_channel[c]) + γ[a, c], with x starting with a 1. Each
part has a normal prior around 0, so an offer with few positives borrows from the others and a new
one gets the population's coefficients. Fitted by maximum posterior; there is no n × (p·actions)
design: rows are grouped by treatment, and a group needs one matrix-vector product.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

# Prior standard deviations, in logits per standard deviation of a feature.
BASE = 1.0  # β of a feature
INTERCEPT = 1.0  # an action's or a channel's own level
INTERACTION = 0.3  # β_action, β_channel of a feature
PAIR = 0.3  # γ


@dataclass(frozen=True, eq=False)
class Pooled:
    """Coefficients of each part: base [p], action [A, p], channel [C, p], pair [A, C]."""

    base: np.ndarray
    action: np.ndarray
    channel: np.ndarray
    pair: np.ndarray

    def coefficients(self, action: np.ndarray, channel: np.ndarray) -> np.ndarray:
        """One row of coefficients per treatment, [G, p], from codes [G]; −1 is unknown."""
        known_action, known_channel = (action >= 0)[:, None], (channel >= 0)[:, None]
        total = self.base + self.action[action] * known_action
        total = total + self.channel[channel] * known_channel
        total[:, 0] += self.pair[action, channel] * (known_action & known_channel)[:, 0]
        return total


def fit_pooled(
    design: np.ndarray,
    action: np.ndarray,
    channel: np.ndarray,
    outcome: np.ndarray,
    sizes: tuple[int, int],
) -> Pooled:
    """Maximum posterior from design [n, p], codes [n] and 0/1 outcomes [n].

    `sizes` counts the actions and channels. Deterministic: L-BFGS from the mean rate.
    """
    shapes = _Shapes(design.shape[1], *sizes)
    group = action * sizes[1] + channel
    order = np.argsort(group, kind="stable")
    design, outcome = design[order], outcome[order]
    groups, starts = np.unique(group[order], return_index=True)
    slices = [slice(a, b) for a, b in zip(starts, [*starts[1:], len(group)], strict=True)]
    pairs = [divmod(int(g), sizes[1]) for g in groups]
    scale = shapes.prior()
    mean = outcome.mean()

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        # θ is whitened (coefficient / prior deviation): the penalty is |θ|²/2 for every part.
        model = shapes.split(theta * scale)
        slope = shapes.split(np.zeros(len(theta)))
        loss = 0.5 * float(theta @ theta)
        for rows, (a, c) in zip(slices, pairs, strict=True):
            beta = model.base + model.action[a] + model.channel[c]
            beta[0] += model.pair[a, c]
            logit = design[rows] @ beta
            loss += float(np.logaddexp(0.0, logit).sum() - outcome[rows] @ logit)
            gradient = (expit(logit) - outcome[rows]) @ design[rows]
            slope.base[:] += gradient
            slope.action[a] += gradient
            slope.channel[c] += gradient
            slope.pair[a, c] += gradient[0]
        return loss, shapes.join(slope) * scale + theta

    start = np.zeros(len(scale))
    start[0] = np.log(mean / (1.0 - mean)) / scale[0]
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return shapes.split(found.x * scale)


@dataclass(frozen=True)
class _Shapes:
    p: int
    actions: int
    channels: int

    def split(self, flat: np.ndarray) -> Pooled:
        p, a, c = self.p, self.actions, self.channels
        cuts = np.cumsum([p, a * p, c * p])
        base, action, channel, pair = np.split(flat, cuts)
        return Pooled(base, action.reshape(a, p), channel.reshape(c, p), pair.reshape(a, c))

    def join(self, model: Pooled) -> np.ndarray:
        parts = (model.base, model.action, model.channel, model.pair)
        return np.concatenate([part.ravel() for part in parts])

    def prior(self) -> np.ndarray:
        row = np.full(self.p, INTERACTION)
        row[0] = INTERCEPT
        base = np.full(self.p, BASE)
        base[0] = 10.0  # the overall rate is what the data say
        shapes = (np.tile(row, (self.actions, 1)), np.tile(row, (self.channels, 1)))
        return self.join(Pooled(base, *shapes, np.full((self.actions, self.channels), PAIR)))
