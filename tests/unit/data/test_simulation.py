from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from nextbest.data import simulation
from nextbest.data.contracts import contracts
from nextbest.data.interactions import fatigue
from nextbest.data.logging_policy import logging_probabilities
from nextbest.data.simulation import simulate
from nextbest.data.truth import truth
from nextbest.data.world import TREATMENTS, customers
from nextbest.decisions.eligibility import with_eligible
from nextbest.errors import DataError

pytestmark = pytest.mark.integration
DAY = dt.date(2026, 1, 5)
NEXT = DAY + dt.timedelta(days=1)
KEYS = {name: list(contract.keys) for name, contract in contracts("simulated").items()}


def rows(frames, name):
    """A frame as pandas, in the order of its key; arrays as tuples, so that they compare."""
    found = frames[name].toArrow().to_pandas()
    if "eligible" in found:
        found["eligible"] = found["eligible"].map(tuple)
    return found.sort_values(KEYS[name], ignore_index=True)


@pytest.fixture(scope="module")
def first(spark, small_world):
    """The first day of a world that nobody but the logging policy ever acted in."""
    return simulate(spark, small_world(), DAY, None)


@pytest.fixture(scope="module")
def ours(spark, first):
    """The table after the first day: what was logged, and our own decisions for that day."""
    base = first["customers"].limit(60).select("customer_id").toArrow().to_pandas()
    own = pd.DataFrame(
        {
            "decision_id": [f"own-{who}" for who in base["customer_id"]],
            "customer_id": base["customer_id"],
            "decided_at": pd.Timestamp(DAY, tz="UTC") + pd.Timedelta(hours=8),
            "treatment": "home_internet:email",
            "policy": "nba",
        }
    )
    own = spark.createDataFrame(pa.Table.from_pandas(own, preserve_index=False))
    names = own.columns
    return first["decisions"].select(*names).unionByName(own)


def test_frames_keep_their_contracts_and_their_sizes(first):
    for name, contract in contracts("simulated").items():
        found = {f.name: f.dataType.simpleString() for f in first[name].schema.fields}
        assert found == {column.name: column.type for column in contract.columns}
    assert first["customers"].count() == 400
    assert first["actions"].count() == 29
    log = rows(first, "decisions")
    assert log.groupby(log["decided_at"].dt.date).size().to_dict() == {
        DAY - dt.timedelta(days=k): 100 for k in range(1, 9)
    }
    seen = first["interactions"].agg(F.min("event_time"), F.max("event_time")).first()
    assert seen[0].date() == DAY - dt.timedelta(days=38)
    assert seen[1].date() == DAY - dt.timedelta(days=1)
    assert (rows(first, "outcomes")["observed_at"] < pd.Timestamp(DAY, tz="UTC")).all()


def test_the_same_day_again_gives_the_same_rows(spark, small_world, first):
    again = simulate(spark, small_world(), DAY, first["decisions"])
    for name in first:
        pd.testing.assert_frame_equal(rows(again, name), rows(first, name))


def test_the_next_day_adds_a_day_and_late_outcomes_and_changes_nothing(spark, small_world, first):
    second = simulate(spark, small_world(), NEXT, first["decisions"])
    for name in ("customers", "actions"):
        pd.testing.assert_frame_equal(rows(second, name), rows(first, name))
    for name in ("decisions", "interactions"):
        old, new = rows(first, name), rows(second, name)
        key = KEYS[name][0]
        both = old[old[key].isin(new[key])].reset_index(drop=True)
        pd.testing.assert_frame_equal(new[new[key].isin(old[key])].reset_index(drop=True), both)
        time = "decided_at" if name == "decisions" else "event_time"
        days = new[time].dt.date
        assert (set(days) - set(old[time].dt.date)) == {DAY}
        assert (new.loc[~new[key].isin(old[key]), time].dt.date == DAY).all()
    old, new = rows(first, "outcomes"), rows(second, "outcomes")
    midnight = pd.Timestamp(DAY, tz="UTC")
    known = new[new["observed_at"] < midnight].reset_index(drop=True)
    pd.testing.assert_frame_equal(known, old)
    assert (new["observed_at"] < midnight + pd.Timedelta(days=1)).all()


def test_days_on_which_we_acted_are_not_logged_again(spark, small_world, ours):
    second = simulate(spark, small_world(), NEXT, ours)
    days = rows(second, "decisions")["decided_at"].dt.date
    assert DAY not in set(days)
    assert len(days) == 700


