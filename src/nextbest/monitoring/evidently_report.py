"""The same windows in Evidently's report, for those who use it: an optional extra."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from nextbest.errors import DataError

INSTALL = "pip install 'nextbest[evidently]'"


def evidently_report(now: pd.DataFrame, baseline: pd.DataFrame, columns: Sequence[str]) -> str:
    """Evidently's data drift report (HTML) on `columns` of a window and of its baseline.

    Both frames have all columns; Evidently chooses its own tests, so its verdict may differ from
    ours. Raises DataError where it isn't installed, for missing columns and for an empty side.
    Source: Evidently 0.7, DataDriftPreset.
    """
    try:
        from evidently import Dataset, Report
        from evidently.presets import DataDriftPreset
    except ImportError as error:
        raise DataError(f"Evidently is not installed: {INSTALL}") from error
    sides = {"the window": now, "the baseline": baseline}
    problems = [f"{side} has no rows" for side, rows in sides.items() if rows.empty]
    problems += [
        f"{side} lacks {name}"
        for side, rows in sides.items()
        for name in columns
        if name not in rows.columns
    ]
    if problems:
        raise DataError(f"Evidently report: {'; '.join(problems)}")
    current, reference = (Dataset.from_pandas(rows[list(columns)]) for rows in sides.values())
    return str(Report([DataDriftPreset()]).run(current, reference).get_html_str(as_iframe=False))
