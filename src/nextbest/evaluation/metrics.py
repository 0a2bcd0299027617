"""How good probabilities are against what happened; what can't be computed is an error.

Everywhere: outcomes are 0 or 1, probabilities in [0, 1], weights (optional) above 0; arrays of one
length. Every function raises DataError for anything else, and when all outcomes are the same: then
there is nothing to tell apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nextbest.errors import DataError, NextBestError

STEPS = 50  # Newton steps; a fit that exists takes fewer than ten


def auc(outcomes: Any, probabilities: Any, weights: Any = None) -> float:
    """Area under the ROC curve: the chance that a success was given more than a failure.

    Ties count half (Mann and Whitney 1947), pairs by the product of their weights.
    """
    y, p, w = _checked("auc", outcomes, probabilities, weights)
    _, tie = np.unique(p, return_inverse=True)
    success = np.bincount(tie, weights=w * y)
    failure = np.bincount(tie, weights=w * (1 - y))
    below = np.cumsum(failure) - failure
    return float(success @ (below + failure / 2) / (success.sum() * failure.sum()))


def log_loss(outcomes: Any, probabilities: Any, weights: Any = None) -> float:
    """Mean −log of the probability given to what happened, in nats.

    Raises DataError where something happened that was given no chance at all: that loss is
    infinite, and clipping would hide it.
    """
    y, p, w = _checked("log_loss", outcomes, probabilities, weights)
    given = np.where(y == 1, p, 1 - p)
    if (given == 0).any():
        count, first = np.count_nonzero(given == 0), np.flatnonzero(given == 0)[0]
        raise DataError(
            f"log_loss: {count} of {len(y)} outcomes were given no chance at all, the first is row "
            f"{first}; the loss is infinite: keep probabilities within (0, 1)"
        )
    return float(-(w @ np.log(given)) / w.sum())


def brier(outcomes: Any, probabilities: Any, weights: Any = None) -> float:
    """Mean squared difference of probability and outcome (Brier 1950)."""
    y, p, w = _checked("brier", outcomes, probabilities, weights)
    return float(w @ (p - y) ** 2 / w.sum())


def calibration_error(
    outcomes: Any, probabilities: Any, weights: Any = None, *, bins: int = 10
) -> float:
    """Expected calibration error: mean |share of successes − mean probability| over bins.

    Bins are of equal weight, not of equal width (as in Nixon et al. 2019): rare events would all
    fall into the first one. Equal probabilities stay in one bin.
    """
    y, p, w = _checked("calibration_error", outcomes, probabilities, weights)
    gaps = np.bincount(equal_bins(p, w, bins), weights=w * (y - p))
    return float(np.abs(gaps).sum() / w.sum())


def equal_bins(probabilities: np.ndarray, weights: np.ndarray, bins: int = 10) -> np.ndarray:
    """The bin of each probability (n,), from 0: bins of equal weight, ties together in one."""
    order = np.argsort(probabilities, kind="stable")
    cumulated = np.cumsum(weights[order])
    places = np.searchsorted(cumulated, cumulated[-1] * np.arange(1, bins) / bins)
    edges = np.unique(probabilities[order][np.minimum(places, len(probabilities) - 1)])
    return np.searchsorted(edges, probabilities)


def calibration_ratio(outcomes: Any, probabilities: Any, weights: Any = None) -> float:
    """Calibration in the large: successes over expected successes; 1 is right."""
    y, p, w = _checked("calibration_ratio", outcomes, probabilities, weights)
    if not p.any():
        raise DataError("calibration_ratio: every probability is 0, so no success was expected")
    return float(w @ y / (w @ p))


def calibration_slope(outcomes: Any, probabilities: Any, weights: Any = None) -> float:
    """Slope of a logistic regression of outcomes on the logit of p (Cox 1958); 1 is right.

    Below 1 the probabilities are too extreme, above 1 too timid. Raises DataError also when
    probabilities are 0 or 1 or all the same, or separate the outcomes perfectly (no finite slope).
    """
    return float(calibration_line(outcomes, probabilities, weights)[0][1])


def calibration_line(
    outcomes: Any, probabilities: Any, weights: Any = None
) -> tuple[np.ndarray, np.ndarray]:
    """Intercept and slope (2,) of `calibration_slope`, and each row's influence on them (n, 2).

    The influence of row i is n·H⁻¹xᵢ(yᵢ − ŷᵢ) with H the curvature: to first order, what the mean
    of the influences over other rows adds to both. Raises DataError as calibration_slope does.
    """
    y, p, w = _checked("calibration_slope", outcomes, probabilities, weights)
    edge = np.count_nonzero((p == 0) | (p == 1))
    if edge:
        raise DataError(
            f"calibration_slope: {edge} of {len(p)} probabilities are 0 or 1, whose logit is "
            "infinite: keep probabilities within (0, 1)"
        )
    if np.ptp(p) == 0:
        raise DataError("calibration_slope: all probabilities are the same, so there is no slope")
    logit = np.log(p) - np.log1p(-p)
    x = np.column_stack([np.ones_like(p), logit])
    beta = np.array([0.0, 1.0])
    loss = _deviance(x @ beta, y, w)
    for _ in range(STEPS):
        fitted = _sigmoid(x @ beta)
        gradient = x.T @ (w * (y - fitted))
        curvature = x.T @ (x * (w * fitted * (1 - fitted))[:, None])
        if not np.linalg.cond(curvature) < 1e14:
            break
        step = np.linalg.solve(curvature, gradient)
        while (
            _deviance(x @ (beta + step), y, w) > loss * (1 + 1e-12) and np.abs(step).max() > 1e-12
        ):
            step = step / 2
        beta = beta + step
        loss = _deviance(x @ beta, y, w)
        if np.abs(step).max() <= 1e-10 * max(1.0, np.abs(beta).max()):
            score = (w * (y - _sigmoid(x @ beta)))[:, None] * x
            return beta, len(y) * np.linalg.solve(curvature, score.T).T
    raise DataError(
        "calibration_slope: no finite slope; the probabilities (nearly) separate the outcomes"
    )


METRICS: Mapping[str, Callable[..., float]] = {
    "auc": auc,
    "log_loss": log_loss,
    "brier": brier,
    "calibration_error": calibration_error,
    "calibration_ratio": calibration_ratio,
    "calibration_slope": calibration_slope,
}


def probability_metrics(
    outcomes: Any, probabilities: Any, weights: Any = None
) -> dict[str, float | NextBestError]:
    """All metrics by name; one that can't be computed is its error, which no gate lets pass."""
    found: dict[str, float | NextBestError] = {}
    for name, metric in METRICS.items():
        try:
            found[name] = metric(outcomes, probabilities, weights)
        except NextBestError as error:
            found[name] = error
    return found


