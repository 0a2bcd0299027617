"""Whether a window has drifted: one clear answer, and what it rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

PSI, JS = "population_stability_index", "js_distance"
NOT_COMPUTABLE = "not computable"
# Many categories in few rows are far apart by chance alone: a distance counts only when it is
# this unlikely to be chance, shared by all columns (Bonferroni).
CHANCE = 1e-3


@dataclass(frozen=True)
class Drifted:
    """A column past its threshold, or one whose drift is not computable (value NaN)."""

    column: str
    statistic: str
    value: float
    threshold: float
    pvalue: float = 0.0  # of the χ² test beside a js_distance

    def past(self, columns: int) -> bool:
        """Whether it has drifted, as one of so many columns that were looked at."""
        return not self.value < self.threshold and not self.pvalue >= CHANCE / columns


@dataclass(frozen=True)
class Verdict:
    """The answer, its findings (worst first) and one sentence for the person on call."""

    drifted: bool
    findings: tuple[Drifted, ...]
    text: str


def matching(threshold: float) -> float:
    """The js_distance that corresponds to a population stability index of `threshold`.

    The index is Jeffreys' divergence J = Σ (p−q) ln(p/q). For small differences the
    Jensen–Shannon divergence is J/8 (nats); the distance is its root, in base 2: so
    √(threshold / (8 ln 2)), 0.19 for the customary 0.2. Source: Lin (1991), IEEE Trans. IT 37.
    """
    return math.sqrt(threshold / (8 * math.log(2)))


def judge_drift(rows: pd.DataFrame, columns: Sequence[str], threshold: float) -> Verdict:
    """Judge one window by its BASELINE rows of drift_metrics, features and scores alike.

    Numbers drift at population_stability_index ≥ threshold, categories at js_distance ≥
    `matching(threshold)` when the χ² test beside it says that this is no chance; the worst model
    version counts, slices don't. A column without a row, with a null or NaN statistic in any row,
    an empty window or no baseline is a finding "not computable" and drift: what can't be computed
    has not passed. ValueError for a threshold that is not positive or for no columns.
    """
    if not threshold > 0 or not columns:
        raise ValueError(f"drift needs a positive threshold and columns: {threshold}, {columns}")
    judged = measured(rows, columns, threshold)
    findings = [found for found in judged if found.past(len(columns))]
    return Verdict(bool(findings), tuple(findings), _text(findings, len(columns), threshold))


def measured(rows: pd.DataFrame, columns: Sequence[str], threshold: float) -> list[Drifted]:
    """Each column's worst statistic, past its threshold or not; the most drifted first."""
    found = [_worst(_of(rows, column), column, threshold) for column in columns]
    return sorted(found, key=_severity, reverse=True)


def _severity(found: Drifted) -> float:
    return math.inf if math.isnan(found.value) else found.value / found.threshold


def _of(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    needed = {"column_name", "drift_type", "slice_key", PSI, JS}
    if rows.empty or not needed <= set(rows.columns):
        return pd.DataFrame(columns=sorted(needed))
    whole = (rows["drift_type"] == "BASELINE") & rows["slice_key"].isna()
    return rows[whole & (rows["column_name"] == column)]


def _worst(rows: pd.DataFrame, column: str, threshold: float) -> Drifted:
    found = [_read(column, row, threshold) for row in rows.to_dict("records")]
    return max(found, key=_severity, default=Drifted(column, NOT_COMPUTABLE, math.nan, threshold))


def _read(column: str, row: dict, threshold: float) -> Drifted:
    for statistic, limit in ((PSI, threshold), (JS, matching(threshold))):
        if not pd.isna(row[statistic]):
            chance = row.get("chi_squared_test") if statistic == JS else None
            return Drifted(column, statistic, float(row[statistic]), limit, _pvalue(chance))
    return Drifted(column, NOT_COMPUTABLE, math.nan, threshold)


def _pvalue(test: Mapping | None) -> float:
    """Of a χ² test in a row of drift_metrics; without one, chance explains nothing."""
    return 0.0 if test is None or pd.isna(test["pvalue"]) else float(test["pvalue"])


def _text(findings: Sequence[Drifted], columns: int, threshold: float) -> str:
    limits = f"stability index {threshold:g}, Jensen–Shannon distance {matching(threshold):.3g}"
    if not findings:
        return f"No drift: {columns} columns are within their thresholds ({limits})."
    moved = [found for found in findings if found.statistic != NOT_COMPUTABLE]
    unknown = [found.column for found in findings if found.statistic == NOT_COMPUTABLE]
    parts = []
    if moved:
        named = ", ".join(f"{found.column} ({found.value:.3g})" for found in moved)
        parts.append(f"{len(moved)} of {columns} columns moved past their threshold: {named}")
    if unknown:
        parts.append(f"not computable, so not passed: {', '.join(unknown)}")
    return f"Drift: {'; '.join(parts)} ({limits})."
