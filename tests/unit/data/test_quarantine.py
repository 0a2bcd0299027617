from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from nextbest.data.contracts import Column, Contract
from nextbest.data.judging import judge
from nextbest.data.quarantine import (
    QUARANTINE,
    good_rows,
    open_rows,
    rejected_rows,
    rejections,
    resolved_rows,
)

pytestmark = pytest.mark.integration
AS_OF = dt.date(2026, 1, 6)
THINGS = Contract(
    "things",
    (
        Column("a", "string", "one half of the key"),
        Column("b", "bigint", "the other"),
        Column("x", "double", "a share"),
        Column("tags", "array<string>", "names", nullable=True),
    ),
    ("a", "b"),
    {"0 <= x <= 1": "x BETWEEN 0 AND 1"},
)
SCHEMA = "a string, b bigint, x double, tags array<string>, _corrects string"


def judged(spark, rows):
    wide = [(*row, None) if len(row) == 4 else row for row in rows]
    return judge(spark.createDataFrame(wide, SCHEMA), THINGS, "shop", AS_OF, {})


def moved(spark, quarantine, rows, run_id):
    """What one ingest writes into table quarantine: the table's rows by id, as a dict."""
    found = judged(spark, rows)
    written = rejected_rows(found, THINGS, "shop", run_id)
    if quarantine:
        there = spark.createDataFrame(list(quarantine.values()), schema())
        written = written.unionByName(resolved_rows(there, found, THINGS, "shop", run_id))
    return quarantine | {row.row_id: row for row in written.select(*QUARANTINE.names).collect()}


def schema():
    return ", ".join(f"{column.name} {column.type}" for column in QUARANTINE.columns)


def still_open(quarantine):
    return sorted(row.row for row in quarantine.values() if row.status == "open")


def test_rejected_rows_are_whole_and_keep_a_contract_themselves(spark):
    rows = [
        ("g", 1, 0.5, ["t"]),
        ("w", 1, 2.0, ["u", "v"]),
        ("w", 2, None, None),
        ("w", None, 9.0, []),
    ]
    rows += [("c", 3, 7.0, None), ("c", 3, 7.0, None)]  # broken alike, and each of them counts
    found = judged(spark, rows)
    assert [tuple(row) for row in good_rows(found, THINGS).collect()] == [rows[0]]
    rejected = rejected_rows(found, THINGS, "shop", "r1")
    told = {(row.row, tuple(row.rules)): row for row in rejected.collect()}
    assert sorted(json.loads(row.row)["a"] for row in rejected.collect()) == [*"ccwww"]
    ids = [row.row_id for row in rejected.collect()]
    assert len(set(ids)) == len(ids) == 5
    key = next(row.row_key for (text, _), row in told.items() if json.loads(text).get("b") == "1")
    assert json.loads(key) == {"a": "w", "b": "1"}
    assert [row.row_key for (text, _), row in told.items() if "b" not in json.loads(text)] == [None]
    again = judge(rejected, QUARANTINE, "quarantine", AS_OF, {})
    assert again.where("_rules IS NOT NULL").count() == 0


def test_the_corrected_row_closes_the_quarantine_and_a_repeated_run_changes_nothing(spark):
    bad = [("g", 1, 0.5, None), ("w", 1, 2.0, None), ("v", 2, -1.0, None)]
    first = moved(spark, {}, bad, "r1")
    assert len(still_open(first)) == 2
    assert moved(spark, first, bad, "r1") == first
    fixed = [("g", 1, 0.5, None), ("w", 1, 0.2, None), ("v", 2, -1.0, None)]
    second = moved(spark, first, fixed, "r2")
    assert [(row.status, row.resolved_by) for row in second.values() if '"w"' in row.row] == [
        ("resolved", "r2")
    ]
    assert still_open(second) == [row.row for row in first.values() if '"v"' in row.row]
    assert moved(spark, second, fixed, "r2") == second
    # The same fault once more opens the same row once more.
    third = moved(spark, second, bad, "r3")
    assert len(third) == 2
    assert len(still_open(third)) == 2


