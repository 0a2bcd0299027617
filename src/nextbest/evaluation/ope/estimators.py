"""Values of policies and their intervals, all from the moments of a log.

Every estimator is a function of the mean of z. Its influence on a row is g·(z − z̄), with g the
gradient of that function at z̄ (the delta method, which for means is exact), so its variance is
gᵀ Cov(z) g / n = ‖R g‖² / (n (n − 1)); a paired lift is the difference of two values and of two
gradients on the same rows. Intervals take q̂ as fixed: fit it on other decisions (`crossfit.py`).

An interval is the normal one, widened on the side of the long tail by the Edgeworth term
γ(1 + 2z²)/(6√n) standard errors (Hall 1992, with the skewness γ of the influence). The other side
stays: few large weights hide what would lie there, and to move it cost coverage in trials.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from nextbest.errors import DataError, SettingsError
from nextbest.evaluation.ope.cubes import skewness
from nextbest.evaluation.ope.log import LOGGING
from nextbest.evaluation.ope.moments import Moments

WEIGHTED = ("ips", "snips")  # need no model; so do clipped weights
MODELLED = ("dr", "sndr", "dm")
UNBIASED = ("ips", "snips", "dr", "sndr", "on_policy", "mean_weight")  # the last: Σw/n, is it 1?


@dataclass(frozen=True)
class Estimate:
    """A value with its interval: name of the estimator, rewards per decision, n decisions.

    bias_bound: for clipped weights, E(w − min(w, λ)) · max |reward|: clipping can't have taken or
    added more (None: unbiased, or a bias that is seen through dr only).
    """

    name: str
    value: float
    low: float
    high: float
    standard_error: float
    n: int
    bias_bound: float | None = None


@dataclass(frozen=True, eq=False)
class Linear:
    """A value and its gradient by z̄."""

    value: float
    gradient: np.ndarray

    def __add__(self, other: Linear) -> Linear:
        return Linear(self.value + other.value, self.gradient + other.gradient)

    def __sub__(self, other: Linear) -> Linear:
        return Linear(self.value - other.value, self.gradient - other.gradient)


def available(moments: Moments) -> tuple[str, ...]:
    """Names of the estimators that the log's columns allow."""
    modelled = MODELLED if moments.layout.modelled else ()
    return (*WEIGHTED, *modelled, *(shrinkage.name for shrinkage in moments.layout.estimators))


def value_of(
    moments: Moments, policy: str, estimator: str, *, confidence: float = 0.95
) -> Estimate:
    """The value of a target policy by one estimator (of LOGGING: the mean of its rewards).

    ips Σwr/n; snips Σwr/Σw; dm Σq̄/n; dr Σ(q̄ + wd)/n; sndr Σq̄/n + Σwd/Σw; shrunk
    Σ(q̄ + s(w)d)/n; clipped Σ min(w, λ)r/n. The interval of dm and of the shrunk ones is no tighter
    than that of dr: it reaches from their own value over dr's interval, since their bias is seen
    only by dr's weighted residuals; so does that of clipped weights over the interval of ips.
    Raises DataError when the log is empty, the policy unknown, the columns don't allow the
    estimator, or a self-normalised one finds only weights of 0.
    """
    linear = _linear(moments, policy, estimator)
    unbiased = _linear(moments, policy, _unbiased(moments, estimator))
    bound = _bias_bound(moments, policy, estimator)
    return _estimate(moments, estimator, linear, unbiased, confidence, bound)


def lift(
    moments: Moments,
    policy: str,
    over: str = LOGGING,
    *,
    estimator: str = "dr",
    confidence: float = 0.95,
) -> Estimate:
    """Value of a policy minus that of another (or of LOGGING), paired on the same decisions.

    Raises DataError as `value_of` does.
    """
    linear = _linear(moments, policy, estimator) - _linear(moments, over, estimator)
    name = _unbiased(moments, estimator)
    unbiased = _linear(moments, policy, name) - _linear(moments, over, name)
    bounds = (_bias_bound(moments, each, estimator) for each in (policy, over))
    known = [bound for bound in bounds if bound is not None]
    return _estimate(
        moments, estimator, linear, unbiased, confidence, sum(known) if known else None
    )


