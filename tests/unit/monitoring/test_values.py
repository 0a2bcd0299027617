"""Counts, shares and deltas against pandas; days added up to a week are the week at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nextbest.monitoring import folding
from nextbest.monitoring.arrow_tables import table_parts
from nextbest.monitoring.drift import drift_rows
from nextbest.monitoring.profile import profile_rows

pytestmark = pytest.mark.unit
WATCH = {
    "columns": ("spend", "word"),
    "timestamp": "at",
    "model_id": "model",
    "slices": ("region",),
}
WORDS = ["a", "bé", "", "long word", None]


def log(seed, rows, days=14):
    """Rows of two weeks (Thursdays first, as weeks are counted from 1970-01-01)."""
    random = np.random.default_rng(seed)
    spend = random.choice([0.0, -0.0, np.nan, 1.5, 2.5, 1e6], rows) * random.integers(1, 9, rows)
    at = pd.Timestamp("2026-03-05") + pd.to_timedelta(random.integers(0, days * 24, rows), unit="h")
    return pa.table({
        "spend": pa.array(spend, mask=random.random(rows) < 0.2),
        "word": pa.array([WORDS[at] for at in random.integers(0, len(WORDS), rows)], pa.string()),
        "at": pa.array(at.astype("datetime64[us]"), pa.timestamp("us")),
        "model": pa.array(random.choice(["1", "2"], rows).tolist()),
        "region": pa.array(random.choice([None, "n", "s"], rows).tolist(), pa.string()),
    })  # fmt: skip


def ordered(rows):
    keys = ("start", "start_cmp", "drift_type", "model", "slice_key", "slice_value", "column_name")
    return sorted(rows, key=lambda row: str([row.get(key) for key in keys]))


def alike(ours, theirs):
    """Equal, numbers to 1e-9, however deep they stand."""
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(alike(ours[k], theirs[k]) for k in ours)
    if isinstance(ours, (list, tuple)):
        return len(ours) == len(theirs) and all(map(alike, ours, theirs))
    if isinstance(ours, float):
        return theirs == pytest.approx(ours, rel=1e-9, abs=1e-9)
    return ours == theirs


@pytest.mark.slow
@settings(max_examples=30)
@given(st.integers(0, 2**32), st.integers(1, 400))
def test_days_added_up_to_weeks_are_the_weeks_at_once(seed, rows):
    table = log(seed, rows)
    both = []
    for granularity in ("1 day", "1 week"):
        parts = table_parts(table, granularity=granularity, **WATCH)
        if granularity == "1 day":
            parts = folding.rewindowed(parts, "1 week")
        parts = folding.with_all_models(parts)
        base = folding.rewindowed(parts, None)
        both.append((
            ordered(profile_rows(parts, "1 week")), ordered(drift_rows(parts, base, "1 week"))
        ))  # fmt: skip
    (profiles, drifts), (profiles_at_once, drifts_at_once) = both
    assert profiles
    assert drifts
    assert alike(profiles, profiles_at_once)
    assert alike(drifts, drifts_at_once)


@given(st.integers(0, 2**32), st.integers(1, 200), st.integers(1, 200))
def test_counts_shares_and_deltas_are_those_of_pandas(seed, now, then):
    tables = [log(seed, now, 1), log(seed + 1, then, 1)]
    if seed % 3 == 0:  # a column that had no value, or has none any more
        at = seed % 2
        tables[at] = tables[at].set_column(1, "word", pa.nulls(tables[at].num_rows, pa.string()))
    told = {"columns": ("spend", "word")}
    parts, base = (table_parts(table, **told) for table in tables)
    found = [
        {row["column_name"]: row for row in profile_rows(each, None)} for each in (parts, base)
    ]
    drift = {row["column_name"]: row for row in drift_rows(parts, base, "1 day")}
    true = [expected(table) for table in tables]
    for profile, values in zip(found, true, strict=True):
        for column in ("spend", "word"):
            ours = {name: profile[column].get(name) for name in values[column]}
            assert ours == pytest.approx(values[column], rel=1e-9), column
        assert profile[":table"]["non_null_columns"] == values["filled"]
    for column in ("spend", "word"):
        for name in ("count", "percent_null", "percent_zeros", "percent_distinct"):
            here, before = (values[column].get(name) for values in true)
            delta = None if here is None or before is None else here - before
            assert drift[column].get(f"{name}_delta") == pytest.approx(delta, abs=1e-9), name
    assert drift[":table"]["count_delta"] == now - then
    here, before = (values["filled"] for values in true)
    assert drift[":table"]["non_null_columns_delta"] == {
        "added": [name for name in here if name not in before],
        "missing": [name for name in before if name not in here],
    }


def expected(table):
    """What pandas tells of both columns: NaN is a value, null is none."""
    rows = table.num_rows
    spend = pd.Series(table["spend"].drop_null().to_numpy())
    word = pd.Series(table["word"].drop_null().to_pylist(), dtype=object)
    numbers = {
        "count": len(spend), "num_nulls": rows - len(spend), "num_nan": int(spend.isna().sum()),
        "num_zeros": int((spend == 0).sum()), "distinct_count": spend.nunique(),
    }  # fmt: skip
    words = {"count": len(word), "num_nulls": rows - len(word), "distinct_count": word.nunique()}
    for told in (numbers, words):
        for share, counted in (
            ("percent_null", "num_nulls"), ("percent_nan", "num_nan"),
            ("percent_zeros", "num_zeros"), ("percent_distinct", "distinct_count"),
        ):  # fmt: skip
            if counted in told:
                told[share] = told[counted] * 100 / rows
    length = word.map(len)
    for name in ("min", "max", "mean"):
        key = {"mean": "avg"}.get(name, name)
        words[f"{key}_length"] = getattr(length, name)() if len(word) else None
    filled = [name for name, side in (("spend", spend), ("word", word)) if len(side)]
    return {"spend": numbers, "word": words, "filled": filled}
