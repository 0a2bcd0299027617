"""The drill-down of a day's page: each column in full, and each slice with what moved in it."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

import pandas as pd

from nextbest.monitoring.history import with_severity
from nextbest.monitoring.page_style import number, table
from nextbest.monitoring.report_plots import distribution, history_plot, sparkline
from nextbest.monitoring.schemas import TABLE
from nextbest.monitoring.verdict import NOT_COMPUTABLE, Drifted

FEW = 8  # rows of a list of the worst
NAMES = {
    "population_stability_index": "stability index", "js_distance": "Jensen–Shannon distance",
    "ks_test": "Kolmogorov–Smirnov", "wasserstein_distance": "Wasserstein distance",
    "chi_squared_test": "χ²", "tv_distance": "total variation", "l_infinity_distance": "L∞",
    "count_delta": "count, change", "avg_delta": "mean, change",
    "percent_null_delta": "null %, change", "percent_zeros_delta": "zeros %, change",
    "percent_distinct_delta": "distinct %, change",
}  # fmt: skip
FACTS = (
    ("count", "values", ""), ("avg", "mean", ""), ("stddev", "std. deviation", ""),
    ("min", "least", ""), ("median", "median", ""), ("max", "greatest", ""),
    ("percent_null", "null", "%"), ("percent_nan", "NaN", "%"), ("percent_zeros", "zeros", "%"),
    ("distinct_count", "distinct values", ""),
)  # fmt: skip


@dataclass(frozen=True)
class Sides:
    """Profile rows of one column: now, in the window before, at baseline; {} for none."""

    now: Mapping = field(default_factory=dict)
    prev: Mapping = field(default_factory=dict)
    base: Mapping = field(default_factory=dict)


def columns_section(
    shown: Sequence[Drifted],
    drifted: Container[str],
    profiles: Mapping[str, Sides],
    past: pd.DataFrame,
    now: pd.DataFrame,
    slices: pd.DataFrame,
) -> str:
    """Columns in the order given: a line each with its drift over days, all else behind it.

    past: severities by column and day (history.by_day); now: the last day's rows of drift_metrics;
    slices: measured_slices.
    """
    today, sliced = (
        dict(list(rows.groupby("column_name"))) if len(rows) else {} for rows in (now, slices)
    )
    return "".join(
        _details(
            found, found.column in drifted, profiles.get(found.column, Sides()), past,
            today.get(found.column, now.head(0)), sliced.get(found.column, slices.head(0)),
        )
        for found in shown
    )  # fmt: skip


def _details(
    found: Drifted,
    drifted: bool,
    sides: Sides,
    past: pd.DataFrame,
    today: pd.DataFrame,
    slices: pd.DataFrame,
) -> str:
    name, days = found.column, list(past.columns)
    known = found.statistic != NOT_COMPUTABLE
    series = list(past.loc[name]) if name in past.index else [float("nan")] * len(days)
    kind = NAMES.get(found.statistic, found.statistic)
    value = f"{found.value:.3f}" if known else "–"
    told = f"{kind} of {name} over {len(days)} days, last {value}, threshold {found.threshold:.3g}"
    head = (
        f'<details class="col{" over" * drifted}" id="c-{escape(name)}" '
        f'data-name="{escape(name.lower())}"><summary><b>{escape(name)}</b>'
        f'<span class="kind dim">{escape(kind)}</span><span class="value">{value}</span>'
        f'<span class="spark-cell">{sparkline(series, told)}</span></summary>'
    )
    drawn = {
        side: row
        for side, row in (("base", sides.base), ("prev", sides.prev), ("now", sides.now))
        if row
    }
    limit = f"threshold {found.threshold:.3g}" if known else "no threshold can be applied"
    parts = (
        _figure(distribution(drawn, f"distribution of {name}: now, before, at baseline"),
                "Distribution now, before and at baseline"),
        _figure(history_plot(series, days, told), f"Drift in thresholds over days ({limit})"),
        _facts(sides), _statistics(today), _worst_slices(slices),
    )  # fmt: skip
    return f'{head}<div class="body">{"".join(parts)}</div></details>'


def measured_slices(sliced: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """BASELINE rows of drift_metrics by slice, with their severity (history.with_severity)."""
    if sliced.empty:
        return sliced
    against = (sliced["drift_type"] == "BASELINE") & (sliced["column_name"] != TABLE)
    return with_severity(sliced[against], threshold).dropna(subset=["severity"])


def slice_section(rows: pd.DataFrame) -> str:
    """Each slice of measured_slices with the columns that moved most; the worst slices first."""
    if rows.empty:
        return ""
    parts = []
    order = rows.groupby(["slice_key", "slice_value"], dropna=False)["severity"].max()
    by_slice = dict(list(rows.groupby(["slice_key", "slice_value"], dropna=False)))
    for key in order.sort_values(ascending=False).index:
        its = by_slice[key].sort_values("severity", ascending=False)
        over = int((its["severity"] >= 1).sum())
        cells = [_slice_cells(row["column_name"], row) for row in its.head(FEW).to_dict("records")]
        mood = f'<span class="bad">{over} past their threshold</span>' if over else "none moved"
        parts.append(
            f"<details><summary>{escape(_slice_name(*key))} · {mood}</summary>"
            + table(("column", "statistic", "value", "in thresholds"), cells, texts=2)
            + "</details>"
        )
    return f'<h2 id="slices">Slices, worst first</h2>{"".join(parts)}'


def _figure(drawn: str, caption: str) -> str:
    return "" if drawn == "–" else f"<figure>{drawn}<figcaption>{caption}</figcaption></figure>"


def _facts(sides: Sides) -> str:
    rows = [
        [words, *(number(side.get(key), unit) for side in (sides.now, sides.prev, sides.base))]
        for key, words, unit in FACTS
        if any(number(side.get(key)) != "–" for side in (sides.now, sides.prev, sides.base))
    ]
    return f"<div>{table(('', 'now', 'before', 'baseline'), rows)}</div>" if rows else ""


def _statistics(rows: pd.DataFrame) -> str:
    """Every statistic of the day, against the baseline and against the window before."""
    by_type = {row["drift_type"]: row for row in rows.to_dict("records")}
    base, before = by_type.get("BASELINE", {}), by_type.get("CONSECUTIVE", {})
    cells = [
        [words, _shown(base.get(key)), _shown(before.get(key))]
        for key, words in NAMES.items()
        if _shown(base.get(key)) != "–" or _shown(before.get(key)) != "–"
    ]
    heads = ("", "to baseline", "to window before")
    return f"<div>{table(heads, cells)}</div>" if cells else ""


def _shown(value: object) -> str:
    """A statistic, or a test with its p-value."""
    if value is None or isinstance(value, int | float):
        return number(value)
    test, pvalue = value["statistic"], value["pvalue"]  # type: ignore[index]
    return number(test) if number(pvalue) == "–" else f"{number(test)} (p {pvalue:.2g})"


def _worst_slices(rows: pd.DataFrame) -> str:
    if rows.empty:
        return ""
    worst = rows.sort_values("severity", ascending=False).head(FEW).to_dict("records")
    cells = [_slice_cells(_slice_name(row["slice_key"], row["slice_value"]), row) for row in worst]
    heads = ("slice", "statistic", "value", "in thresholds")
    return f"<div>{table(heads, cells, texts=2)}</div>"


def _slice_cells(words: str, row: Mapping) -> list[str]:
    share = f"×{row['severity']:.2f}"
    share = f'<span class="bad">{share}</span>' if row["severity"] >= 1 else share
    statistic = NAMES.get(row["statistic"], row["statistic"])
    return [escape(words), escape(statistic), number(row["value"]), share]


def _slice_name(key: object, value: object) -> str:
    """`region = north`; a slice by an expression that is true or false by the expression alone."""
    return f"{key} = {'null' if value is None or value != value else value}"
