import numpy as np
import pandas as pd
import pytest

from nextbest.monitoring.drift import drift
from nextbest.monitoring.profile import profile

pytestmark = pytest.mark.slow
COLUMNS = ["score", "zeros", "few", "whole", "empty", "text", "rare", "nothing", "consent"]
WATCH = {"timestamp": "at", "granularity": "1 day", "columns": COLUMNS, "model_id": "version"}


def log(n, seed, days, versions):
    """Numbers with nulls, signed zeros and ties; texts; columns without a value."""
    rng = np.random.default_rng(seed)
    day = pd.Timestamp("2026-03-01", tz="UTC") + pd.to_timedelta(rng.choice(days, n), unit="D")
    frame = pd.DataFrame(
        {
            "at": (day + pd.to_timedelta(rng.uniform(0, 23.9, n), unit="h")).round("us"),
            "version": rng.choice(versions, n),
            "score": rng.normal(seed / 10, 1, n),
            "zeros": rng.choice([0.0, -0.0, 1.5], n),
            "few": rng.poisson(2, n).astype(float),
            "whole": rng.integers(0, 1000, n),
            "empty": pd.array([None] * n, dtype="Float64"),
            "text": rng.choice(["a", "b", "ü€", ""], n),
            "rare": [f"r{i}" for i in rng.integers(0, 300, n)],
            "nothing": pd.array([None] * n, dtype="string"),
            "consent": rng.random(n) < 0.4,
        }
    )
    frame["few"] = frame["few"].mask(rng.random(n) < 0.2)
    frame.loc[::9, "text"] = None
    return frame


def test_both_engines_give_the_same_rows(on_both_engines, assert_same_rows):
    # Days 0 and 3, none between; version 2 has no baseline; one slice value is null.
    live = log(3_000, 2, [0, 3], ["1", "2"])
    live = pd.concat([live, log(1, 5, [4], ["1"])], ignore_index=True)
    base = log(4_000, 1, [-9, -8], ["1"])
    sliced = {**WATCH, "slices": ["text", "whole > 500"]}
    profiled, baseline, drifted = on_both_engines(
        [
            (profile, {"frame": live}, sliced),
            (profile, {"frame": base}, {**WATCH, "log_type": "BASELINE"}),
            (drift, {"frame": live, "baseline": base}, sliced),
        ]
    )
    key = ("window", "slice_key", "slice_value", "column_name", "version")
    assert_same_rows(*profiled, key)
    assert_same_rows(*baseline, key)
    assert_same_rows(*drifted, (*key, "drift_type"))
    assert len(profiled[0]) > 300
    assert set(drifted[0]["drift_type"].to_pylist()) == {"BASELINE", "CONSECUTIVE"}
