"""Has the world changed what follows from the same inputs? Seen in outcomes, by mergeable sums."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from nextbest.errors import DataError

CHANCE = 1e-3  # of speaking without cause, shared by three tests
RATIO_BOUNDS = (0.67, 1.5)  # as the gate: seasons move the level of all treatments together
LEAST_SLOPE = 0.7
LEAST_POSITIVES = 30  # fewer say nothing about a slope, and a standard error is too small by chance


@dataclass(frozen=True)
class Foretold:
    """Sums over matured decisions of what a model foretold and what came; they add up.

    With residual r = y − p, variance v = p(1 − p) and logit l of p: Σ1, Σy, Σp, Σr, Σrl, Σv, Σvl,
    Σvl². They are the score and the information of a logistic recalibration at no correction.
    """

    n: float = 0.0
    came: float = 0.0
    expected: float = 0.0
    residual: float = 0.0
    residual_logit: float = 0.0
    variance: float = 0.0
    variance_logit: float = 0.0
    variance_logit2: float = 0.0

    def __add__(self, other: Foretold) -> Foretold:
        return Foretold(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True)
class Concept:
    """The answer: observed over expected and the calibration slope, each with its interval.

    moved: why the model no longer tells the truth, in words; "" while it does. `known` is False
    where there is too little to say so.
    """

    moved: str
    known: bool
    ratio: float
    ratio_low: float
    ratio_high: float
    slope: float
    slope_low: float
    slope_high: float
    text: str


def foretold(outcomes: Any, probabilities: Any) -> Foretold:
    """The sums of some decisions: outcomes 0 or 1, probabilities within (0, 1), of one length.

    Raises DataError for anything else, naming how many.
    """
    y, p = np.asarray(outcomes, dtype="float64"), np.asarray(probabilities, dtype="float64")
    if y.shape != p.shape:
        raise DataError(f"outcomes and probabilities differ in number: {y.shape}, {p.shape}")
    wrong = int(np.count_nonzero(~((y == 0) | (y == 1)) | ~((p > 0) & (p < 1))))
    if wrong:
        raise DataError(
            f"{wrong} of {len(y)} decisions have an outcome that is not 0 or 1, or a probability "
            "that is not within (0, 1)"
        )
    logit, variance, residual = np.log(p) - np.log1p(-p), p * (1 - p), y - p
    return Foretold(
        float(len(y)), float(y.sum()), float(p.sum()), float(residual.sum()),
        float(residual @ logit), float(variance.sum()), float(variance @ logit),
        float(variance @ logit**2),
    )  # fmt: skip


def judge_concept(windows: Sequence[Foretold], *, chance: float = CHANCE) -> Concept:
    """Whether outcomes contradict the model beyond what seasons do and chance explains.

    windows: oldest first. The newest alone, the last two, … and all of them together are looked
    at, so that what is plain is seen at once and what is not is seen when enough has come; they
    share `chance` (Bonferroni). The answer is of the fewest windows that speak, else of all.
    Raises DataError for no window.
    """
    if not windows:
        raise DataError("no window of matured decisions to judge the model by")
    spans = [sum(windows[-last:], Foretold()) for last in range(1, len(windows) + 1)]
    judged = [_judge(sums, chance / len(spans)) for sums in spans]
    return next((each for each in judged if each.moved), judged[-1])


def _judge(sums: Foretold, chance: float) -> Concept:
    """The answer of some decisions together.

    The ratio observed / expected has the interval of a Poisson count on the log scale; the slope
    is one Newton step of Cox's recalibration (1958) from slope 1, exact to first order, with the
    standard error of its information. Moved: an interval wholly beyond RATIO_BOUNDS, or below
    LEAST_SLOPE; three one-sided tests share `chance` (Bonferroni). Fewer than LEAST_POSITIVES
    expected or observed events are not known to have moved, and not known to be still.
    """
    z = float(norm.isf(chance / 3))
    unknown = (math.nan, math.nan, math.nan)
    if min(sums.came, sums.expected) < LEAST_POSITIVES:
        # A level that is off by this much needs no slope to be seen.
        ratio = _ratio(sums, z) if sums.expected >= LEAST_POSITIVES else unknown
        gone = ratio[2] < RATIO_BOUNDS[0]
        moved = _level(sums, ratio) if gone else ""
        few = f"{sums.came:,.0f} events came, {sums.expected:,.1f} were foretold: too few to tell"
        return Concept(moved, gone, *ratio, *unknown, moved or few)
    ratio, slope = _ratio(sums, z), _slope(sums, z)
    found = []
    if ratio[1] > RATIO_BOUNDS[1] or ratio[2] < RATIO_BOUNDS[0]:
        found.append(_level(sums, ratio))
    if slope[2] < LEAST_SLOPE:
        found.append(
            f"who was foretold to respond more hardly does (calibration slope {slope[0]:.2f} "
            f"[{slope[1]:.2f}, {slope[2]:.2f}], at least {LEAST_SLOPE:g} is needed)"
        )
    calm = f"{sums.came:,.0f} events came, {sums.expected:,.0f} were foretold; slope {slope[0]:.2f}"
    return Concept("; ".join(found), True, *ratio, *slope, "; ".join(found) or calm)


def _ratio(sums: Foretold, z: float) -> tuple[float, float, float]:
    came = max(sums.came, 0.5)
    ratio, spread = sums.came / sums.expected, z / math.sqrt(came)
    return ratio, came / sums.expected * math.exp(-spread), came / sums.expected * math.exp(spread)


def _slope(sums: Foretold, z: float) -> tuple[float, float, float]:
    information = np.array(
        [[sums.variance, sums.variance_logit], [sums.variance_logit, sums.variance_logit2]]
    )
    if not np.linalg.cond(information) < 1e12:  # one probability for all: it has no slope
        return math.nan, -math.inf, math.inf
    inverse = np.linalg.inv(information)
    slope = 1 + float((inverse @ [sums.residual, sums.residual_logit])[1])
    spread = z * math.sqrt(float(inverse[1, 1]))
    return slope, slope - spread, slope + spread


def _level(sums: Foretold, ratio: tuple[float, float, float]) -> str:
    return (
        f"{sums.came:,.0f} events came where {sums.expected:,.0f} were foretold (ratio "
        f"{ratio[0]:.2f} [{ratio[1]:.2f}, {ratio[2]:.2f}], {RATIO_BOUNDS[0]:g} to "
        f"{RATIO_BOUNDS[1]:g} is borne)"
    )
