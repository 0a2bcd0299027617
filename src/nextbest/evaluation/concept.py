"""Has the world changed what follows from the same inputs? Seen in outcomes, by mergeable sums."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2, ncx2, norm

from nextbest.errors import DataError
from nextbest.evaluation.foretold import Cells, Foretold
from nextbest.evaluation.tilt import judge_tilt

CHANCE = 2e-3  # of speaking without cause, shared by four tests of each span
RATIO_BOUNDS = (0.67, 1.5)  # as the gate: seasons move the level of all treatments together
LEAST_SLOPE = 0.7
MISFIT = 0.2  # root mean square of what the cells of a mix are off by: so much is borne
TILT = 0.3  # the same of all that features tell of single decisions together
LEAST_EXPECTED = 5.0  # events of a cell; rarer ones count with the next, as χ² wants it
WORST = 10  # cells that are shown of a mix
LEAST_POSITIVES = 30  # fewer say nothing about a slope, and a standard error is too small by chance


@dataclass(frozen=True)
class Otherwise:
    """A mix of which other responses came than were foretold.

    by: what decisions are told apart by; cells: name, what came and what was foretold at the level
    of all, the WORST of them first; beyond: how many times χ² is its bound.
    """

    by: str
    cells: tuple[tuple[str, float, float], ...]
    beyond: float
    text: str


@dataclass(frozen=True)
class Concept:
    """The answer: observed over expected and the calibration slope, each with its interval.

    moved: why the model no longer tells the truth, in words; "" while it does. `known` is False
    where there is too little to say so. otherwise: the mixes that tell of it, the plainest first.
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
    otherwise: tuple[Otherwise, ...] = ()


def judge_concept(
    windows: Sequence[Foretold], *, chance: float = CHANCE, misfit: float = MISFIT
) -> Concept:
    """Whether outcomes contradict the model beyond what seasons do and chance explains.

    windows: oldest first. The newest alone, the last two, … and all of them together are looked
    at, so that what is plain is seen at once and what is not is seen when enough has come; they
    share `chance` (Bonferroni). The answer is of the fewest windows that speak, else of all.
    misfit: the root mean square of what the cells of a mix may be off by, relative to all. Raises
    DataError for no window.
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
    information. Moved: an interval wholly beyond RATIO_BOUNDS, or below LEAST_SLOPE, or a mix
    beyond `misfit`, or features together beyond TILT. The two sides of the level, the slope, all
    mixes together, and features, where there are, share `chance` (Bonferroni). Fewer than
    LEAST_POSITIVES expected or observed events have neither slope nor mix nor features: they moved
    if their level did, and are not known to be still.
    """
    share = chance / (5 if sums.tilts else 4)
    unknown = (math.nan, math.nan, math.nan)
    few, many = sorted([sums.came, sums.expected])
    thin = f"{sums.came:,.0f} events came, {sums.expected:,.1f} were foretold: too few to tell"
    if many < LEAST_POSITIVES:
        return Concept("", False, *unknown, *unknown, thin)
    ratio = _ratio(sums, share)
    off = ratio[1] > RATIO_BOUNDS[1] or ratio[2] < RATIO_BOUNDS[0]
    found = [_level(sums, ratio)] if off else []
    if few < LEAST_POSITIVES:
        return Concept("".join(found), off, *ratio, *unknown, "".join(found) or thin)
    slope = _slope(sums, float(norm.isf(share)))
    if slope[2] < LEAST_SLOPE:
        found.append(
            f"who was foretold to respond more hardly does (calibration slope {slope[0]:.2f} "
            f"[{slope[1]:.2f}, {slope[2]:.2f}], at least {LEAST_SLOPE:g} is needed)"
        )
    mixes = _other_mixes(sums, share, misfit)
    if mixes:
        found.append(_told(mixes))
    if tilt := judge_tilt(sums.tilts, share, TILT):
        found.append(
            f"features together tell of other customers than were foretold to respond (most "
            f"{', '.join(tilt.by[:3])}; off by {tilt.off:.0%}, {TILT:.0%} is borne)"
        )
    calm = f"{sums.came:,.0f} events came, {sums.expected:,.0f} were foretold; slope {slope[0]:.2f}"
    return Concept("; ".join(found), True, *ratio, *slope, "; ".join(found) or calm, mixes)


def _ratio(sums: Foretold, chance: float) -> tuple[float, float, float]:
    """Observed over expected with the exact interval of a Poisson count (Garwood 1936)."""
    low = chi2.ppf(chance, 2 * sums.came) / 2 if sums.came else 0.0
    high = chi2.isf(chance, 2 * sums.came + 2) / 2
    return sums.came / sums.expected, float(low) / sums.expected, float(high) / sums.expected


def _other_mixes(sums: Foretold, chance: float, misfit: float) -> tuple[Otherwise, ...]:
    share = chance / max(len(sums.mixes), 1)
    judged = [_other_mix(by, cells, share, misfit) for by, cells in sums.mixes.items()]
    found = [each for each in judged if each is not None]
    return tuple(sorted(found, key=lambda each: (-each.beyond, each.by)))


def _told(mixes: Sequence[Otherwise]) -> str:
    first, *others = mixes
    more = f" and {len(others) - 3} more" if len(others) > 3 else ""
    also = f"; so they did by {', '.join(each.by for each in others[:3])}{more}" if others else ""
    return f"by {first.by}, other responses came than were foretold ({first.text}){also}"


def _other_mix(by: str, cells: Cells, chance: float, misfit: float) -> Otherwise | None:
    """Whether the cells of a mix are responded to otherwise than foretold; None where not.

    χ² of what came of the cells against what was foretold of them, scaled to the level of all
    (which seasons move), against the noncentral χ² of `misfit`: however many decisions there are,
    a smaller one is no finding.
    """
    totals = [sum(cell[side] for cell in cells.values()) for side in (0, 1)]
    level = totals[0] / totals[1] if totals[1] else 0.0
    parts = [(level * expected, came, (name,)) for name, (came, expected) in cells.items()]
    heapq.heapify(parts)
    while len(parts) > 1 and parts[0][0] < LEAST_EXPECTED:
        rare, some, last = heapq.heappop(parts)
        less_rare, more, first = parts[0]
        heapq.heapreplace(parts, (rare + less_rare, some + more, first + last))
    if len(parts) < 2:
        return None
    expected, came = np.array([part[:2] for part in sorted(parts)]).T
    distance = float(((came - expected) ** 2 / expected).sum())
    bound = float(ncx2.isf(chance, len(parts) - 1, misfit**2 * expected.sum()))
    if distance <= bound:
        return None
    names = [_named(part[2]) for part in sorted(parts)]
    worst = np.argsort(-np.abs(came - expected) / np.sqrt(expected))[:WORST]
    rows = tuple((names[at], float(came[at]), float(expected[at])) for at in worst)
    told = ", ".join(f"{name}: {some:,.0f} for {many:,.0f}" for name, some, many in rows[:3])
    off = math.sqrt(distance / expected.sum())
    return Otherwise(by, rows, distance / bound, f"{told}; off by {off:.0%}, {misfit:.0%} is borne")


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
