"""Which decisions two versions are compared on: of tables and files, only what neither saw."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest
import two_versions as made

from nextbest import use_cases
from nextbest.decisions.treatments import SEPARATOR
from nextbest.errors import DataError, UsageError
from nextbest.lifecycle.compared_rows import newest, read_datasets
from nextbest.platforms import open_platform
from nextbest.training.splits import held_out

pytestmark = pytest.mark.integration

N, SHARE = 400, 0.4
DECIDERS = (made.decider(), made.decider(version="2"))


@pytest.fixture
def read(lakehouse):
    """Read one dataset by its name, as of made.DAY or another day."""
    spark, settings = lakehouse
    case = dataclasses.replace(use_cases.load(settings()), heads=made.HEADS)

    def read(name, as_of=made.DAY):
        told = settings(as_of=as_of)
        platform = open_platform(told, spark)
        (found,) = read_datasets(told, platform, case, (name,), DECIDERS, SHARE, as_of)
        return found

    return read


@pytest.fixture
def rows():
    return made.decisions(N)


def written(rows, path):
    path.mkdir()
    rows.assign(eligible=rows["eligible"].map(list)).to_parquet(path / "part.parquet")
    return f"{path}/"


def test_of_a_file_only_what_neither_version_saw(read, rows, tmp_path):
    path = written(rows, tmp_path / "mine.parquet")
    found = read(path)
    kept = rows[held_out(rows["customer_id"], SHARE)]
    assert set(found.rows["decision_id"]) == set(kept["decision_id"])
    assert found.rows["eligible"].iloc[0] == kept["eligible"].iloc[0]
    assert found.note == (
        f"{N - len(kept)} of {N} decisions left out: a version may have learned from them"
    )
    later = read(path, as_of=rows["decided_at"].iloc[N // 2].date())
    assert len(kept) < len(later.rows) < N
    everything = read(path, as_of=rows["decided_at"].min().date())
    assert (len(everything.rows), everything.note) == (N, "")


def test_a_delta_table_by_name_and_by_path(read, rows, lakehouse, tmp_path):
    spark, _ = lakehouse
    flat = rows.assign(eligible=rows["eligible"].map(SEPARATOR.join))
    spark.createDataFrame(flat).write.format("delta").saveAsTable("prod.ml_nba_demo.mine")
    by_name, by_path = (
        read(name) for name in ("prod.ml_nba_demo.mine", str(tmp_path / "prod/ml_nba_demo/mine"))
    )
    pd.testing.assert_frame_equal(by_name.rows, by_path.rows)
    assert by_name.rows["eligible"].map(type).eq(tuple).all()


def test_the_newest_days_are_those_of_releases(rows):
    part = rows[newest(rows)]
    assert 0 < len(part) < N
    assert (rows["decided_at"].max() - part["decided_at"].min()).days < 7


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("holdot", "'holdot' is no dataset \\(did you mean holdout\\?\\); there are holdout"),
        ("/nowhere/x.parquet", "/nowhere/x.parquet can't be read"),
        ("/nowhere/x", "/nowhere/x can't be read"),
        ("prod.ml_nba_demo.nobody", "prod.ml_nba_demo.nobody can't be read"),
    ],
)
def test_what_leads_nowhere_is_told(read, name, told):
    with pytest.raises(UsageError, match=told):
        read(name)


def test_columns_and_values_that_are_missing_are_told_together(read, rows, tmp_path):
    lacking = rows.drop(columns=["x", "propensity", "response"])
    with pytest.raises(UsageError, match="lacks the columns propensity, response, x; it needs"):
        read(written(lacking, tmp_path / "lacking.parquet"))
    immature = rows.assign(value=rows["value"].where(rows.index > 2))
    with pytest.raises(DataError, match=f"value is null in 3 of {N} rows; leave immature"):
        read(written(immature, tmp_path / "immature.parquet"))


def test_nothing_left_is_told(read, rows, tmp_path):
    known = rows[~held_out(rows["customer_id"], SHARE)]
    with pytest.raises(DataError, match="none of its .* decisions is one that both"):
        read(written(known, tmp_path / "known.parquet"))