def _linear(moments: Moments, policy: str, estimator: str) -> Linear:
    if not moments.n:
        raise DataError("the log is empty: no decision to evaluate a policy on")
    if policy == LOGGING:
        return _mean(moments, "reward")
    moments.place(policy)
    if estimator == "mean_weight":
        return _mean(moments, f"{policy}.w")
    if estimator not in available(moments):
        raise DataError(
            f"'{estimator}' can't be computed from this log; it allows "
            f"{', '.join(available(moments))}"
            + ("" if moments.layout.modelled else ", and more with q_logged and q_target")
        )
    if estimator == "ips":
        return _mean(moments, f"{policy}.wr")
    if estimator == "snips":
        return _ratio(moments, f"{policy}.wr", f"{policy}.w")
    if _clips(moments, estimator):
        return _shrunk(moments, _mean(moments, f"{policy}.wr"), 0.0, f"{policy}.{estimator}")
    model = _mean(moments, f"{policy}.q")
    if estimator == "dm":
        return model
    if estimator == "dr":
        return model + _mean(moments, f"{policy}.wd")
    if estimator == "sndr":
        return model + _ratio(moments, f"{policy}.wd", f"{policy}.w")
    unbiased = model + _mean(moments, f"{policy}.wd")
    return _shrunk(moments, unbiased, model.value, f"{policy}.{estimator}")


def _shrunk(moments: Moments, unbiased: Linear, model: float, term: str) -> Linear:
    cut = _mean(moments, term)
    left = float(moments.left[moments.at(term)]) / moments.n
    return Linear(model + left, unbiased.gradient - cut.gradient)


def _unbiased(moments: Moments, estimator: str) -> str:
    if estimator in UNBIASED:
        return estimator
    return "ips" if _clips(moments, estimator) else "dr"


def _clips(moments: Moments, estimator: str) -> bool:
    return any(s.name == estimator and not s.modelled for s in moments.layout.shrinkages)


def _bias_bound(moments: Moments, policy: str, estimator: str) -> float | None:
    if policy == LOGGING or not _clips(moments, estimator):
        return None
    return _mean(moments, f"{policy}.{estimator}.w").value * moments.largest_reward


def _mean(moments: Moments, term: str) -> Linear:
    gradient = np.zeros(len(moments.layout.names))
    gradient[moments.at(term)] = 1.0
    return Linear(float(moments.mean[moments.at(term)]), gradient)


def _ratio(moments: Moments, over: str, under: str) -> Linear:
    top, bottom = _mean(moments, over), _mean(moments, under)
    if bottom.value == 0:
        raise DataError(
            f"{under}: all {moments.n} weights are 0, so the target never chooses what was logged; "
            "nothing can be said of it from this log"
        )
    value = top.value / bottom.value
    return Linear(value, (top.gradient - value * bottom.gradient) / bottom.value)


def _estimate(
    moments: Moments,
    name: str,
    linear: Linear,
    unbiased: Linear,
    confidence: float,
    bias_bound: float | None,
) -> Estimate:
    low, high = _interval(moments, unbiased, confidence)
    return Estimate(
        name=name,
        value=linear.value,
        low=min(linear.value, low),
        high=max(linear.value, high),
        standard_error=moments.standard_error(linear.gradient),
        n=moments.n,
        bias_bound=bias_bound,
    )


def _interval(moments: Moments, linear: Linear, confidence: float) -> tuple[float, float]:
    if not 0 < confidence < 1:
        raise SettingsError(f"confidence is {confidence}; it must lie between 0 and 1, as .95 does")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    error = moments.standard_error(linear.gradient)
    if math.isinf(error):
        return -math.inf, math.inf
    skew = skewness(moments.cubes, moments.root, linear.gradient)
    # A skewness that can't be computed may be the largest there is, to both sides.
    down, up = (1.0, 1.0) if math.isnan(skew) else (max(0.0, -skew), max(0.0, skew))
    tail = (1 + 2 * z * z) / 6
    return linear.value - (z + tail * down) * error, linear.value + (z + tail * up) * error
