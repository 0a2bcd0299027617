"""Has the world changed what follows from the same inputs? Seen in outcomes, by mergeable sums."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from scipy.stats import chi2, ncx2, norm

from nextbest.errors import DataError

CHANCE = 2e-3  # of speaking without cause, shared by four tests of each span
RATIO_BOUNDS = (0.67, 1.5)  # as the gate: seasons move the level of all treatments together
LEAST_SLOPE = 0.7
MISFIT = 0.2  # root mean square of what treatments are off by, relative to all: so much is borne
LEAST_EXPECTED = 5.0  # events of a treatment; rarer ones count with the next, as χ² wants it
LEAST_POSITIVES = 30  # fewer say nothing about a slope, and a standard error is too small by chance


@dataclass(frozen=True)
class Foretold:
    """Sums over matured decisions of what a model foretold and what came; they add up.

    With residual r = y − p, variance v = p(1 − p) and logit l of p: Σ1, Σy, Σp, Σrl, Σv, Σvl, Σvl².
    They make the score and the information of a logistic recalibration at no correction.
    actions: (Σy, Σp) of each action or, finer, of each treatment.
    """

    n: float = 0.0
    came: float = 0.0
    expected: float = 0.0
    residual_logit: float = 0.0
    variance: float = 0.0
    variance_logit: float = 0.0
    variance_logit2: float = 0.0
    actions: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def __add__(self, other: Foretold) -> Foretold:
        summed = {name: getattr(self, name) + getattr(other, name) for name in SUMS}
        actions = dict(self.actions)
        for name, (came, expected) in other.actions.items():
            before = actions.get(name, (0.0, 0.0))
            actions[name] = (before[0] + came, before[1] + expected)
        return Foretold(**summed, actions=actions)


SUMS = tuple(each.name for each in fields(Foretold) if each.name != "actions")


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


def foretold(outcomes: Any, probabilities: Any, actions: Any = None) -> Foretold:
    """The sums of some decisions: outcomes 0 or 1, probabilities within (0, 1), of one length.

    actions: the name of each decision's action or treatment; None: of none in particular. Raises
    DataError for anything else, naming how many.
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
    logit, variance = np.log(p) - np.log1p(-p), p * (1 - p)
    return Foretold(
        float(len(y)), float(y.sum()), float(p.sum()),
        float((y - p) @ logit), float(variance.sum()), float(variance @ logit),
        float(variance @ logit**2), {} if actions is None else _by_action(y, p, actions),
    )  # fmt: skip


def _by_action(y: np.ndarray, p: np.ndarray, actions: Any) -> dict[str, tuple[float, float]]:
    names, at = np.unique(np.asarray(actions, dtype=object).astype(str), return_inverse=True)
    came, expected = np.bincount(at, y, len(names)), np.bincount(at, p, len(names))
    return dict(
        zip(names.tolist(), zip(came.tolist(), expected.tolist(), strict=True), strict=True)
    )


def judge_concept(
    windows: Sequence[Foretold], *, chance: float = CHANCE, misfit: float = MISFIT
) -> Concept:
    """Whether outcomes contradict the model beyond what seasons do and chance explains.

    windows: oldest first. The newest alone, the last two, … and all of them together are looked
    at, so that what is plain is seen at once and what is not is seen when enough has come; they
    share `chance` (Bonferroni). The answer is of the fewest windows that speak, else of all.
    misfit: the root mean square of what actions may be off by. Raises DataError for no window.
    """
    if not windows:
        raise DataError("no window of matured decisions to judge the model by")
    spans = [sum(windows[-last:], Foretold()) for last in range(1, len(windows) + 1)]
    judged = [_judge(sums, chance / len(spans), misfit) for sums in spans]
    return next((each for each in judged if each.moved), judged[-1])


