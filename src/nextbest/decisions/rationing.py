"""A policy that knows the limits: the best marginals before anything has to be cut.

Exploration and the control group come first: their uniform part is what makes a policy learnable
and its lift measurable. What they leave of each limit is given to the ranking part, by the best
allocation (greedy) or by prices (softmax). trimming.within_limits then cuts the little that is too
much, so that the result can be drawn by rounding.draw_within.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.optimize import minimize

from nextbest.decisions.allocation import allocate
from nextbest.decisions.gains import blocks
from nextbest.decisions.limits import Limits
from nextbest.decisions.policy import uniform_probabilities
from nextbest.decisions.treatments import Treatments
from nextbest.decisions.trimming import kept, within_limits


def ration(
    scores: np.ndarray,
    eligible: np.ndarray,
    share: np.ndarray,
    treatments: Treatments,
    limits: Limits,
    temperature: float = 0.0,
) -> np.ndarray:
    """Probabilities [n, K] of (1 − share)·ranking + share·uniform that keep the limits.

    `share` [n] is each row's uniform share: ε, or 1 in the control group. The ranking is the best
    allocation of what the uniform part leaves when `temperature` is 0, else the softmax of
    (score − price) / temperature. Deterministic in the data, ready for rounding.draw_within.
    Raises DataError as allocate and within_limits do.
    """
    limits.check(scores.shape, "scores")
    mixed = uniform_probabilities(eligible)
    floor = share / eligible.sum(axis=1)
    mixed *= share[:, None]
    if len(limits):
        mixed = kept(mixed, limits)
    left = np.maximum(limits.capacity - limits.usage @ mixed.sum(axis=0), 0.0)
    rows = np.flatnonzero(share < 1)
    weight = 1.0 - share[rows]
    if temperature > 0:
        some, allowed = scores[rows], eligible[rows]
        prices = softmax_prices(some, allowed, weight, left, limits, temperature)
        cost = prices @ limits.usage
        for part in blocks(len(rows)):
            ranking, _ = _softmax(some[part] - cost, allowed[part], temperature)
            mixed[rows[part]] += weight[part, None] * ranking
    elif len(rows):
        # The ranking's contact happens with probability 1 − share: so many more fit in. Whom only
        # limited treatments can serve may need all there is: exploration gives way (trimming).
        stuck = not (eligible & limits.free).any(axis=1).all()
        room = limits.capacity if stuck else left / weight.max()
        room = dataclasses.replace(limits, capacity=room)
        choice = allocate(scores[rows], eligible[rows], room).choice
        mixed[rows, choice] += weight
    return within_limits(mixed, eligible, treatments, limits, floor)


def softmax_prices(
    scores: np.ndarray,
    eligible: np.ndarray,
    weight: np.ndarray,
    capacity: np.ndarray,
    limits: Limits,
    temperature: float,
) -> np.ndarray:
    """Prices [R] at which softmax((scores − price) / temperature) keeps `capacity` [R] on average.

    They minimise the convex dual price·capacity + temperature·Σ weight·log Σ_k exp(·) of maximising
    Σ weight·(p·score + temperature·entropy(p)) under the limits; its gradient is capacity minus
    what is used. `weight` [n] is how much of a contact each row's ranking decides.
    """
    if not len(limits) or not len(scores):
        return np.zeros(len(limits))
    scale = np.maximum(capacity, 1.0)

    def dual(scaled: np.ndarray) -> tuple[float, np.ndarray]:
        price = scaled / scale * total
        cost = price @ limits.usage
        value, contacts = float(price @ capacity), np.zeros(scores.shape[1])
        for part in blocks(len(scores)):
            ranking, log_sum = _softmax(scores[part] - cost, eligible[part], temperature)
            value += float(weight[part] @ log_sum) * temperature
            contacts += weight[part] @ ranking
        slope = (capacity - limits.usage @ contacts) / scale
        return value / total, slope

    total = float(weight.sum()) * temperature
    found = minimize(
        dual,
        np.zeros(len(limits)),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * len(limits),
        options={"maxiter": 200, "ftol": 1e-12, "gtol": 1e-4},
    )
    return found.x / scale * total


def _softmax(
    scores: np.ndarray, eligible: np.ndarray, temperature: float
) -> tuple[np.ndarray, np.ndarray]:
    """Softmax of scores/temperature over eligible [m, K], and the log of its denominator [m]."""
    ranked = np.where(eligible, scores, -np.inf)
    top = ranked.max(axis=1, keepdims=True)
    with np.errstate(over="ignore"):
        weights = np.exp((ranked - top) / temperature)
    total = weights.sum(axis=1, keepdims=True)
    return weights / total, (top / temperature + np.log(total))[:, 0]
