from __future__ import annotations

import datetime as dt
import json

import pandas as pd
import pytest
from pyspark.sql import functions as F

from nextbest.data.contracts import QUARANTINE, Column, Contract, contracts
from nextbest.data.quarantine import check
from nextbest.data.simulation import simulate
from nextbest.errors import DataError

DECISIONS = contracts("simulated")["decisions"]
SCHEMA = ", ".join(f"{column.name} {column.type}" for column in DECISIONS.columns)
NOON = dt.datetime(2026, 1, 5, 12, 0, 0, 1)
GOOD = {
    "customer_id": "c-1",
    "decided_at": NOON,
    "eligible": ["none", "plan:sms"],
    "treatment": "plan:sms",
    "action_id": "plan",
    "channel": "sms",
    "propensity": 0.1 + 0.2,
    "policy": "logging",
    "policy_version": "1",
    "control_group": False,
    "seed": 7,
    "p_response": None,
    "expected_value": 1e-7,
    "reason_code": None,
}
BROKEN = {
    "no chance": ({"propensity": 0.0}, {"0 < propensity <= 1"}),
    "too much": ({"propensity": 1.5}, {"0 < propensity <= 1"}),
    "no number": (
        {"propensity": float("nan")},
        {"propensity is finite", "0 < propensity <= 1"},
    ),
    "no end": ({"expected_value": float("inf")}, {"expected_value is finite"}),
    "not eligible": ({"eligible": ["none"]}, {"treatment is eligible"}),
    "no set": ({"eligible": None}, {"eligible is not null", "treatment is eligible"}),
    "not itself": ({"channel": "push"}, {"treatment is none or action:channel"}),
    "twice": ({}, {"decision_id is unique"}),
    "several": (
        {"propensity": None, "p_response": 2.0, "policy": None},
        {
            "propensity is not null",
            "policy is not null",
            "0 < propensity <= 1",
            "0 <= p_response <= 1",
        },
    ),
}


def decisions(spark):
    """Two good rows, and one per entry of BROKEN (twice: two)."""
    rows = [{"decision_id": "good", **GOOD}, {"decision_id": "better", **GOOD, "p_response": 1.0}]
    rows += [{"decision_id": name, **GOOD, **change} for name, (change, _) in BROKEN.items()]
    rows.append({"decision_id": "twice", **GOOD, "policy": "other"})
    names = [column.name for column in DECISIONS.columns]
    return spark.createDataFrame([tuple(row[name] for name in names) for row in rows], SCHEMA)


@pytest.mark.integration
def test_rejected_rows_are_whole_and_name_every_rule(spark):
    frame = decisions(spark)
    good, rejected = check(frame, DECISIONS, "run-1", "simulated")
    assert good.columns == frame.columns
    assert sorted(row.decision_id for row in good.collect()) == ["better", "good"]
    found = rejected.orderBy("row_number").collect()
    assert [row.row_number for row in found] == list(range(1, len(BROKEN) + 2))
    rules = {json.loads(row.row)["decision_id"]: set(row.rules) for row in found}
    assert rules == {name: expected for name, (_, expected) in BROKEN.items()}
    assert {(row.source, row.run_id) for row in found} == {("simulated.decisions", "run-1")}
    whole = next(w for w in (json.loads(row.row) for row in found) if w.get("policy") == "other")
    assert whole == {
        "decision_id": "twice",
        "customer_id": "c-1",
        "decided_at": "2026-01-05 12:00:00.000001",
        "eligible": ["none", "plan:sms"],
        "treatment": "plan:sms",
        "action_id": "plan",
        "channel": "sms",
        "propensity": "0.30000000000000004",
        "policy": "other",
        "policy_version": "1",
        "control_group": "false",
        "seed": "7",
        "expected_value": "1.0E-7",
    }


@pytest.mark.integration
def test_the_quarantine_keeps_a_contract_itself(spark):
    _, rejected = check(decisions(spark), DECISIONS, "run-1", "simulated")
    good, none = check(rejected, QUARANTINE, "run-1", "quarantine")
    assert (good.count(), none.count()) == (len(BROKEN) + 1, 0)


@pytest.mark.slow
def test_both_engines_judge_alike(spark, on_both_engines, assert_same_rows):
    asked = {"contract": DECISIONS, "run_id": "run-1", "source": "simulated"}
    ((ours, theirs),) = on_both_engines([(check, {"frame": decisions(spark).toArrow()}, asked)])
    assert_same_rows(ours[0], theirs[0], ("decision_id",))
    assert_same_rows(ours[1], theirs[1], ("row_number",))
    assert (len(ours[0]), len(ours[1])) == (2, len(BROKEN) + 1)


@pytest.mark.integration
def test_wrong_columns_are_refused_all_at_once(spark):
    contract = Contract(
        "things",
        (
            Column("thing_id", "string", "which"),
            Column("weight", "double", "kg"),
            Column("made_at", "timestamp", "when"),
        ),
        ("thing_id",),
        {},
    )
    frame = spark.createDataFrame([("a", 1, 2)], "thing_id string, weight int, maid_at int")
    with pytest.raises(DataError) as error:
        check(frame, contract, "run-1", "shop")
    assert str(error.value) == (
        "table things from shop: columns 'made_at' is missing (timestamp); 'weight' is int, not"
        " double: cast it; 'maid_at' is no column of it: did you mean 'made_at'?"
    )


@pytest.mark.integration
def test_a_key_of_two_columns_and_nothing_to_reject(spark):
    contract = Contract(
        "t", (Column("a", "bigint", "a"), Column("b", "string", "b", True)), ("a", "b"), {}
    )
    frame = spark.createDataFrame([(1, "x"), (1, "y"), (2, None)], "a bigint, b string")
    good, rejected = check(frame, contract, "r", "s")
    assert (good.count(), rejected.count()) == (3, 0)


@pytest.mark.integration
def test_every_simulated_row_keeps_its_contract(spark, small_world):
    frames = simulate(spark, small_world(), dt.date(2026, 1, 5), None)
    for name, contract in contracts("simulated").items():
        good, rejected = check(frames[name], contract, "run-1", "simulated")
        assert rejected.count() == 0
        assert good.count() == frames[name].count() > 0


@pytest.mark.integration
def test_nothing_is_lost(spark, small_world):
    frames = simulate(spark, small_world(), dt.date(2026, 1, 5), None)
    contract = contracts("simulated")["outcomes"]
    spoiled = frames["outcomes"].withColumn(
        "value", F.when(F.col("value") > 30.0, F.lit(None)).otherwise(F.col("value"))
    )
    good, rejected = check(spoiled, contract, "run-1", "simulated")
    kept = good.toArrow().to_pandas()
    lost = pd.DataFrame([json.loads(row.row) for row in rejected.collect()])
    assert len(lost) > 0
    assert sorted([*kept["decision_id"], *lost["decision_id"]]) == sorted(
        row.decision_id for row in frames["outcomes"].select("decision_id").collect()
    )
