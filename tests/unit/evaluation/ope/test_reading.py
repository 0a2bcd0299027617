"""Every format gives the same moments; what is wrong is named, counted and placed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from deltalake import DeltaTable, write_deltalake

from nextbest.commands.log_file import open_source
from nextbest.errors import DataError, UsageError
from nextbest.evaluation.ope.estimators import value_of
from nextbest.evaluation.ope.log import LogColumns, Target
from nextbest.evaluation.ope.reading import WHOLE, read_log
from nextbest.evaluation.ope.terms import SHRINKAGES

pytestmark = pytest.mark.unit
NAMES = LogColumns({"t": Target("target")}, key="decision_id")


def frame(n=6):
    return pd.DataFrame(
        {
            "decision_id": [f"d{i}" for i in range(n)],
            "reward": np.arange(n) % 2.0,
            "propensity": 0.5,
            "target": 0.25,
            "segment": ["a", "b"] * (n // 2),
        }
    )


def write(folder, rows, kind):
    path = folder / f"log.{kind}"
    if kind.startswith("csv"):
        rows.to_csv(path, index=False)
    elif kind == "parquet":
        rows.to_parquet(path)
    else:
        rows.to_json(path, orient="records", lines=True)
    return path


def read(path, **options):
    return read_log(open_source(str(path)), NAMES, SHRINKAGES, **options)


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet", "jsonl", "ndjson"])
def test_every_format_is_read(tmp_path, kind):
    parts = read(write(tmp_path, frame(), kind), segment="segment")
    assert {name: part.n for name, part in parts.items()} == {"a": 3, "b": 3}
    assert value_of(parts["b"], "t", "ips").value == 0.5


def test_a_delta_table_is_what_its_log_says(tmp_path):
    write_deltalake(tmp_path / "t", frame(8))
    write_deltalake(tmp_path / "t", frame(6), mode="overwrite")
    (tmp_path / "t" / "stray.parquet").write_bytes(b"left by a failed write")
    assert read(tmp_path / "t")[WHOLE].n == 6


def test_partition_columns_of_a_delta_table_are_columns(tmp_path):
    write_deltalake(tmp_path / "t", frame(6), partition_by=["segment"])
    parts = read(tmp_path / "t", segment="segment")
    assert {name: part.n for name, part in parts.items()} == {"a": 3, "b": 3}


def test_an_empty_delta_table_holds_no_decision(tmp_path):
    write_deltalake(tmp_path / "t", frame(6))
    DeltaTable(tmp_path / "t").delete()
    with pytest.raises(DataError, match="no decision in it"):
        read(tmp_path / "t")


def test_a_delta_log_with_a_hole_is_refused(tmp_path):
    for _ in range(3):
        write_deltalake(tmp_path, frame(6), mode="append")
    (tmp_path / "_delta_log" / f"{1:020d}.json").unlink()
    with pytest.raises(DataError, match="can't be read"):
        read(tmp_path)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("propensity", 0.0, r"propensity: 2 of 8 rows are not probabilities in \(0, 1\].*row 3, 7"),
        ("propensity", 1.5, r"propensity: 2 of 8 rows are not probabilities in \(0, 1\].*row 3, 7"),
        ("propensity", np.nan, r"propensity: 2 of 8 rows are not prob.*row 3, 7"),
        ("reward", np.inf, r"reward: 2 of 8 rows are not finite numbers \(row 3, 7\)"),
        ("target", -0.1, r"target: 2 of 8 rows are not probabilities in \[0, 1\] \(row 3, 7\)"),
        ("decision_id", "d0", r"decision_id: 2 of 8 rows are there already.*\(row 3, 7\)"),
        ("decision_id", None, r"decision_id: 2 of 8 rows are null \(row 3, 7\)"),
    ],
)
def test_bad_rows_are_named_counted_and_placed(tmp_path, kind, column, value, message):
    rows = frame(8)
    rows.loc[[2, 6], column] = value
    with pytest.raises(DataError, match=message):
        read(write(tmp_path, rows, kind))


def test_text_where_numbers_should_be(tmp_path):
    rows = frame(8).astype({"reward": object})
    rows.loc[3, "reward"] = "yes"
    rows.loc[5, "propensity"] = 0
    with pytest.raises(DataError) as error:
        read(write(tmp_path, rows, "csv"))
    assert "reward: 1 of 8 rows are not numbers (row 4)" in str(error.value)
    assert "propensity: 1 of 8 rows are not probabilities" in str(error.value)
    with pytest.raises(DataError, match="reward: is (large_)?string, not numbers"):
        read(write(tmp_path, frame(4).astype({"reward": str}), "parquet"))


def test_rows_count_through_batches_and_only_the_first_are_shown(tmp_path):
    rows = pd.concat([frame(140_000)], ignore_index=True)
    rows.loc[70_000:, "propensity"] = 2.0
    with pytest.raises(
        DataError, match=r"70000 of 140000 rows .*\(row 70001, 70002, 70003, 70004, 70005, …\)"
    ):
        read(write(tmp_path, rows, "parquet"))


def test_nothing_to_evaluate(tmp_path):
    with pytest.raises(DataError, match="reward: all 6 rows are 0"):
        read(write(tmp_path, frame().assign(reward=0), "csv"))
    for kind in ("csv", "parquet"):
        with pytest.raises(DataError, match="the log is empty"):
            read(write(tmp_path, frame(0), kind))
    (tmp_path / "nothing.csv").touch()
    with pytest.raises(DataError, match="the log is empty"):
        read(tmp_path / "nothing.csv")


def test_what_is_no_log_at_all(tmp_path):
    with pytest.raises(UsageError, match=r"nowhere.csv: no such file or folder; supported are"):
        open_source("nowhere.csv")
    with pytest.raises(UsageError, match="add --local"):
        open_source("a.b.c")
    with pytest.raises(UsageError, match="no such table in"):
        open_source("a.b.c", tmp_path)
    (tmp_path / "log.xlsx").touch()
    with pytest.raises(UsageError, match="'.xlsx' tells no format"):
        open_source(str(tmp_path / "log.xlsx"))
    with pytest.raises(UsageError, match="a folder without"):
        open_source(str(tmp_path))
    (tmp_path / "log.parquet").write_text("no parquet")
    with pytest.raises(DataError, match="can't be read"):
        read(tmp_path / "log.parquet")


def test_a_null_in_one_batch_makes_no_other_segment(tmp_path):
    rows = frame(40).assign(segment=pd.array([1, 2] * 20, dtype="Int64"))
    rows.loc[30, "segment"] = None
    rows.to_parquet(tmp_path / "log.parquet", row_group_size=20)
    parts = read(tmp_path / "log.parquet", segment="segment")
    assert {name: moments.n for name, moments in parts.items()} == {"1": 19, "2": 20, "(none)": 1}
