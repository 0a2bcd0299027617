"""A lifecycle small enough for a test, and whether two lakehouses hold the same after it."""

from __future__ import annotations

import pandas as pd

# Small, so gates on evidence are told to be content with less.
SMALL = {
    "as_of": "2026-03-01", "customers": "2000", "decisions_per_day": "600", "history_days": "40",
    "min_ess": "50", "min_lift": "-1000",
}  # fmt: skip
KEYS = {
    "customers": ["customer_id"], "actions": ["action_id", "channel"],
    "interactions": ["event_id"], "decisions": ["decision_id"],
    "outcomes": ["decision_id", "kind"], "customer_features": ["customer_id", "as_of"],
    "customer_history": ["customer_id", "as_of"],
    "action_features": ["action_id", "channel", "as_of"],
    "recommendations": ["decision_id"], "training_baseline": ["model_version", "decision_id"],
    "promotions": ["model", "sequence", "state"], "quarantine": ["source", "row_id"],
}  # fmt: skip

CHANCE = ("promoted_at", "promoted_by", "promotion_id", "commit")  # when, who, which draw
TIMED = r"milliseconds is [\d.e+-]+"  # how long a version took to predict, in a verdict


def tables(lakehouse, schema="juan_dev/ml_nba_demo_dev"):
    """Every Delta table of a schema, sorted by its key."""
    from deltalake import DeltaTable

    found = {}
    for folder in sorted((lakehouse / schema).iterdir()):
        if (folder / "_delta_log").is_dir():
            frame = DeltaTable(str(folder)).to_pyarrow_table().to_pandas()
            if folder.name in KEYS:
                keys = KEYS[folder.name]
                assert not frame.duplicated(keys).any(), folder.name
                frame = frame.sort_values(keys, ignore_index=True)
            found[folder.name] = frame
    return found


def assert_same(left, right):
    """Two lakehouses hold the same rows; only when and how long differs."""
    assert set(left) == set(right)
    for name, frame in left.items():
        assert len(frame) == len(right[name]), name
        if name in KEYS:
            columns = [column for column in frame.columns if column not in CHANCE]
            ours, theirs = (
                (
                    each[columns].replace(TIMED, "", regex=True)
                    if name == "promotions"
                    else each[columns]
                )
                for each in (frame, right[name])
            )
            pd.testing.assert_frame_equal(ours, theirs, obj=name)
