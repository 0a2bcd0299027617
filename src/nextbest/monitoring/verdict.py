"""Whether a window has drifted: one clear answer, and what it rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

PSI, JS = "population_stability_index", "js_distance"
TEST_BESIDE = {PSI: "ks_test", JS: "chi_squared_test"}
NOT_COMPUTABLE = "not computable"
# In few rows many bins or categories are far apart by chance alone: a distance counts only when
# the test beside it says that it is this unlikely to be chance, shared by all columns (Bonferroni).
CHANCE = 1e-3
# Kolmogorov and Smirnov don't look at what is missing, the stability index does: where the share
# of nulls moved by this much (percentage points), their test explains nothing away.
NULLS = 1.0


@dataclass(frozen=True)
class Drifted:
    """A column past its threshold, or one whose drift is not computable (value NaN).

    words: what has happened, where a statistic and its value don't say so.
    """

    column: str
    statistic: str
    value: float
    threshold: float
    pvalue: float = 0.0  # of the test beside the statistic: Kolmogorov–Smirnov or χ²
    words: str = ""

    def past(self, columns: int) -> bool:
        """Whether it has drifted, as one of so many columns that were looked at."""
        return not self.value < self.threshold and not self.pvalue >= CHANCE / columns


@dataclass(frozen=True)
class Verdict:
    """The answer, its findings (worst first) and one sentence for the person on call.

    watched: columns past their threshold now, but in too few of the last windows to count. others:
    what no column tells: outcomes that contradict the model, a broken guardrail.
    """

    drifted: bool
    findings: tuple[Drifted, ...]
    text: str
    watched: tuple[Drifted, ...] = ()
    others: tuple[Drifted, ...] = ()


def matching(threshold: float) -> float:
    """The js_distance that corresponds to a population stability index of `threshold`.

    The index is Jeffreys' divergence J = Σ (p−q) ln(p/q). For small differences the
    Jensen–Shannon divergence is J/8 (nats); the distance is its root, in base 2: so
    √(threshold / (8 ln 2)), 0.19 for the customary 0.2. Source: Lin (1991), IEEE Trans. IT 37.
    """
    return math.sqrt(threshold / (8 * math.log(2)))


def judge_drift(
    rows: pd.DataFrame,
    columns: Sequence[str],
    threshold: float,
    *,
    windows: int = 1,
    of: int = 1,
) -> Verdict:
    """Judge the newest window by its BASELINE rows of drift_metrics, features and scores alike.

    Numbers drift at population_stability_index ≥ threshold, categories at js_distance ≥
    `matching(threshold)`, when the Kolmogorov–Smirnov or χ² test beside it says that this is no
    chance (or what is missing moved); the worst model version counts, slices don't. With `windows`
    K and `of` M a column must be past its threshold now and in K of the last M windows (in all,
    while there are fewer than K): what comes and goes, as weekends do with 3 of 4 days, is watched.
    Several windows are told apart by the column `window`. A column without a row, with a null or
    NaN statistic in any row, an empty window or no baseline is a finding "not computable" and
    drift, at once: what can't be computed has not passed. ValueError for a threshold that is not
    positive, for no columns, and for K and M that are not 1 ≤ K ≤ M.
    """
    if not threshold > 0 or not columns:
        raise ValueError(f"drift needs a positive threshold and columns: {threshold}, {columns}")
    if not 1 <= windows <= of:
        raise ValueError(f"drift in {windows} of the last {of} windows can't be")
    recent = _by_window(rows)[-of:]
    judged = measured(recent[-1], columns, threshold, len(columns))
    past = [found for found in judged if found.past(len(columns))]
    needed = min(windows, len(recent))
    counts = {found.column: 1 for found in past}
    for earlier in recent[:-1] if past and needed > 1 else ():
        names = list(counts)
        for found in measured(earlier, names, threshold, len(columns)):
            counts[found.column] += found.past(len(columns))
    findings = [f for f in past if math.isnan(f.value) or counts[f.column] >= needed]
    watched = [found for found in past if found not in findings]
    text = _text(findings, watched, len(columns), threshold, needed)
    return Verdict(bool(findings), tuple(findings), text, tuple(watched))


def _by_window(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of each window, oldest first; without a column `window` they are all of one."""
    if rows.empty or "window" not in rows.columns:
        return [rows]
    starts = rows["window"].map(lambda window: window["start"])
    return [rows[starts == start] for start in sorted(starts.unique())]


