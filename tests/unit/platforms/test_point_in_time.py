"""The join in time, whichever way the end of a row's validity is found, against a plain loop."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from nextbest.platforms import Lookup
from nextbest.platforms.local.feature_steps import FeatureTable, spelt_out
from nextbest.platforms.local.point_in_time import join

pytestmark = pytest.mark.integration

FIRST = dt.datetime(2026, 1, 1)
LISTS = "key string, `as of` timestamp, `a.b` double, row int"
WINDOW = LISTS + ", tier string"


def table(rng, rows, width):
    """Rows of few keys and times, so that many share both; nulls everywhere."""
    some = [
        [None, "x", "y", "z"],
        [None, *(FIRST + dt.timedelta(hours=hour) for hour in range(6))],
        [None, 0.0, 1.5, float("nan"), float("inf")],
        [None, 1, 2, 3],
        [None, "", "gold"],
    ]
    return [tuple(each[rng.integers(len(each))] for each in some[:width]) for _ in range(rows)]


def rank(value):
    """The order of engines: null, numbers, NaN."""
    missing = value is None
    nan = isinstance(value, float) and np.isnan(value)
    return (not missing, nan, 0 if missing or nan else value) if not isinstance(value, str) else (
        True, False, value,
    )  # fmt: skip


def expected(spine, rows, width, hours):
    for key, at, number in spine:
        if at is None:
            continue
        known = [
            row for row in rows if key is not None and row[0] == key and row[1] and row[1] <= at
        ]
        best = max(known, key=lambda row: (row[1], *map(rank, row[2:])), default=None)
        if best and hours is not None and at - best[1] > dt.timedelta(hours=hours):
            best = None
        yield (key, at, number, *(best[2:] if best else (None,) * (width - 2)))


@pytest.mark.parametrize("hours", [None, 2])
@pytest.mark.parametrize("schema", [LISTS, WINDOW])
@pytest.mark.parametrize("seed", [1, 2])
def test_each_row_gets_the_latest_known_then(spark, seed, schema, hours):
    rng = np.random.default_rng(seed)
    width = schema.count(",") + 1
    rows = table(rng, 150, width)
    spine = [(*row, number) for number, row in enumerate(table(rng, 80, 2))]
    features = spark.createDataFrame(rows, schema)
    lookback = None if hours is None else dt.timedelta(hours=hours)
    declared = FeatureTable("t", ("key",), "as of", dict(features.dtypes))
    step = spelt_out(Lookup("t", ("who",), "at", lookback=lookback), declared)
    frame = spark.createDataFrame(spine, "who string, at timestamp, number int")
    joined = join(frame, features, step)
    assert joined.columns == ["who", "at", "number", *features.columns[2:]]
    found = sorted((tuple(row) for row in joined.collect()), key=lambda row: row[2])
    assert str(found) == str(list(expected(spine, rows, width, hours)))  # NaN equals NaN