def test_outcomes_answer_our_own_decisions_when_their_time_has_come(spark, small_world, ours):
    world = small_world()
    today = rows(simulate(spark, world, DAY, ours), "outcomes")
    assert not today["decision_id"].str.startswith("own-").any()
    later = DAY + dt.timedelta(days=30)
    found = rows(simulate(spark, world, later, ours), "outcomes")
    mine = found[found["decision_id"].str.startswith("own-")]
    assert set(mine["kind"]) <= {"response", "purchase", "opt_out"}
    assert len(mine) > 0
    assert (mine["observed_at"] > pd.Timestamp(DAY, tz="UTC") + pd.Timedelta(hours=8)).all()
    # The window has moved on; what the logging policy did before it is still answered.
    old = rows({"decisions": ours}, "decisions")
    old = old.loc[old["policy"] == "logging", "decision_id"]
    first_week = found[found["decision_id"].isin(old)]
    fresh = rows(simulate(spark, small_world(history_days=38), later, None), "outcomes")
    expected = fresh[fresh["decision_id"].isin(old)]
    pd.testing.assert_frame_equal(
        first_week.reset_index(drop=True), expected.reset_index(drop=True)
    )


def test_propensities_are_those_of_the_policy(small_world, first):
    world = small_world()
    log = rows(first, "decisions")
    base = customers(world, DAY).set_index("customer_id", drop=False)
    who = base.loc[log["customer_id"]].reset_index(drop=True)
    days = log["decided_at"].dt.tz_localize(None).to_numpy().astype("datetime64[D]")
    policy = logging_probabilities(world, who, days, fatigue(world, who, days))
    at = pd.Index(TREATMENTS).get_indexer(log["treatment"])
    np.testing.assert_allclose(log["propensity"], policy[np.arange(len(log)), at], rtol=1e-12)
    for eligible, allowed in zip(log["eligible"], policy > 0, strict=True):
        assert eligible == tuple(np.array(TREATMENTS)[allowed])
    assert (log["treatment"] == log["action_id"] + ":" + log["channel"]).sum() == (at > 0).sum()


def test_eligibility_rules_are_the_worlds_own(spark, small_world, first):
    table = rows(first, "actions")
    judged = with_eligible(first["customers"], table, DAY).toPandas().sort_values("customer_id")
    base = customers(small_world(), DAY)
    known = truth(small_world(), base, DAY, np.zeros(400))
    found = [[t in names for t in TREATMENTS] for names in judged["eligible"]]
    np.testing.assert_array_equal(found, known.eligible)


def test_drift_leaves_the_days_before_alone(spark, small_world, first):
    for drift in ("concept", "covariate"):
        drifting = simulate(spark, small_world(drift=drift), DAY, None)
        for name in ("actions", "interactions", "decisions", "outcomes"):
            pd.testing.assert_frame_equal(rows(drifting, name), rows(first, name))
        added = 200 if drift == "covariate" else 0
        pd.testing.assert_frame_equal(rows(drifting, "customers")[:400], rows(first, "customers"))
        assert drifting["customers"].count() == 400 + added


def test_drift_moves_what_it_should_from_its_day_on(spark, small_world):
    begin = DAY - dt.timedelta(days=4)
    calm = simulate(spark, small_world(), DAY, None)
    concept = simulate(spark, small_world(drift="concept", drift_from=begin), DAY, None)
    covariate = simulate(spark, small_world(drift="covariate", drift_from=begin), DAY, None)
    for name in ("customers", "interactions", "decisions"):
        pd.testing.assert_frame_equal(rows(concept, name), rows(calm, name))
    was, now = rows(calm, "outcomes"), rows(concept, "outcomes")
    other = was[was["kind"] != "response"].reset_index(drop=True)
    pd.testing.assert_frame_equal(now[now["kind"] != "response"].reset_index(drop=True), other)
    log = rows(covariate, "decisions")
    newcomers = log["customer_id"] >= "c-0000400"
    since = log["decided_at"] >= pd.Timestamp(begin, tz="UTC")
    assert newcomers[~since].sum() == 0
    assert 0.2 < newcomers[since].mean() < 0.47


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"treatment": "12:position-1"}, r"1 of 60 rows hold a treatment .* '12:position-1'"),
        ({"customer_id": "random-17"}, r"1 of 60 rows are of customers .* 'random-17'"),
    ],
)
def test_a_table_of_another_source_is_refused(spark, small_world, ours, change, message):
    one = F.col("decision_id") == "own-c-0000000"
    table = ours.where(F.col("policy") == "nba").select(
        *[
            F.when(one, F.lit(change[c])).otherwise(F.col(c)).alias(c) if c in change else c
            for c in ours.columns
        ]
    )
    with pytest.raises(DataError, match=message):
        simulate(spark, small_world(), NEXT, table)


def test_a_world_too_large_for_one_message_is_refused(spark, small_world, monkeypatch):
    monkeypatch.setattr(simulation, "_MESSAGE_BYTES", 20_000)
    with pytest.raises(DataError, match=r"customers: 400 simulated rows are .* lower 'customers'"):
        simulate(spark, small_world(), DAY, None)
