"""Metric tables with the documented columns as frames: any number of columns, days and slices."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nextbest.monitoring.index_page import index_page
from nextbest.monitoring.report import Seen, page
from nextbest.monitoring.schemas import TABLE
from nextbest.monitoring.verdict import judge_drift

THRESHOLD = 0.2
FIRST = dt.date(2026, 1, 1)


@dataclass(frozen=True, eq=False)
class Tables:
    """drift, profile and baseline rows as lifecycle/reporting.py hands them to the pages."""

    drift: pd.DataFrame
    profile: pd.DataFrame
    baseline: pd.DataFrame
    columns: list[str]
    days: list[str]


def metric_tables(columns: int, days: int, slices: int = 0, *, seed: int = 7) -> Tables:
    """Every third column is categorical; the first column moves in the last third of the days."""
    rng = np.random.default_rng(seed)
    names = [f"feature_{at:03d}" for at in range(columns)]
    dates = [(FIRST + dt.timedelta(days=at)).isoformat() for at in range(days)]
    drift, profile = [], []
    for number, day in enumerate(dates):
        last = number >= days - 2
        for at, name in enumerate(names):
            value = abs(rng.normal(0.04, 0.03)) + (0.3 if at == 0 and number > days * 2 / 3 else 0)
            drift.append(_drift(day, name, "BASELINE", value, at))
            if last:
                drift.append(_drift(day, name, "CONSECUTIVE", value / 2, at))
                profile.append(_profile(day, name, at, rng))
        profile.append(_table(day, 4000 + 10 * number, rng))
    for value in range(slices):
        for at, name in enumerate(names):
            found = abs(rng.normal(0.05, 0.05))
            drift.append(_drift(dates[-1], name, "BASELINE", found, at, ("region", f"r{value}")))
    baseline = [_profile(dates[0], name, at, rng) for at, name in enumerate(names)]
    return Tables(*map(pd.DataFrame, (drift, profile, baseline)), names, dates)


def report_of(tables: Tables, *, decisions: pd.DataFrame | None = None, **given) -> str:
    """The page of the last day."""
    day = tables.days[-1]
    today = tables.drift[tables.drift["day"] == day]
    verdict = judge_drift(today, tables.columns, THRESHOLD)
    some = pd.DataFrame() if decisions is None else decisions
    seen = Seen(tables.drift, tables.profile, tables.baseline, some)
    return page(dt.date.fromisoformat(day), verdict, seen, threshold=THRESHOLD, **given)


def index_of(tables: Tables, **given) -> str:
    """The page over all days."""
    whole = tables.drift[tables.drift["slice_key"].isna()]
    table = tables.profile[tables.profile["column_name"] == TABLE]
    pages = given.pop("pages", {day: f"{day}.html" for day in tables.days})
    return index_page(whole, table, tables.columns, threshold=THRESHOLD, pages=pages, **given)


def _drift(day, name, kind, value, at, sliced=(None, None)):
    words = at % 3 == 2
    test = {"statistic": value, "pvalue": 1e-9}
    return {
        "day": day, "column_name": name, "drift_type": kind, "slice_key": sliced[0],
        "slice_value": sliced[1], "model_version": "*",
        "population_stability_index": None if words else value,
        "js_distance": value if words else None,
        "ks_test": None if words else test, "chi_squared_test": test if words else None,
        "wasserstein_distance": None if words else value, "tv_distance": value if words else None,
        "l_infinity_distance": None, "count_delta": 3, "avg_delta": None if words else value,
        "percent_null_delta": 0.1,
    }  # fmt: skip


def _profile(day, name, at, rng):
    words = at % 3 == 2
    quantiles = (
        None if words else list(np.quantile(rng.gamma(2.0, 2.0, 400), np.linspace(0, 1, 101)))
    )
    items = [{"item": f"value {n}", "count": int(c)} for n, c in enumerate(rng.integers(1, 500, 6))]
    return {
        "day": day, "column_name": name, "slice_key": None, "model_version": "*", "count": 4000,
        "avg": None if words else 4.0 + at, "stddev": None if words else 2.0,
        "quantiles": quantiles, "frequent_items": items if words else None, "percent_null": 1.5,
        "distinct_count": 6 if words else 380,
    }  # fmt: skip


def _table(day, count, rng):
    value = float(rng.normal(1.2, 0.05))
    return {
        "day": day, "column_name": ":table", "slice_key": None, "model_version": "*",
        "count": count, "accuracy_score": float(rng.uniform(0.8, 0.9)),
        "f1_score": {"macro": float(rng.uniform(0.6, 0.7)), "weighted": 0.8},
        "value": value, "value_low": value - 0.1, "value_high": value + 0.1,
    }  # fmt: skip
