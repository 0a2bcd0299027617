"""Rows with the documented columns of the metric tables, and the columns of what was done."""

from __future__ import annotations

import datetime as dt

from nextbest.lifecycle.responding import ALERTS, RESPONSES
from nextbest.monitoring.schemas import drift_schema, profile_schema

__all__ = ["ALERTS", "RESPONSES", "drift", "metric", "profile"]


def metric(schema, **given):
    unknown = given.keys() - set(schema.names)
    assert not unknown
    return tuple(given.get(name) for name in schema.names)


def drift(
    day, column, *, psi=None, js=None, pvalue=None, nulls=None, sliced=(None, None), model="*"
):
    test = None if pvalue is None else (1.0, pvalue)
    return metric(
        drift_schema("model_version"), window=(day, day + dt.timedelta(days=1)),
        granularity="1 day", column_name=column, drift_type="BASELINE", slice_key=sliced[0],
        slice_value=sliced[1], population_stability_index=psi, js_distance=js,
        ks_test=test if js is None else None, chi_squared_test=None if js is None else test,
        percent_null_delta=nulls, model_version=model,
    )  # fmt: skip


def profile(day, column, log_type="INPUT", model="*", **given):
    return metric(
        profile_schema("model_version"), window=(day, day + dt.timedelta(days=1)),
        log_type=log_type, granularity="1 day", column_name=column, model_version=model, **given,
    )  # fmt: skip
