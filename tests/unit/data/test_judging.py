from __future__ import annotations

import dataclasses
import datetime as dt
import json

import pytest
from pyspark.sql import functions as F

from nextbest.data.contracts import Column, Contract, contracts
from nextbest.data.judging import judge
from nextbest.data.simulation import simulate
from nextbest.errors import DataError

DECISIONS, OUTCOMES = (contracts("simulated")[name] for name in ("decisions", "outcomes"))
AS_OF = dt.date(2026, 1, 6)
NOON = dt.datetime(2026, 1, 5, 12, 0, 0, 1)
MIDNIGHT = dt.datetime(2026, 1, 6)
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
LATE = "decided_at is before the day that is read"
BROKEN = {
    "no chance": ({"propensity": 0.0}, {"0 < propensity <= 1"}),
    "too much": ({"propensity": 1.5}, {"0 < propensity <= 1"}),
    "no number": ({"propensity": float("nan")}, {"propensity is finite", "0 < propensity <= 1"}),
    "no end": ({"expected_value": float("inf")}, {"expected_value is finite"}),
    "not eligible": ({"eligible": ["none"]}, {"treatment is eligible"}),
    "no set": ({"eligible": None}, {"eligible is not null", "treatment is eligible"}),
    "not itself": ({"channel": "push"}, {"treatment is none or action:channel"}),
    "a stranger": ({"customer_id": "c-9"}, {"customer_id is in customers"}),
    "too late": ({"decided_at": MIDNIGHT}, {LATE}),
    "twice": ({}, {"decision_id is unique"}),
    "several": (
        {"propensity": None, "p_response": 2.0, "policy": None, "customer_id": None},
        {
            "propensity is not null",
            "policy is not null",
            "customer_id is not null",
            "0 < propensity <= 1",
            "0 <= p_response <= 1",
            "customer_id is in customers",
        },
    ),
}
KNOWN = {
    "customers": [{"customer_id": "c-1"}, {"customer_id": "c-2"}],
    "actions": [{"treatment": "none"}, {"treatment": "plan:sms"}],
    "decisions": [{"decision_id": "d-1", "decided_at": NOON}],
}


def schema(contract):
    return ", ".join(f"{column.name} {column.type}" for column in contract.columns)


def frame_of(spark, contract, rows):
    return spark.createDataFrame(
        [tuple(r[n] for n in contract.names) for r in rows], schema(contract)
    )


def decisions(spark):
    """Three good rows, one of them also as a copy, and one per entry of BROKEN (twice: two)."""
    rows = [{"decision_id": "good", **GOOD}, {"decision_id": "better", **GOOD, "p_response": 1.0}]
    last = dt.datetime(2026, 1, 5, 23, 59, 59, 999_999)
    rows += 2 * [{"decision_id": "copied", **GOOD, "decided_at": last}]
    rows += [{"decision_id": name, **GOOD, **change} for name, (change, _) in BROKEN.items()]
    rows.append({"decision_id": "twice", **GOOD, "policy": "other"})
    return frame_of(spark, DECISIONS, rows)


def parents(spark):
    return {
        name: spark.createDataFrame([tuple(row.values()) for row in rows], list(rows[0]))
        for name, rows in KNOWN.items()
    }


def judged(spark, frame, contract=DECISIONS):
    return judge(frame, contract, "simulated", AS_OF, parents(spark))


@pytest.mark.integration
def test_every_broken_row_names_every_rule(spark):
    frame = decisions(spark)
    found = judged(spark, frame).collect()
    assert len(found) == frame.count()
    good = sorted(row.decision_id for row in found if row._rules is None)
    assert good == ["better", "copied", "good"]
    assert all((row._rules is None) == (row._row is None) for row in found)
    rules = [(row.decision_id, frozenset(row._rules)) for row in found if row._rules is not None]
    expected = [(name, frozenset(rules)) for name, (_, rules) in BROKEN.items()]
    expected += [("twice", BROKEN["twice"][1]), ("copied", {"decision_id is unique"})]
    assert sorted(rules, key=str) == sorted([(n, frozenset(r)) for n, r in expected], key=str)


