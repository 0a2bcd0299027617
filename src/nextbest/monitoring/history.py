"""Drift over days from drift_metrics, in thresholds: what sparklines and trends are drawn from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nextbest.monitoring.schemas import TABLE
from nextbest.monitoring.verdict import CHANCE, JS, NULLS, PSI, TEST_BESIDE, matching, pvalue

BARELY = 0.99  # where a distance past its threshold may be chance


def with_severity(rows: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Rows of drift_metrics with `statistic`, `value` and `severity` (value over its threshold).

    As the verdict reads them: the stability index, else the Jensen–Shannon distance; below 1 where
    the test beside it calls it chance, unless the share of nulls moved, of which
    Kolmogorov–Smirnov knows nothing. Unknown (NaN) where neither was computed. A column that
    `rows` lack is null.
    """
    psi, js, nulls = (
        (
            pd.to_numeric(rows[name], errors="coerce")
            if name in rows
            else pd.Series(np.nan, rows.index)
        )
        for name in (PSI, JS, "percent_null_delta")
    )
    value = psi.where(psi.notna(), js)
    severity = (psi / threshold).where(psi.notna(), js / matching(threshold))
    columns = max(rows.loc[rows["column_name"] != TABLE, "column_name"].nunique(), 1)
    of_psi, of_js = (
        rows[name].map(pvalue).astype(float) if name in rows else pd.Series(0.0, rows.index)
        for name in (TEST_BESIDE[PSI], TEST_BESIDE[JS])
    )
    of_psi = of_psi.where(~(nulls.abs() >= NULLS), 0.0)
    chance = of_psi.where(psi.notna(), of_js) >= CHANCE / columns
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
    judged = with_severity(whole, threshold).fillna({"severity": np.inf})  # of versions the worst
    wide = judged.pivot_table(
        index="column_name", columns="day", values="severity", aggfunc="max", dropna=False
    )
    return wide.reindex(columns=list(days)).astype(float).replace(np.inf, np.nan)
