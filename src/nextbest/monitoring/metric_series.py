"""Model quality and decision metrics over days: what ":table" rows hold beside the documented."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from html import escape

import pandas as pd

from nextbest.monitoring.page_style import number, table
from nextbest.monitoring.report_plots import series_plot
from nextbest.monitoring.schemas import ALL_MODELS, TABLE

SHOWN = 24  # plots; the table has all
# What profile_metrics has of every table, whatever it logs; all else of ":table" is a metric.
COMMON = frozenset({
    "window", "day", "log_type", "logging_table_commit_version", "monitor_version", "granularity",
    "slice_key", "slice_value", "column_name", "data_type", "num_nulls", "avg", "quantiles", "min",
    "max", "stddev", "num_zeros", "num_nan", "min_length", "max_length", "avg_length",
    "non_null_columns", "frequent_items", "median", "distinct_count", "percent_nan",
    "percent_null", "percent_zeros", "percent_distinct",
})  # fmt: skip
ENDS = (("_low", "_high"), (".low", ".high"))


def series(profile: pd.DataFrame, days: Sequence[str], model_id: str) -> dict[str, list[float]]:
    """Each number of the ":table" rows (all models, no slice) over `days`, NaN where it lacks.

    Columns that data profiling documents for every table are left out, but for `count`; fields of
    a struct are told as name.field. `profile` has `day` beside the columns of profile_metrics.
    """
    if profile.empty:
        return {}
    whole = profile[
        (profile["column_name"] == TABLE)
        & profile["slice_key"].isna()
        & (profile[model_id] == ALL_MODELS)
    ]
    by_day = {row["day"]: _flat(row, COMMON | {model_id}) for row in whole.to_dict("records")}
    names = dict.fromkeys(name for row in by_day.values() for name in row)
    found = {n: [by_day.get(d, {}).get(n, math.nan) for d in days] for n in names}
    return {name: values for name, values in found.items() if any(map(math.isfinite, values))}


def quality_section(
    profile: pd.DataFrame, days: Sequence[str], model_id: str, of: str = "Model and decisions"
) -> str:
    """Plots of the metrics over days and a table of their last values; nothing where none are."""
    found = {k: v for k, v in series(profile, days, model_id).items() if k != "count"}
    if not found:
        return ""
    plots = "".join(plot for _, plot in plots_of(found, days)[:SHOWN])
    rows = [
        [escape(words(name)), number(values[-1]), number(values[-2] if len(values) > 1 else None)]
        for name, values in found.items()
    ]
    return (
        f"<h2>{escape(of)}</h2>"
        f'<div class="body" style="padding-left:0">{plots}</div><details><summary>All metrics'
        f"</summary>{table(('metric', 'now', 'window before'), rows)}</details>"
    )


def plots_of(
    found: Mapping[str, Sequence[float]], points: Sequence[str], of: str = "days"
) -> list[tuple[str, str]]:
    """(metric, figure) over the points named, an interval's ends as a band around their metric."""
    ends = {f"{name}{end}" for name in found for pair in ENDS for end in pair}
    ends |= {n.removesuffix(".value") + e for n in found for e in ENDS[1] if n.endswith(".value")}
    drawn = []
    for name, values in found.items():
        if name in ends:
            continue
        low, high = _interval(found, name)
        last = next((value for value in reversed(values) if math.isfinite(value)), math.nan)
        told = f"{words(name)} over {len(points)} {of}, last {number(last)}"
        plot = series_plot(values, points, told, low, high)
        caption = f"{escape(words(name))}: {number(last)}"
        drawn.append((name, f"<figure>{plot}<figcaption>{caption}</figcaption></figure>"))
    return drawn


def words(name: str) -> str:
    """A metric's name as people read it."""
    return name.removesuffix(".value").replace("_", " ").replace(".", ", ")


def _interval(
    found: Mapping[str, Sequence[float]], name: str
) -> tuple[Sequence[float], Sequence[float]]:
    stem = name.removesuffix(".value")
    for low, high in ENDS:
        if stem + low in found and stem + high in found:
            return found[stem + low], found[stem + high]
    return (), ()


def _flat(row: Mapping, known: Set[str]) -> dict[str, float]:
    """The numbers of a row, those of structs too."""
    found: dict[str, float] = {}
    for name, value in row.items():
        if name in known or value is None or isinstance(value, str):
            continue
        parts = value.asDict() if hasattr(value, "asDict") else value
        if isinstance(parts, Mapping):
            found |= {f"{name}.{key}": each for key, each in _flat(parts, frozenset()).items()}
        elif isinstance(parts, bool | int | float) and math.isfinite(parts):
            found[str(name)] = float(parts)
    return found