def _judge(sums: Foretold, chance: float, misfit: float) -> Concept:
    """The answer of some decisions together.

    The ratio observed / expected has the interval of a Poisson count; the slope is one Newton step
    of Cox's recalibration (1958) from slope 1, exact to first order, with the standard error of its
    information. Moved: an interval wholly beyond RATIO_BOUNDS, or below LEAST_SLOPE, or a mix of
    actions beyond `misfit`; four tests share `chance` (Bonferroni). Fewer than LEAST_POSITIVES
    expected or observed events have no slope and no mix: they moved if their level did, and are
    not known to be still.
    """
    z = float(norm.isf(chance / 4))
    unknown = (math.nan, math.nan, math.nan)
    few, many = sorted([sums.came, sums.expected])
    thin = f"{sums.came:,.0f} events came, {sums.expected:,.1f} were foretold: too few to tell"
    if many < LEAST_POSITIVES:
        return Concept("", False, *unknown, *unknown, thin)
    ratio = _ratio(sums, chance / 4)
    off = ratio[1] > RATIO_BOUNDS[1] or ratio[2] < RATIO_BOUNDS[0]
    found = [_level(sums, ratio)] if off else []
    if few < LEAST_POSITIVES:
        return Concept("".join(found), off, *ratio, *unknown, "".join(found) or thin)
    slope = _slope(sums, z)
    if slope[2] < LEAST_SLOPE:
        found.append(
            f"who was foretold to respond more hardly does (calibration slope {slope[0]:.2f} "
            f"[{slope[1]:.2f}, {slope[2]:.2f}], at least {LEAST_SLOPE:g} is needed)"
        )
    if mix := _other_mix(sums, chance / 4, misfit):
        found.append(mix)
    calm = f"{sums.came:,.0f} events came, {sums.expected:,.0f} were foretold; slope {slope[0]:.2f}"
    return Concept("; ".join(found), True, *ratio, *slope, "; ".join(found) or calm)


def _ratio(sums: Foretold, chance: float) -> tuple[float, float, float]:
    """Observed over expected with the exact interval of a Poisson count (Garwood 1936)."""
    low = chi2.ppf(chance, 2 * sums.came) / 2 if sums.came else 0.0
    high = chi2.isf(chance, 2 * sums.came + 2) / 2
    return sums.came / sums.expected, float(low) / sums.expected, float(high) / sums.expected


def _other_mix(sums: Foretold, chance: float, misfit: float) -> str:
    """Which actions are responded to otherwise than foretold, relative to all; "" where none is.

    χ² of the actions' counts against what was foretold of them, scaled to the level of all (which
    seasons move), against the noncentral χ² of `misfit`: however many decisions there are, a
    smaller one is no finding.
    """
    level = sums.came / sums.expected
    cells = sorted(
        (level * expected, came, (name,)) for name, (came, expected) in sums.actions.items()
    )
    while len(cells) > 1 and cells[0][0] < LEAST_EXPECTED:
        (rare, some, last), (less_rare, more, first) = cells[:2]
        cells = sorted([*cells[2:], (rare + less_rare, some + more, first + last)])
    if len(cells) < 2:
        return ""
    expected, came = np.array([cell[:2] for cell in cells]).T
    distance = float(((came - expected) ** 2 / expected).sum())
    if distance <= ncx2.isf(chance, len(cells) - 1, misfit**2 * expected.sum()):
        return ""
    worst = np.argsort(-np.abs(came - expected) / np.sqrt(expected))[:3]
    told = ", ".join(
        f"{_named(cells[at][2])} {came[at]:,.0f} for {expected[at]:,.0f}" for at in worst
    )
    off = math.sqrt(distance / expected.sum())
    return (
        f"other actions are responded to than foretold ({told}; off by {off:.0%}, {misfit:.0%} "
        "is borne)"
    )


def _named(names: tuple[str, ...]) -> str:
    """Those that are counted together, the most frequent first."""
    return " or ".join(names) if len(names) < 3 else f"{names[0]} or {len(names) - 1} rarer ones"


def _slope(sums: Foretold, z: float) -> tuple[float, float, float]:
    information = np.array(
        [[sums.variance, sums.variance_logit], [sums.variance_logit, sums.variance_logit2]]
    )
    if not np.linalg.cond(information) < 1e12:  # one probability for all: it has no slope
        return math.nan, -math.inf, math.inf
    inverse = np.linalg.inv(information)
    score = [sums.came - sums.expected, sums.residual_logit]
    slope = 1 + float((inverse @ score)[1])
    spread = z * math.sqrt(float(inverse[1, 1]))
    return slope, slope - spread, slope + spread


def _level(sums: Foretold, ratio: tuple[float, float, float]) -> str:
    return (
        f"{sums.came:,.0f} events came where {sums.expected:,.0f} were foretold (ratio "
        f"{ratio[0]:.2f} [{ratio[1]:.2f}, {ratio[2]:.2f}], {RATIO_BOUNDS[0]:g} to "
        f"{RATIO_BOUNDS[1]:g} is borne)"
    )
