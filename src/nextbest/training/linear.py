"""A logistic model whose coefficients are pooled over actions and channels.

logit p(x, a, c) = x·(β + β_action[a] + β_channel[c]) + γ[a, c], with x starting with a 1. Each
part has a normal prior around 0 (how wide, `pooling` learns), so an offer with few positives
borrows from the others and a new one gets the population's coefficients. The maximum of the
posterior is found by Newton's method. There is no n × (p·actions) design: all rows of one
treatment share their coefficients, so one p × p Gram matrix per treatment is the whole Hessian,
and conjugate gradients solve with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg
from scipy.special import expit

from nextbest.errors import DataError

# Prior standard deviations, in logits per standard deviation of a feature.
BASE = 1.0  # β of a feature
LEVEL = 10.0  # the overall rate is what the data say
INTERCEPT = 1.0  # an action's or a channel's own level
INTERACTION = 0.4  # β_action, β_channel of a feature
PAIR = 0.4  # γ
NEWTON_STEPS = 40
SETTLED = 1e-3  # nats of log posterior, over all rows, that a further step would still gain


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

    def plus(self, other: Pooled, times: float) -> Pooled:
        """The coefficients with `times` another model's added: logits add up likewise."""
        parts = ("base", "action", "channel", "pair")
        return Pooled(*(getattr(self, part) + times * getattr(other, part) for part in parts))


@dataclass(frozen=True, eq=False)
class Grouped:
    """Rows sorted by treatment: design [n, p] and 0/1 outcome [n], `slices` per treatment.

    `action` and `channel` [G] are the treatments' codes, `sizes` counts actions and channels.
    `offset` [n] is the part of the logit that is known already.
    """

    design: np.ndarray
    outcome: np.ndarray
    offset: np.ndarray
    slices: tuple[slice, ...]
    action: np.ndarray
    channel: np.ndarray
    sizes: tuple[int, int]


def grouped(
    design: np.ndarray,
    action: np.ndarray,
    channel: np.ndarray,
    outcome: np.ndarray,
    sizes: tuple[int, int],
    offset: np.ndarray | None = None,
) -> Grouped:
    """Sort rows by treatment, from design [n, p] and known codes [n]; no offset means 0."""
    offset = np.zeros(len(design)) if offset is None else offset
    group = action * sizes[1] + channel
    order = np.argsort(group, kind="stable")
    groups, starts = np.unique(group[order], return_index=True)
    ends = [*starts[1:], len(group)]
    return Grouped(
        design=design[order],
        outcome=outcome[order],
        offset=offset[order],
        slices=tuple(slice(int(a), int(b)) for a, b in zip(starts, ends, strict=True)),
        action=groups // sizes[1],
        channel=groups % sizes[1],
        sizes=sizes,
    )


@dataclass(frozen=True, eq=False)
class Fit:
    """The maximum of a posterior: its coefficients and how sharply the rows know them.

    `grams` [G, p, p] is the curvature of the negative log likelihood by each treatment's own
    coefficients.
    """

    model: Pooled
    grams: np.ndarray


def prior(rows: Grouped, width: float) -> Pooled:
    """Prior standard deviations of every coefficient; `width` multiplies all but those of β.

    With width → 0 all treatments share β.
    """
    p, (actions, channels) = rows.design.shape[1], rows.sizes
    base, row = np.full(p, BASE), np.full(p, INTERACTION)
    base[0], row[0] = LEVEL, INTERCEPT
    return Pooled(
        base,
        np.tile(row * width, (actions, 1)),
        np.tile(row * width, (channels, 1)),
        np.full((actions, channels), PAIR * width),
    )


