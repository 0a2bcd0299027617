"""Profiles and drift of real frames equal what pandas and scipy say of the raw rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nextbest.monitoring.drift import drift
from nextbest.monitoring.profile import profile
from nextbest.monitoring.schemas import drift_schema, profile_schema

pytestmark = pytest.mark.integration
COLUMNS = ("spend", "visits", "segment", "consent")
OPTIONS = {
    "timestamp": "at", "granularity": "1 day", "columns": COLUMNS, "model_id": "model",
    "slices": ("consent",),
}  # fmt: skip


def _table(rows, days, seed):
    random = np.random.default_rng(seed)
    spend = np.where(random.random(rows) < 0.1, np.nan, random.lognormal(size=rows))
    return pd.DataFrame(
        {
            "spend": np.where(random.random(rows) < 0.1, -0.0, spend),
            "visits": random.poisson(3, rows),
            "segment": random.choice(["a", "bé", None], rows),
            "consent": random.random(rows) < 0.4,
            "at": pd.to_datetime(
                [f"2026-03-0{day} 07:00" for day in random.choice(days, rows)], utc=True
            ),
            "model": random.choice(["1", "2"], rows),
        }
    )


def _whole(rows, column, key="slice_key"):
    whole = [r for r in rows if r["model"] == "*" and r[key] is None and r["column_name"] == column]
    return sorted(whole, key=lambda row: row["window"]["start"])


def test_a_profile_counts_as_pandas_does(spark, tmp_path):
    data = _table(900, [1, 2], 1)
    data.to_parquet(tmp_path / "log.parquet", coerce_timestamps="us")
    frame = profile(spark.read.parquet(str(tmp_path / "log.parquet")), **OPTIONS)
    documented = [(f.name, f.dataType.simpleString()) for f in profile_schema("model").fields]
    assert [(f.name, f.dataType.simpleString()) for f in frame.schema.fields] == documented
    rows = [row.asDict(recursive=True) for row in frame.collect()]
    # 2 days × 2 models and all × no slice and 2 values × 4 columns and the table
    assert len(rows) == 2 * 3 * 3 * 5
    first = data[data["at"].dt.day == 1]
    spend = _whole(rows, "spend")[0]
    known = first["spend"].dropna()
    missing = spend["num_nulls"] + spend["num_nan"]  # pandas writes NaN as either
    assert (missing, spend["num_zeros"]) == (first["spend"].isna().sum(), (known == 0).sum())
    assert spend["distinct_count"] == known.nunique()
    assert spend["avg"] == pytest.approx(known.mean(), rel=1e-9)
    assert spend["stddev"] == pytest.approx(known.std(), rel=1e-9)
    assert spend["quantiles"] == pytest.approx(list(known.quantile(np.arange(101) / 100)), rel=1e-9)
    segment = _whole(rows, "segment")[0]
    counts = first["segment"].value_counts()
    assert {i["item"]: i["count"] for i in segment["frequent_items"]} == counts.to_dict()
    assert segment["percent_null"] == pytest.approx(100 * first["segment"].isna().mean())
    assert segment["avg_length"] == pytest.approx(first["segment"].dropna().str.len().mean())


def test_drift_matches_scipy_on_the_raw_rows(spark, tmp_path):
    now, base = _table(900, [4, 5], 2), _table(1500, [1, 2], 3)
    for name, data in (("now", now), ("base", base)):
        data.to_parquet(tmp_path / f"{name}.parquet", coerce_timestamps="us")
    frames = [spark.read.parquet(str(tmp_path / f"{name}.parquet")) for name in ("now", "base")]
    frame = drift(*frames, **OPTIONS)
    documented = [(f.name, f.dataType.simpleString()) for f in drift_schema("model").fields]
    assert [(f.name, f.dataType.simpleString()) for f in frame.schema.fields] == documented
    rows = [row.asDict(recursive=True) for row in frame.collect()]
    assert len(rows) == (2 + 1) * 3 * 3 * 5  # both days to the baseline, one to the day before
    first = now[now["at"].dt.day == 4]
    visits, spend = (_whole(rows, name)[0] for name in ("visits", "spend"))
    assert visits["wasserstein_distance"] == pytest.approx(
        stats.wasserstein_distance(first["visits"], base["visits"]), rel=1e-9
    )
    exact = stats.ks_2samp(first["visits"], base["visits"], method="asymp")
    assert visits["ks_test"]["statistic"] == pytest.approx(exact.statistic, rel=1e-9)
    exact = stats.ks_2samp(first["spend"].dropna(), base["spend"].dropna()).statistic
    assert abs(spend["ks_test"]["statistic"] - exact) < 0.03
    assert spend["avg_delta"] == pytest.approx(first["spend"].mean() - base["spend"].mean())
    assert _whole(rows, "segment")[0]["js_distance"] is not None


def test_of_a_slice_with_many_values_the_most_frequent_hundred_are_kept(spark):
    rows = [(float(n), f"v{n % 150:03d}" if n < 1500 else "v149") for n in range(1600)]
    frame = spark.createDataFrame(rows, "x double, s string")
    found = profile(frame, granularity=None, columns=["x"], slices=("s",)).toPandas()
    tables = found[found["column_name"] == ":table"].set_index("slice_value")["count"]
    assert tables[None] == 1600
    sliced = tables[tables.index.notna()]
    assert sorted(sliced.index) == [*(f"v{n:03d}" for n in range(99)), "v149"]
    assert sliced["v149"] == 110
    assert set(sliced[:"v098"]) == {10}
