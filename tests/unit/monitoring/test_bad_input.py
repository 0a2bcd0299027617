"""Input that nobody wants: each kind gives a defined result or a clear error."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from nextbest.errors import DataError
from nextbest.monitoring import folding
from nextbest.monitoring.arrow_tables import table_parts
from nextbest.monitoring.drift import distances, drift_rows
from nextbest.monitoring.items import BUCKETS, ITEM_ERROR, MOST
from nextbest.monitoring.profile import profile_rows

pytestmark = pytest.mark.unit


def _whole(**columns):
    """The only part of a table without windows."""
    table = pa.table(columns)
    (part,) = table_parts(table, columns=table.column_names).values()
    return part


def _row(part, name):
    rows = profile_rows({folding.Group(None, None, None): part}, None)
    return next(row for row in rows if row["column_name"] == name)


def test_no_rows_are_no_window():
    table = pa.table({"x": pa.array([], pa.float64()), "at": pa.array([], pa.timestamp("us"))})
    told = {"columns": ["x"], "timestamp": "at", "granularity": "1 day"}
    assert table_parts(table, **told) == {}
    assert list(drift_rows({}, {}, "1 day")) == []


def test_a_column_of_nulls_has_counts_and_nothing_else():
    part = _whole(x=pa.array([None, None], pa.float64()), c=pa.array([None, None], pa.string()))
    for name in ("x", "c"):
        row = _row(part, name)
        assert (row["count"], row["num_nulls"], row["percent_null"]) == (0, 2, 100.0)
        assert row["distinct_count"] == 0
        assert [row.get(key) for key in ("avg", "min", "quantiles", "avg_length")] == [None] * 4
    filled = _whole(x=[1.0, 2.0], c=["a", "b"])
    found = distances(filled.columns["x"], part.columns["x"])
    assert found["ks_test"] is None
    assert found["wasserstein_distance"] is None
    assert found["population_stability_index"] > 0.3  # all values came back: that is a drift
    assert distances(filled.columns["c"], part.columns["c"])["tv_distance"] == 1.0


def test_one_category_on_both_sides_is_no_distance():
    part = _whole(c=["a"] * 40)
    found = distances(part.columns["c"], part.columns["c"])
    assert found["js_distance"] == found["tv_distance"] == found["l_infinity_distance"] == 0
    assert found["chi_squared_test"] == {"statistic": 0.0, "pvalue": 1.0}


@pytest.mark.slow
def test_a_million_categories_are_measured_in_little_room():
    names = pa.array([f"customer {number}" for number in range(10**6)])
    now, base = _whole(c=names).columns["c"], _whole(c=names[: 10**6 // 2]).columns["c"]
    assert len(now.items.names) <= MOST
    assert now.items.lost <= 10**6 * ITEM_ERROR
    assert abs(_row(_whole(c=names), "c")["distinct_count"] / 10**6 - 1) < 0.15
    found = distances(now, base)
    # Every category is as likely as any other on both sides: buckets can't tell them apart.
    assert found["tv_distance"] < math.sqrt(BUCKETS / (10**6 / 2))
    mixed = distances(now, _whole(c=["a", "b"] * 50).columns["c"])  # one side has few
    assert mixed["tv_distance"] > 0.9


def test_numbers_that_turned_nan_have_moved():
    values = np.random.default_rng(1).normal(size=400)
    broken = np.where(np.arange(400) < 100, math.nan, values)
    column, base = _whole(x=broken).columns["x"], _whole(x=values).columns["x"]
    above = np.where(np.isnan(broken), math.inf, broken)  # as engines sort them
    for found, sides in (
        (distances(column, base), (above, values)),
        (distances(base, column), (values, above)),
    ):
        exact = stats.ks_2samp(*sides, method="asymp")
        expected = {"statistic": exact.statistic, "pvalue": exact.pvalue}
        assert found["ks_test"] == pytest.approx(expected, rel=1e-9)
    assert distances(column, column)["ks_test"]["statistic"] == 0


def test_infinities_are_values_without_a_mean_distance():
    part = _whole(x=[math.inf, -math.inf, 1.0, 2.0])
    row = _row(part, "x")
    assert (row["min"], row["max"], row["avg"], row["stddev"]) == (-math.inf, math.inf, None, None)
    assert row["median"] == 1.5
    found = distances(part.columns["x"], _whole(x=[1.0, 2.0, 3.0]).columns["x"])
    exact = stats.ks_2samp([math.inf, -math.inf, 1.0, 2.0], [1.0, 2.0, 3.0], method="asymp")
    assert found["ks_test"]["statistic"] == pytest.approx(exact.statistic)
    assert found["wasserstein_distance"] is None
    assert found["population_stability_index"] is not None
    many = np.append(np.random.default_rng(1).normal(size=5000), [math.inf] * 10)
    assert _row(_whole(x=many), "x")["quantiles"][-1] == math.inf


def test_a_type_that_changed_between_windows_gives_no_statistic():
    days = [np.datetime64(f"2026-03-0{day}", "us") for day in (1, 2)]
    told = {"columns": ["x"], "timestamp": "at", "granularity": "1 day"}
    yesterday = table_parts(pa.table({"x": [1.0], "at": days[:1]}), **told)
    today = table_parts(pa.table({"x": ["one"], "at": days[1:]}), **told)
    rows = list(drift_rows({**yesterday, **today}, None, "1 day"))
    (row,) = [row for row in rows if row["column_name"] == "x"]
    assert row["data_type"] == "string"
    assert "js_distance" not in row
    assert "ks_test" not in row
    with pytest.raises(DataError, match="column x is double and string within one window"):
        folding.rewindowed({**yesterday, **today}, "1 month")


def test_integers_that_became_doubles_stay_comparable():
    now, base = _whole(x=[1.0, 2.5]), _whole(x=pa.array([1, 2], pa.int32()))
    assert distances(now.columns["x"], base.columns["x"])["wasserstein_distance"] == 0.25


def test_rows_without_a_time_are_refused_with_their_number():
    table = pa.table({"x": [1.0, 2.0], "at": pa.array([None, 0], pa.timestamp("us"))})
    with pytest.raises(DataError, match="1 of 2 rows have no time"):
        table_parts(table, columns=["x"], timestamp="at", granularity="1 day")


def test_times_from_the_future_have_windows_of_their_own():
    at = [np.datetime64(day, "us") for day in ("2026-03-01", "2026-03-01", "2262-01-01")]
    table = pa.table({"x": [1.0, 2.0, 3.0], "at": at})
    parts = table_parts(table, columns=["x"], timestamp="at", granularity="1 day")
    assert sorted(part.rows for part in parts.values()) == [1, 2]


def test_columns_that_cannot_be_watched_are_listed_together():
    table = pa.table({"x": [[1]], "y": [1.0]})
    with pytest.raises(DataError, match="z is not there.*y is named twice.*x is list"):
        table_parts(table, columns=["x", "y", "y", "z"])