@pytest.mark.integration
def test_a_broken_row_is_told_whole(spark):
    found = judged(spark, decisions(spark)).where("policy = 'other'").first()
    assert json.loads(found._row) == {
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
def test_text_that_is_no_number_breaks_a_rule_of_its_row(spark):
    text = {
        "decision_id": "d", "customer_id": "c-1", "decided_at": "2026-01-05 12:00:00",
        "eligible": '["none", "plan:sms"]', "treatment": "plan:sms", "action_id": "plan",
        "channel": "sms", "propensity": "0.25", "policy": "p", "policy_version": "1",
        "control_group": "false", "seed": "7", "p_response": None, "expected_value": "1e3",
        "reason_code": None,
    }  # fmt: skip
    changes = {
        "good": {},
        "words": {"propensity": "a third"},
        "fraction": {"seed": "1.5"},
        "day": {"decided_at": "the fifth", "control_group": "perhaps"},
        "list": {"eligible": "none, plan:sms"},
        "number": {"p_response": "NaN", "expected_value": "much"},
    }
    rows = [{**text, "decision_id": name, **change} for name, change in changes.items()]
    names = DECISIONS.names
    frame = spark.createDataFrame(
        [tuple(row[name] for name in names) for row in rows],
        ", ".join(f"{n} string" for n in names),
    )
    found = {row.decision_id: row for row in judged(spark, frame).collect()}
    assert {name: row._rules and set(row._rules) for name, row in found.items()} == {
        "good": None,
        "words": {"propensity reads as double", "0 < propensity <= 1"},
        "fraction": {"seed reads as bigint"},
        "day": {"decided_at reads as timestamp", "control_group reads as boolean", LATE},
        "list": {"eligible reads as array<string>", "treatment is eligible"},
        "number": {
            "p_response is finite", "0 <= p_response <= 1", "expected_value reads as double",
        },
    }  # fmt: skip
    good = found["good"]
    assert (good.propensity, good.seed, good.control_group) == (0.25, 7, False)
    assert (good.eligible, good.expected_value) == (["none", "plan:sms"], 1000.0)
    assert json.loads(found["words"]._row)["propensity"] == "a third"


@pytest.mark.integration
def test_an_outcome_belongs_to_a_decision_and_comes_after_it(spark):
    moments = {"same": NOON, "before": NOON - dt.timedelta(microseconds=1), "after": MIDNIGHT}
    good = {"decision_id": "d-1", "kind": "response", "reward": 1.0, "value": 3.0}
    for name, observed in moments.items():
        frame = frame_of(spark, OUTCOMES, [good | {"observed_at": observed}])
        (row,) = judged(spark, frame, OUTCOMES).collect()
        expected = {
            "same": None,
            "before": ["observed_at is not before decided_at"],
            "after": ["observed_at is before the day that is read"],
        }
        assert row._rules == expected[name]
    lost = frame_of(spark, OUTCOMES, [good | {"observed_at": NOON, "decision_id": "d-2"}])
    assert judged(spark, lost, OUTCOMES).first()._rules == ["decision_id is in decisions"]


@pytest.mark.integration
def test_rows_without_a_key_are_no_copies_of_each_other(spark):
    columns = (Column("a", "bigint", "a"), Column("b", "string", "b", True))
    frame = spark.createDataFrame([(1, "x"), (None, "y"), (None, "z")], "a bigint, b string")
    found = judge(frame, Contract("t", columns, ("a",), {}), "s", AS_OF, {}).collect()
    assert [row._rules for row in found if row.a is None] == 2 * [["a is not null"]]


@pytest.mark.integration
def test_wrong_columns_are_refused_all_at_once(spark):
    columns = (
        Column("thing_id", "string", "which"),
        Column("weight", "double", "kg"),
        Column("made_at", "timestamp", "when"),
    )
    frame = spark.createDataFrame([("a", 1, 2)], "thing_id string, weight int, maid_at int")
    with pytest.raises(DataError) as error:
        judge(frame, Contract("things", columns, ("thing_id",), {}), "shop", AS_OF, {})
    assert str(error.value) == (
        "table things from shop: columns 'made_at' is missing (timestamp); 'weight' is int, not"
        " double: cast it, or hand it over as text; 'maid_at' is no column of it: did you mean"
        " 'made_at'?"
    )


@pytest.mark.integration
def test_every_simulated_row_keeps_its_contract(spark, small_world):
    frames = simulate(spark, small_world(), dt.date(2026, 1, 5), None)
    for name, contract in contracts("simulated").items():
        found = judge(frames[name], contract, "simulated", dt.date(2026, 1, 5), frames)
        assert found.where("_rules IS NOT NULL").count() == 0
        assert found.count() == frames[name].count() > 0


@pytest.mark.slow
def test_both_engines_judge_alike(spark, on_both_engines, assert_same_rows):
    # Rows of other tables can't be handed over here; a join on equal keys is the same anywhere.
    alone = dataclasses.replace(DECISIONS, references=())
    asked = {"contract": alone, "source": "simulated", "as_of": AS_OF, "known": {}}
    typed = decisions(spark).where("decision_id != 'copied'")
    text = typed.select(
        *[
            (F.to_json(name) if name == "eligible" else F.col(name).cast("string")).alias(name)
            for name in DECISIONS.names
        ]
    ).withColumn("seed", F.when(F.col("policy") == "other", "x").otherwise(F.col("seed")))
    pairs = on_both_engines([(judge, {"frame": frame.toArrow()}, asked) for frame in (typed, text)])
    for ours, theirs in pairs:
        assert_same_rows(ours, theirs, ("decision_id", "policy"))
        assert len(ours) == 2 + len(BROKEN) + 1
