import datetime as dt

import pandas as pd
import pytest

from nextbest.features.labels import labels

pytestmark = pytest.mark.integration
AS_OF = dt.date(2026, 3, 1)
ACTIONS = pd.DataFrame(
    [
        ("none", "none", 0.0),
        *[(a, c, x) for a, x in (("a", 0.5), ("b", 2.5)) for c in ("email", "sms")],
    ],
    columns=["action_id", "channel", "cost"],
)
KINDS = ("response", "opt_out")


def computed(spark, decisions, outcomes, kinds=KINDS, days=7):
    frames = [spark.createDataFrame(frame) for frame in (decisions, outcomes, ACTIONS)]
    found = labels(*frames, kinds, AS_OF, days).toPandas()
    return found.sort_values("decision_id", ignore_index=True)


def test_every_label_as_counted_by_hand(spark, make_log):
    log = make_log(seed=5)
    decisions, outcomes = log["decisions"], log["outcomes"]
    found = computed(spark, decisions, outcomes)
    assert list(found.columns) == ["decision_id", "matured", "reward", "value", *KINDS]
    assert len(found) == len(decisions)
    rows = decisions.sort_values("decision_id").merge(ACTIONS, on=["action_id", "channel"])
    rows = rows.sort_values("decision_id", ignore_index=True)
    for row, got in zip(rows.itertuples(), found.itertuples(), strict=True):
        closes = row.decided_at + pd.Timedelta(days=7)
        assert got.matured == (closes <= pd.Timestamp(AS_OF, tz="UTC"))
        if not got.matured:
            assert pd.isna([got.reward, got.value, got.response, got.opt_out]).all()
            continue
        mine = outcomes[outcomes["decision_id"] == row.decision_id]
        mine = mine[(mine["observed_at"] >= row.decided_at) & (mine["observed_at"] < closes)]
        assert got.reward == float((mine["reward"] > 0).any())
        assert got.value == pytest.approx(mine["value"].sum() - row.cost)
        assert got.response == float((mine["kind"] == "response").any())
        assert got.opt_out == float((mine["kind"] == "opt_out").any())
    assert found["matured"].nunique() == 2
    assert found.loc[found["matured"], "response"].sum() > 10


@pytest.mark.parametrize(
    ("seconds", "matured", "reward"),
    [(0, True, 1.0), (-1, True, 1.0), (1, False, None)],
    ids=["closes at midnight", "closed a second before", "closes a second after"],
)
def test_maturity_at_the_edge(spark, seconds, matured, reward):
    decided = pd.Timestamp("2026-02-22", tz="UTC") + pd.Timedelta(seconds=seconds)
    decisions = pd.DataFrame(
        {"decision_id": ["d"], "action_id": ["a"], "channel": ["email"], "decided_at": [decided]}
    )
    outcomes = pd.DataFrame(
        {
            "decision_id": ["d", "d", "d", "d"],
            "observed_at": [
                decided,
                decided + pd.Timedelta(days=7) - pd.Timedelta(microseconds=1),
                decided + pd.Timedelta(days=7),  # too late
                decided - pd.Timedelta(microseconds=1),  # too early
            ],
            "kind": ["response", "purchase", "opt_out", "opt_out"],
            "reward": [1.0, 1.0, 0.0, 0.0],
            "value": [10.0, 5.0, -100.0, -100.0],
        }
    )
    (found,) = computed(spark, decisions, outcomes).to_dict("records")
    assert found["matured"] == matured
    if matured:
        assert (found["reward"], found["opt_out"]) == (reward, 0.0)
        assert found["value"] == pytest.approx(14.5)
    else:
        assert pd.isna([found["reward"], found["value"], found["opt_out"]]).all()


def test_an_unknown_treatment_has_no_value(spark, make_log):
    log = make_log(seed=6)
    decisions = log["decisions"].assign(action_id="retired")
    found = computed(spark, decisions, log["outcomes"])
    assert found["value"].isna().all()
    assert found.loc[found["matured"], "reward"].notna().all()