def test_a_row_whose_key_was_wrong_is_closed_by_its_id(spark):
    first = moved(spark, {}, [(None, 1, 0.5, ["x"])], "r1")
    (lost,) = first.values()
    same_key_is_unknown = moved(spark, first, [("a", 1, 0.5, ["x"])], "r2")
    assert len(still_open(same_key_is_unknown)) == 1
    named = moved(spark, first, [("a", 1, 0.5, ["x"], lost.row_id)], "r2")
    assert still_open(named) == []
    # Corrected and still wrong: the new row stands in quarantine in its own right.
    worse = moved(spark, first, [("a", 1, 5.0, ["x"], lost.row_id)], "r2")
    assert [json.loads(row)["x"] for row in still_open(worse)] == ["5.0"]


def test_open_rows_come_back_as_text_with_the_row_they_correct(spark):
    text = "a string, b string, x string, tags array<string>, _corrects string"
    rows = [("w", "1", "half", ["it's", 'a "t"'], None), ("w", "one", "0.5", None, None)]
    found = judge(spark.createDataFrame(rows, text), THINGS, "shop", AS_OF, {})
    rejected = rejected_rows(found, THINGS, "shop", "r1")
    back = {tuple(row)[:3]: row for row in open_rows(rejected, THINGS, "shop").collect()}
    assert set(back) == {row[:3] for row in rows}
    assert back["w", "1", "half"].tags == ["it's", 'a "t"']
    assert open_rows(rejected, THINGS, "elsewhere").count() == 0
    fixed = open_rows(rejected, THINGS, "shop").withColumn(
        "x", F.when(F.col("x") == "half", "0.5").otherwise(F.col("x"))
    ).withColumn("b", F.when(F.col("b") == "one", "2").otherwise(F.col("b")))  # fmt: skip
    accepted = judge(fixed, THINGS, "shop", AS_OF, {})
    assert accepted.where("_rules IS NOT NULL").count() == 0
    closed = resolved_rows(rejected, accepted, THINGS, "shop", "r2").collect()
    assert {(row.row_id, row.status) for row in closed} == {
        (row._corrects, "resolved") for row in back.values()
    }


def test_counts_and_the_rules_broken_most(spark):
    rows = [("g", k, 0.5, None) for k in range(7)] + [("w", k, 2.0, None) for k in range(2)]
    found = rejections(judged(spark, [*rows, ("z", None, 0.1, None)]), "shop.things")
    assert (found.rows, found.rejected, found.share) == (10, 3, 0.3)
    assert found.text == (
        "shop.things: 3 of 10 rows (30.00%), broken most: '0 <= x <= 1' by 2; 'b is not null' by 1"
    )
    assert rejections(judged(spark, rows).limit(0), "shop.things").share == 0.0


KEYS = st.sampled_from(["a", "b", None])
ROWS = st.lists(
    st.tuples(KEYS, st.sampled_from([1, None]), st.sampled_from([0.5, 0.25, 2.0, None])), max_size=6
)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=ROWS, later=ROWS)
def test_every_row_is_in_one_place_and_order_does_not_matter(spark, rows, later):
    rows = [(*row, None) for row in rows]
    found = judged(spark, rows)
    good = [tuple(row) for row in good_rows(found, THINGS).collect()]
    first = moved(spark, {}, rows, "r1")
    lost = [json.loads(row.row) for row in first.values()]
    kinds = {"a": str, "b": int, "x": float}
    back = [(*[k(row[n]) if n in row else None for n, k in kinds.items()], None) for row in lost]
    assert sorted([*good, *back], key=str) == sorted(rows, key=str)
    assert moved(spark, {}, rows[::-1], "r1") == first
    accepted = {row[:2] for row in good}
    contradicting = {r[:2] for r in rows if None not in r[:2]} - accepted
    for key in contradicting:  # nothing good was left out but for a contradiction
        mine = {row for row in rows if row[:2] == key}
        assert len(mine) > 1 or not (mine.pop()[2] or 9.0) <= 1.0
    # Whatever comes later, what is open is what was rejected and has not come right since.
    later = [(*row, None) for row in later]
    second = moved(spark, first, later, "r2")
    right = {tuple(row)[:2] for row in good_rows(judged(spark, later), THINGS).collect()}
    rejected_later = set(moved(spark, {}, later, "r2"))
    for row_id, row in first.items():
        key = json.loads(row.row_key) if row.row_key else {}
        came_right = (key.get("a"), 1) in right if key else False
        expected = "resolved" if came_right and row_id not in rejected_later else "open"
        assert second[row_id].status == expected
