"""All measures of two versions on one set of decisions: as a whole, and slice by slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nextbest.decisions.heads import Head
from nextbest.errors import NextBestError
from nextbest.evaluation.comparison.correction import benjamini_hochberg
from nextbest.evaluation.comparison.measures import Compared, corrected
from nextbest.evaluation.comparison.measuring import compare_head, compare_value
from nextbest.evaluation.comparison.scoring import log_of

LEAST = 30  # decisions of a slice that is tested at all
LEVELS = 12  # an attribute with more is no segment


@dataclass(frozen=True, eq=False)
class Judged:
    """Decisions that both versions were asked about.

    rows: decided_at, treatment, propensity, value, an outcome column per head, and the segments;
    scored: as of `scoring.score_both`; segments: columns of rows that tell slices apart.
    """

    rows: pd.DataFrame
    scored: pd.DataFrame
    heads: tuple[Head, ...]
    segments: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def where(self, mask: np.ndarray) -> Judged:
        """The decisions of a bool mask (n,) alone."""
        return Judged(self.rows[mask], self.scored[mask], self.heads, self.segments)

    def outcome(self, head: Head) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Outcome and both probabilities where a head can happen at all, and the days of those."""
        asked = np.ones(len(self), dtype=bool)
        if head.needs_contact:
            asked = (self.rows["treatment"] != "none").to_numpy()
        both = (self.scored[f"p_{name}.{head.name}"] for name in ("first", "second"))
        found = (self.rows[head.kind], *both)
        return (*(each.to_numpy(dtype=float)[asked] for each in found), self.days[asked])

    @property
    def days(self) -> np.ndarray:
        """The day (UTC) of each decision."""
        moments = pd.to_datetime(self.rows["decided_at"], utc=True)
        return moments.dt.tz_localize(None).to_numpy().astype("datetime64[D]")


@dataclass(frozen=True)
class Failed:
    """A measure that can't be computed, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Slice:
    """A measure on the decisions of one segment."""

    attribute: str
    segment: str
    compared: Compared


def compare_all(
    judged: Judged, metrics: Sequence[str], confidence: float, *, checks: bool = True, seed: int = 0
) -> tuple[list[Compared], list[Failed]]:
    """Every metric, of each head where it is one of probabilities; with what could not be told."""
    found, failed = [], []
    for metric in metrics:
        if metric == "value":
            days = judged.days if checks else None
            try:
                log = log_of(judged.rows, judged.scored)
                found.append(compare_value(log, days, confidence, seed))
            except NextBestError as error:
                failed.append(Failed(metric, str(error)))
            continue
        for head in judged.heads:
            y, first, second, days = judged.outcome(head)
            try:
                found.append(compare_head(
                    metric, head.name, y, first, second, days if checks else None, confidence, seed
                ))  # fmt: skip
            except NextBestError as error:
                failed.append(Failed(f"{metric} ({head.name})", str(error)))
    return found, failed


def compare_slices(
    judged: Judged, metrics: Sequence[str], confidence: float
) -> tuple[list[Slice], list[Failed]]:
    """Every metric on every segment of 30 decisions or more, their p-values corrected together.

    Benjamini and Hochberg's correction: it is a list of suspects. What is too thin to be compared
    is among the failed.
    """
    slices, failed = [], []
    for attribute in judged.segments:
        segments = judged.rows[attribute].astype("string").fillna("(none)")
        for segment in sorted(segments.unique()):
            mask = (segments == segment).to_numpy(dtype=bool)
            if mask.sum() < LEAST:
                failed.append(Failed(f"{attribute} {segment}", f"{mask.sum()} decisions"))
                continue
            found, lacking = compare_all(judged.where(mask), metrics, confidence, checks=False)
            slices += [Slice(attribute, str(segment), each) for each in found]
            failed += [Failed(f"{each.name}, {attribute} {segment}", each.reason)
                       for each in lacking]  # fmt: skip
    p = benjamini_hochberg([each.compared.test.p_value for each in slices])
    adjusted = corrected([each.compared for each in slices], p)
    return [
        Slice(each.attribute, each.segment, compared)
        for each, compared in zip(slices, adjusted, strict=True)
    ], failed


def segments_of(rows: pd.DataFrame, columns: Sequence[str]) -> tuple[str, ...]:
    """Columns with texts or yes and no, and 2 to 12 different ones."""
    found = []
    for name in columns:
        kind = rows[name].dtype
        text = pd.api.types.is_string_dtype(kind) or isinstance(kind, pd.CategoricalDtype)
        if (text or pd.api.types.is_bool_dtype(kind)) and 2 <= rows[name].nunique() <= LEVELS:
            found.append(name)
    return tuple(found)
