"""The same moments kept apart by a segment of the decisions: they add up to those of the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nextbest.errors import DataError, NextBestError
from nextbest.evaluation.ope.diagnostics import evidence
from nextbest.evaluation.ope.log import LoggedBatch
from nextbest.evaluation.ope.moments import Moments, fold, merged
from nextbest.evaluation.ope.terms import SHRINKAGES, Shrinkage
from nextbest.evaluation.ope.value import PolicyValue, evaluate

NO_SEGMENT = "(none)"  # of rows whose segment is null: they count, too
MANY = 1000  # more segments than this are identifiers


@dataclass(frozen=True)
class SegmentValue:
    """A segment's decisions, its values, and the reasons why these can't be relied on (none: go).

    value: None where nothing can be estimated at all; the reason says why.
    """

    segment: str
    n: int
    value: PolicyValue | None
    reasons: tuple[str, ...]


def fold_by(
    log: LoggedBatch, segments: object, shrinkages: tuple[Shrinkage, ...] = SHRINKAGES
) -> dict[str, Moments]:
    """Moments of a batch by segment; `segments` is one value per decision, null among them.

    Null is the segment (none); one that is called so stands in quotes.
    Raises DataError when there are more than 1,000, or when the length is not that of the log.
    """
    texts = pd.Series(segments).astype("string")
    texts = texts.replace(NO_SEGMENT, repr(NO_SEGMENT)).fillna(NO_SEGMENT)
    codes, names = pd.factorize(texts, sort=True)
    if len(codes) != len(log):
        raise DataError(f"segments: {len(codes)} values for {len(log)} decisions")
    check_count(len(names))
    if not len(codes):
        return {}
    order = np.argsort(codes, kind="stable")
    cuts = np.cumsum(np.bincount(codes, minlength=len(names)))[:-1]
    return {
        str(name): fold(log.take(rows), shrinkages)
        for name, rows in zip(names, np.split(order, cuts), strict=True)
    }


def check_count(count: int) -> None:
    """Raise DataError when there are too many segments to be any."""
    if count > MANY:
        raise DataError(
            f"segments: more than {MANY:,} different values; name a column with few of them"
        )


def merged_by(*parts: Mapping[str, Moments]) -> dict[str, Moments]:
    """Moments by segment of several parts of a log together, sorted by segment."""
    names = sorted({name for part in parts for name in part})
    check_count(len(names))
    return {name: merged([part[name] for part in parts if name in part]) for name in names}


def evaluate_segments(
    by_segment: Mapping[str, Moments],
    policy: str,
    *,
    min_ess: float,
    min_positives: float = 100,
    confidence: float = 0.95,
) -> tuple[SegmentValue, ...]:
    """Each segment held to the conditions of a whole log: a tiny one is shown as refused."""
    return tuple(
        _evaluate(name, moments, policy, min_ess, min_positives, confidence)
        for name, moments in by_segment.items()
    )


def _evaluate(
    name: str,
    moments: Moments,
    policy: str,
    min_ess: float,
    min_positives: float,
    confidence: float,
) -> SegmentValue:
    try:
        value = evaluate(moments, policy, confidence=confidence)
    except NextBestError as error:
        return SegmentValue(name, moments.n, None, (str(error),))
    return SegmentValue(name, moments.n, value, evidence(value.diagnostics, min_ess, min_positives))