def measured(
    rows: pd.DataFrame, columns: Sequence[str], threshold: float, among: int
) -> list[Drifted]:
    """Each column's worst statistic, past its threshold or not; the most drifted first.

    Of model versions one that has drifted, as one of `among` columns, is worse than one whose
    distance is larger by chance.
    """
    by_column = _by_column(rows)
    found = [_worst(by_column.get(column, ()), column, threshold, among) for column in columns]
    return sorted(found, key=_severity, reverse=True)


def _severity(found: Drifted) -> float:
    return math.inf if math.isnan(found.value) else found.value / found.threshold


def _by_column(rows: pd.DataFrame) -> dict[str, list[dict]]:
    """The rows against the baseline that are of no slice, by their column."""
    needed = {"column_name", "drift_type", "slice_key"}
    if rows.empty or not needed <= set(rows.columns):
        return {}
    whole = rows[(rows["drift_type"] == "BASELINE") & rows["slice_key"].isna()]
    found: dict[str, list[dict]] = {}
    for row in whole.to_dict("records"):
        found.setdefault(row["column_name"], []).append(row)
    return found


def _worst(rows: Sequence[dict], column: str, threshold: float, among: int) -> Drifted:
    found = [_read(column, row, threshold) for row in rows]
    unknown = Drifted(column, NOT_COMPUTABLE, math.nan, threshold)
    return max(found, key=lambda each: (each.past(among), _severity(each)), default=unknown)


def _read(column: str, row: dict, threshold: float) -> Drifted:
    for statistic, limit in ((PSI, threshold), (JS, matching(threshold))):
        if not pd.isna(row.get(statistic)):
            chance = pvalue(row.get(TEST_BESIDE[statistic]))
            if statistic == PSI and not abs(_number(row.get("percent_null_delta"))) < NULLS:
                chance = 0.0
            return Drifted(column, statistic, float(row[statistic]), limit, chance)
    return Drifted(column, NOT_COMPUTABLE, math.nan, threshold)


def pvalue(test: Mapping | None) -> float:
    """Of a test in a row of drift_metrics; without one, chance explains nothing."""
    if test is None or isinstance(test, float) or pd.isna(test["pvalue"]):
        return 0.0
    return float(test["pvalue"])


def _number(value: float | None) -> float:
    """A delta of drift_metrics; a table that has none says nothing of it."""
    return 0.0 if value is None or pd.isna(value) else float(value)


def _text(
    findings: Sequence[Drifted],
    watched: Sequence[Drifted],
    columns: int,
    threshold: float,
    needed: int,
) -> str:
    limits = f"stability index {threshold:g}, Jensen–Shannon distance {matching(threshold):.3g}"
    also = f" Watched, not yet in {needed} windows: {_named(watched)}." if watched else ""
    if not findings:
        calm = columns - len(watched)
        return f"No drift: {calm} columns are within their thresholds ({limits}).{also}"
    moved = [found for found in findings if found.statistic != NOT_COMPUTABLE]
    unknown = [found.column for found in findings if found.statistic == NOT_COMPUTABLE]
    parts = []
    if moved:
        parts.append(
            f"{len(moved)} of {columns} columns moved past their threshold: {_named(moved)}"
        )
    if unknown:
        parts.append(f"not computable, so not passed: {', '.join(unknown)}")
    return f"Drift: {'; '.join(parts)} ({limits}).{also}"


def _named(found: Sequence[Drifted]) -> str:
    return ", ".join(f"{each.column} ({each.value:.3g})" for each in found)