def _checked(
    metric: str, outcomes: Any, probabilities: Any, weights: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    given = {"outcomes": outcomes, "probabilities": probabilities}
    given |= {} if weights is None else {"weights": weights}
    try:
        arrays = {name: np.asarray(values, dtype="float64") for name, values in given.items()}
    except (TypeError, ValueError) as error:
        raise DataError(f"{metric}: not numbers ({error})") from error
    shapes = {name: array.shape for name, array in arrays.items()}
    if len(set(shapes.values())) > 1 or len(arrays["outcomes"].shape) != 1:
        raise DataError(f"{metric}: give columns of one length; there are {shapes}")
    y, p = arrays["outcomes"], arrays["probabilities"]
    w = arrays.get("weights", np.ones(len(y)))
    if not len(y):
        raise DataError(f"{metric}: there are no rows")
    rules = {
        "outcomes": ((y == 0) | (y == 1), "0 or 1"),
        "probabilities": ((p >= 0) & (p <= 1), "within [0, 1]"),
        "weights": ((w > 0) & np.isfinite(w), "finite and above 0"),
    }
    problems = [
        f"{np.count_nonzero(~valid)} of {len(y)} {name} are not {meaning}, "
        f"the first is row {np.flatnonzero(~valid)[0]} ({arrays[name][np.flatnonzero(~valid)[0]]})"
        for name, (valid, meaning) in rules.items()
        if not valid.all()
    ]
    if problems:
        raise DataError(f"{metric}: " + "; ".join(problems))
    if y.min() == y.max():
        raise DataError(f"{metric}: all {len(y)} outcomes are {y[0]:g}; both kinds are needed")
    return y, p, w


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0, -x))


def _deviance(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
    return float(w @ (np.logaddexp(0, x) - y * x))
