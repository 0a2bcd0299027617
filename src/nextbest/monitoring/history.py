"""Drift over days from drift_metrics, in thresholds: what sparklines and trends are drawn from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nextbest.monitoring.schemas import TABLE
from nextbest.monitoring.verdict import CHANCE, JS, PSI, matching

BARELY = 0.99  # where a distance past its threshold may be chance


def with_severity(rows: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Rows of drift_metrics with `statistic`, `value` and `severity` (value over its threshold).

    As the verdict reads them: the stability index, else the Jensen–Shannon distance, which stays
    below 1 where the χ² test beside it calls it chance. Unknown (NaN) where neither was computed.
    """
    psi, js = (pd.to_numeric(rows[name], errors="coerce") for name in (PSI, JS))
    value = psi.where(psi.notna(), js)
    severity = (psi / threshold).where(psi.notna(), js / matching(threshold))
    columns = max(rows["column_name"].nunique(), 1)
    tests = rows["chi_squared_test"] if "chi_squared_test" in rows else pd.Series(None, rows.index)
    pvalues = tests.map(_pvalue).astype(float)
    chance = psi.isna() & (pvalues >= CHANCE / columns)
    severity = severity.where(~chance, np.minimum(severity, BARELY))
    names = np.where(psi.notna(), PSI, np.where(js.notna(), JS, ""))
    return rows.assign(statistic=names, value=value, severity=severity)


def by_day(rows: pd.DataFrame, days: Sequence[str], threshold: float) -> pd.DataFrame:
    """Severity by column (index) and day (columns): BASELINE, all models and no slice.

    `rows` have `day` beside the columns of drift_metrics. NaN where there is no value.
    """
    if rows.empty:
        return pd.DataFrame(columns=list(days), dtype=float)
    whole = rows[
        (rows["drift_type"] == "BASELINE")
        & rows["slice_key"].isna()
        & (rows["column_name"] != TABLE)
    ]
    judged = with_severity(whole, threshold)
    wide = judged.pivot_table(
        index="column_name", columns="day", values="severity", aggfunc="max", dropna=False
    )
    return wide.reindex(columns=list(days)).astype(float)


def _pvalue(test: object) -> float:
    """Of a χ² test in a row; without one, chance explains nothing."""
    found = None if test is None or isinstance(test, float) else test["pvalue"]  # type: ignore[index]
    return 0.0 if found is None or found != found else float(found)
