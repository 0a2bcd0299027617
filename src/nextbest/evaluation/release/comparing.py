"""Guardrails, slices and fairness: each a gate with its measurement, and a row for the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd

from nextbest.errors import DataError, NextBestError
from nextbest.evaluation.attempting import attempt, had
from nextbest.evaluation.gates import Gate, Measurement
from nextbest.evaluation.ope.diagnostics import diagnose
from nextbest.evaluation.ope.estimators import Estimate, lift, value_of
from nextbest.evaluation.ope.log import LOGGING
from nextbest.evaluation.ope.moments import Moments
from nextbest.evaluation.release.contest import CANDIDATE
from nextbest.evaluation.release.declared import VALUE, Fairness, Guardrail, Slices
from nextbest.evaluation.release.groups import Group, by_level
from nextbest.evaluation.release.scoring import Scored

DIGITS = 9  # of a lift in money


@dataclass(frozen=True)
class Line:
    """A gate with what it is held against; what the page draws, if it could be estimated.

    `limit` is in the unit of the estimate; `n` decisions.
    """

    gate: Gate
    measured: Measurement
    label: str
    estimate: Estimate | None = None
    limit: float | None = None
    n: int | None = None


def guardrail(
    asked: Guardrail,
    scored: Scored | NextBestError,
    part: np.ndarray,
    baseline: str,
    confidence: float,
) -> Line:
    """Upper end of the paired growth of a quantity, as a share of its mean in the log.

    Where the log has none of it, nothing may be added: its growth is 0, or has not passed.
    """
    gate = Gate(
        asked.name,
        f"{asked.quantity}_growth_high",
        "<=",
        asked.most,
        "the upper end of the paired interval, as a share of the log's mean, is within bounds",
    )

    def measure() -> tuple[float, Estimate, float]:
        moments = had(scored).moments(asked.quantity, part)
        growth = lift(moments, CANDIDATE, baseline, confidence=confidence)
        logged = value_of(moments, LOGGING, "on_policy").value
        if logged < 0:
            raise DataError(f"the log's mean of {asked.quantity} is {logged:g}, below 0")
        if logged == 0 and growth.high > 0:
            raise DataError(
                f"the log knows no {asked.quantity}, and the candidate may add {growth.high:.3g}"
            )
        return (growth.high / logged if logged else 0.0), growth, asked.most * logged

    found = attempt(measure)
    if isinstance(found, NextBestError):
        return Line(gate, found, asked.name)
    share, growth, limit = found
    return Line(gate, share, asked.name, growth, limit, growth.n)


def slices(
    asked: Sequence[Slices],
    rows: pd.DataFrame,
    scored: Scored | NextBestError,
    part: np.ndarray,
    baseline: str,
    confidence: float,
) -> tuple[Line, ...]:
    """The paired lift in every slice; refused where its interval shows a loss beyond what may be.

    Of m slices each has the confidence 1 − (1 − c)/m (Bonferroni), so that all of them together
    refuse a version that is worse nowhere in at most 1 − c of cases. What is thin, even pooled,
    and a level that was declared and is not there, have not passed.
    """
    found = [
        (each, attempt(lambda each=each: _slices(each, rows, had(scored), part))) for each in asked
    ]
    count = sum(1 if isinstance(groups, NextBestError) else len(groups) for _, groups in found)
    level = 1 - (1 - confidence) / max(count, 1)
    lines = []
    for each, groups in found:
        if isinstance(groups, NextBestError):
            lines.append(Line(_slice_gate(each, each.column), groups, each.column))
            continue
        lines += [_slice(each, group, baseline, level) for group in groups]
        lines += [_absent(each, name) for name in _missing(each, rows, part)]
    return tuple(lines)


def fairness(
    asked: Fairness,
    rows: pd.DataFrame,
    scored: Scored | NextBestError,
    part: np.ndarray,
    confidence: float,
) -> Line:
    """Lower end of the ratio of the lowest group's mean to the highest's, under the candidate.

    One-sided, by the delta method on the logarithm: groups are of different decisions.
    """
    gate = Gate(
        f"fairness of {asked.quantity} by {asked.column}",
        f"{asked.quantity}_ratio_low.{asked.column}",
        ">=",
        asked.least,
        "no group may come off so much worse than another",
    )

    def measure() -> tuple[float, Estimate]:
        groups = by_level(
            rows,
            had(scored),
            part,
            asked.column,
            asked.quantity,
            lambda moments: _few(moments, asked.min_rows),
        )
        if thin := [f"{group.name}: {group.thin}" for group in groups if group.thin]:
            raise DataError("; ".join(thin))
        if len(groups) < 2:
            raise DataError(f"there is one group only, {groups[0].name}: nothing to compare")
        means = [(value_of(each.moments, CANDIDATE, "dr"), each.name) for each in groups]
        (low, lowest), (high, highest) = (
            min(means, key=lambda pair: pair[0].value),
            max(means, key=lambda pair: pair[0].value),
        )
        if low.value <= 0:
            raise DataError(f"{lowest} has {low.value:.3g}, so there is no ratio to {highest}")
        ratio = low.value / high.value
        error = math.hypot(low.standard_error / low.value, high.standard_error / high.value)
        factor = math.exp(NormalDist().inv_cdf(confidence) * error)
        name = f"{lowest} over {highest}"
        estimate = Estimate(name, ratio, ratio / factor, ratio * factor, ratio * error, count)
        return estimate.low, estimate

    count = int(part.sum())
    found = attempt(measure)
    if isinstance(found, NextBestError):
        return Line(gate, found, gate.name)
    return Line(gate, found[0], gate.name, found[1], asked.least)


def _slices(
    asked: Slices, rows: pd.DataFrame, scored: Scored, part: np.ndarray
) -> tuple[Group, ...]:
    def thin(moments: Moments) -> str:
        facts = diagnose(moments, CANDIDATE)
        if facts.ess < asked.min_ess:
            return f"an effective sample of {facts.ess:.0f}, and must be {asked.min_ess:g}"
        if facts.positive_rewards < asked.min_positives:
            return f"{facts.positive_rewards} rewards, and must be {asked.min_positives:g}"
        return ""

    return by_level(rows, scored, part, asked.column, VALUE, thin, asked.edges)


def _missing(asked: Slices, rows: pd.DataFrame, part: np.ndarray) -> list[str]:
    there = set(rows[asked.column][part].astype("string"))
    return [level for level in asked.levels or () if level not in there]


def _slice_gate(asked: Slices, name: str) -> Gate:
    return Gate(
        f"slice {name}",
        f"lift_high.{name}",
        ">=",
        0.0 - asked.most_loss,
        "its whole interval, corrected for the number of slices, would lie below",
    )


def _slice(asked: Slices, group: Group, baseline: str, confidence: float) -> Line:
    gate = _slice_gate(asked, group.name)
    n = group.moments.n
    if group.thin:
        error = DataError(f"too thin, even pooled: {n} decisions, {group.thin}")
        return Line(gate, error, group.name, n=n)
    found = attempt(lambda: lift(group.moments, CANDIDATE, baseline, confidence=confidence))
    if isinstance(found, NextBestError):
        return Line(gate, found, group.name, n=n)
    # Two versions that choose alike differ by a rounding, which is no loss.
    return Line(gate, round(found.high, DIGITS), group.name, found, -asked.most_loss, n)


def _absent(asked: Slices, level: str) -> Line:
    name = f"{asked.column}={level}"
    error = DataError("the holdout has no decision of this slice, which was declared")
    return Line(_slice_gate(asked, name), error, name, n=0)


def _few(moments: Moments, least: int) -> str:
    return "" if moments.n >= least else f"{moments.n} decisions, and must be {least}"