def fit_pooled(rows: Grouped, deviations: Pooled, start: Pooled | None = None) -> Fit:
    """Maximum posterior under normal priors with these standard `deviations`.

    `start` (for instance the fit of other deviations) saves steps. Deterministic. Raises
    DataError when Newton's method doesn't settle.
    """
    shapes = _Shapes(rows.design.shape[1], *rows.sizes)
    scale = shapes.join(deviations)
    theta = np.zeros(len(scale))  # whitened (coefficient / deviation): the penalty is |θ|²/2
    if start is None:
        n = len(rows.outcome)
        rate = np.clip(rows.outcome.mean(), 0.5 / n, 1.0 - 0.5 / n)  # all alike have a finite logit
        theta[0] = np.log(rate / (1.0 - rate)) / scale[0]
    else:
        theta = shapes.join(start) / scale
    loss, slope, grams = _evaluate(rows, shapes, theta, scale)
    for _ in range(NEWTON_STEPS):
        step = _newton_step(rows, shapes, grams, scale, slope)
        promised = float(step @ slope)  # twice the decrease of a quadratic
        if promised < SETTLED:
            return Fit(shapes.split(theta * scale), grams)
        while True:
            tried = _evaluate(rows, shapes, theta - step, scale)
            if not tried[0] > loss - 1e-4 * float(step @ slope) or float(step @ slope) < 1e-9:
                break
            step = step / 2.0
        theta = theta - step
        loss, slope, grams = tried
    raise DataError(
        f"the logistic model of {len(rows.outcome)} rows did not settle in {NEWTON_STEPS} steps; "
        "look for features that are nearly constant or copies of each other"
    )


def _evaluate(
    rows: Grouped, shapes: _Shapes, theta: np.ndarray, scale: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Negative log posterior, its gradient in θ, and the Gram matrix of each treatment."""
    coefficients = shapes.split(theta * scale).coefficients(rows.action, rows.channel)
    loss = 0.5 * float(theta @ theta)
    slopes = np.empty_like(coefficients)
    grams = np.empty((*coefficients.shape, coefficients.shape[1]))
    for at, part in enumerate(rows.slices):
        x, y = rows.design[part], rows.outcome[part]
        logit = rows.offset[part] + x @ coefficients[at]
        p = expit(logit)
        loss += float(np.logaddexp(0.0, logit).sum() - y @ logit)
        slopes[at] = (p - y) @ x
        grams[at] = (x * (p * (1.0 - p))[:, None]).T @ x
    return loss, shapes.gather(slopes, rows) * scale + theta, grams


def _newton_step(
    rows: Grouped, shapes: _Shapes, grams: np.ndarray, scale: np.ndarray, slope: np.ndarray
) -> np.ndarray:
    def curvature(v: np.ndarray) -> np.ndarray:
        directions = shapes.split(v * scale).coefficients(rows.action, rows.channel)
        products = (grams @ directions[:, :, None])[:, :, 0]
        return shapes.gather(products, rows) * scale + v

    diagonal = np.diagonal(grams, axis1=1, axis2=2)
    inverse = 1.0 / (shapes.gather(diagonal, rows) * scale**2 + 1.0)
    size = (len(slope), len(slope))
    step, _ = cg(
        LinearOperator(size, matvec=curvature, dtype=float),
        slope,
        rtol=1e-4,
        maxiter=200,
        M=LinearOperator(size, matvec=lambda v: inverse * v, dtype=float),
    )
    return step


@dataclass(frozen=True)
class _Shapes:
    """How the parts lie in one flat vector."""

    p: int
    actions: int
    channels: int

    def split(self, flat: np.ndarray) -> Pooled:
        p, a, c = self.p, self.actions, self.channels
        base, action, channel, pair = np.split(flat, np.cumsum([p, a * p, c * p]))
        return Pooled(base, action.reshape(a, p), channel.reshape(c, p), pair.reshape(a, c))

    def join(self, model: Pooled) -> np.ndarray:
        parts = (model.base, model.action, model.channel, model.pair)
        return np.concatenate([part.ravel() for part in parts])

    def gather(self, per_group: np.ndarray, rows: Grouped) -> np.ndarray:
        """The transpose of `coefficients`: [G, p] summed into every part, flat."""
        action = np.zeros((self.actions, self.p))
        channel = np.zeros((self.channels, self.p))
        pair = np.zeros((self.actions, self.channels))
        np.add.at(action, rows.action, per_group)
        np.add.at(channel, rows.channel, per_group)
        np.add.at(pair, (rows.action, rows.channel), per_group[:, 0])
        return self.join(Pooled(per_group.sum(axis=0), action, channel, pair))
