"""Rows that are frozen once and read by every later judgement, whatever became of the tables."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from nextbest.errors import DataError
from nextbest.evaluation.release.contest import digest
from nextbest.lifecycle import frames, holdout
from nextbest.training.splits import held_out

pytestmark = pytest.mark.integration


def learning_rows(n=400, late=0.0):
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "decision_id": [f"d-{k:04d}" for k in range(n)],
            "customer_id": [f"c-{k % 90:04d}" for k in range(n)],
            "decided_at": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(n), unit="h"),
            "eligible": [("none", "a:sms") if k % 2 else ("none",) for k in range(n)],
            "reason_code": [None if k % 3 else "best" for k in range(n)],
            "consent": [None if k % 7 == 0 else bool(k % 2) for k in range(n)],
            "usage": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
            "value": rng.normal(size=n) + late,
        }
    )


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """A function: share of either version, and the rows of the tables → what is judged on."""

    def ask(rows, *shares):
        told = iter(shares)
        monkeypatch.setattr(holdout.registry, "holdout_share", lambda model, version: next(told))
        monkeypatch.setattr(frames, "learning_frame", lambda settings, platform, case: rows)
        settings = SimpleNamespace(
            model="m", dataset="", as_of=dt.date(2026, 2, 1), table=lambda name: f"c.s.{name}"
        )
        platform = SimpleNamespace(volume=tmp_path)
        return holdout.frozen_holdout(settings, platform, None, ["v"] * len(shares))

    return ask


def test_the_second_version_sees_the_rows_of_the_first(judged):
    first = judged(learning_rows(), 0.4)
    assert first.changed == ""
    second = judged(learning_rows(n=450, late=1.0), 0.4, 0.4)
    pd.testing.assert_frame_equal(first.rows, second.rows)
    assert first.digest == second.digest == digest(second.rows)
    assert "other rows" in second.changed
    assert second.digest in second.changed
    assert second.rows["eligible"].map(type).eq(tuple).all()


def test_frozen_rows_are_those_of_the_tables_to_the_last_bit(judged):
    rows = learning_rows()
    mine = rows[held_out(rows["customer_id"], 0.4)].reset_index(drop=True)
    found = judged(rows, 0.4)
    pd.testing.assert_frame_equal(found.rows, mine)
    assert found.digest == digest(mine)
    assert len(found.learned) + len(found.rows) == len(rows)


def test_a_version_that_held_out_less_is_judged_on_its_part(judged):
    whole = judged(learning_rows(), 0.4)
    part = judged(learning_rows(), 0.4, 0.2)
    assert held_out(part.rows["customer_id"], 0.2).all()
    assert set(part.rows["decision_id"]) < set(whole.rows["decision_id"])
    assert part.changed == ""


def test_a_file_that_was_changed_is_refused(judged, tmp_path):
    judged(learning_rows(), 0.4)
    (file,) = (tmp_path / "holdouts").iterdir()
    rows = pd.read_parquet(file)
    rows.loc[0, "value"] += 1
    rows.to_parquet(file, index=False)
    with pytest.raises(DataError, match="not those that were frozen; delete it"):
        judged(learning_rows(), 0.4)


def test_columns_that_came_later_are_named(judged):
    judged(learning_rows(), 0.4)
    found = judged(learning_rows().assign(new_feature=1.0), 0.4)
    assert "new_feature" in found.changed
    assert "new_feature" not in found.rows


def test_nothing_is_frozen_of_nothing(judged, tmp_path):
    with pytest.raises(DataError, match="c.s.decisions: none of the matured decisions"):
        judged(learning_rows(), 0.0)
    assert not (tmp_path / "holdouts").exists()
