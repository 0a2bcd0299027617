from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from nextbest.data.interactions import fatigue
from nextbest.data.outcomes import outcomes
from nextbest.data.truth import expected_net_value
from nextbest.data.world import COSTS, TREATMENTS, customers

pytestmark = pytest.mark.integration
DAY = np.datetime64("2026-01-05")


def uniform_decisions(world, per_treatment):
    """Every treatment for many customers, over 20 days, eligible or not."""
    rng = np.random.default_rng(0)
    count = per_treatment * len(TREATMENTS)
    minutes = rng.integers(0, 20 * 1440, count) * np.timedelta64(1, "m")
    return pd.DataFrame(
        {
            "row": rng.integers(0, world.customers, count),
            "decided_at": DAY.astype("datetime64[us]") + minutes,
            "treatment": np.repeat(np.arange(len(TREATMENTS)), per_treatment),
            "decision_id": [f"d{n}" for n in range(count)],
        }
    )


@pytest.fixture(scope="module")
def told(small_world):
    """World, decisions, and all their outcomes, a year later."""
    world = small_world(customers=3_000)
    base = customers(world, dt.date(2026, 1, 5))
    decisions = uniform_decisions(world, 6_000)
    found = outcomes(world, base, decisions, dt.date(2027, 1, 1)).to_pandas()
    return world, base, decisions, found.merge(decisions, on="decision_id")


def test_realised_net_value_agrees_with_the_truth(told):
    world, base, decisions, found = told
    in_time = found[found["observed_at"].dt.tz_localize(None) - found["decided_at"] <= "7D"]
    value = in_time.groupby("decision_id")["value"].sum()
    treatment = decisions["treatment"].to_numpy()
    realised = decisions["decision_id"].map(value).fillna(0.0).to_numpy() - COSTS[treatment]
    who = base.iloc[decisions["row"]]
    days = decisions["decided_at"].to_numpy().astype("datetime64[D]")
    expected = expected_net_value(world, who, days, fatigue(world, who, days))
    gap = realised - expected[np.arange(len(decisions)), treatment]
    gap = pd.Series(gap).groupby(treatment)
    z = gap.mean() / (gap.std() / np.sqrt(gap.size()))
    assert len(z) == 29
    assert np.abs(z).max() < 4
    assert (z**2).sum() < 56.9  # chi-square(29), .001


def test_values_follow_from_the_tables(told):
    _, base, _, found = told
    margin = base["monthly_margin"].to_numpy()[found["row"]]
    months = found["value"] / margin
    assert np.allclose(months[found["kind"] == "purchase"], 1.0)
    assert np.allclose(months[found["kind"] == "opt_out"], -2.0)
    plan = (found["kind"] == "response") & (
        found["treatment"] == TREATMENTS.index("family_plan:call")
    )
    assert np.allclose(months[plan], 0.70)
    assert (found["reward"] == (found["kind"] != "opt_out")).all()


def test_none_brings_organic_purchases_only(told):
    found = told[3]
    assert set(found.loc[found["treatment"] == 0, "kind"]) == {"purchase"}


def test_some_conversions_land_after_a_week(told):
    found = told[3]
    delay = found["observed_at"].dt.tz_localize(None) - found["decided_at"]
    assert (delay >= pd.Timedelta(0)).all()
    converted = found["kind"] != "opt_out"
    assert 0.05 < (delay[converted] > "7D").mean() < 0.09
    call = np.array([t.endswith(":call") for t in TREATMENTS])[found["treatment"]]
    responded = found["kind"] == "response"
    assert delay[responded & call].mean() / pd.Timedelta(days=1) == pytest.approx(0.5, abs=0.05)
    assert delay[responded & ~call].mean() / pd.Timedelta(days=1) == pytest.approx(3, abs=0.3)


def test_a_later_day_sees_more_and_changes_nothing(told):
    world, base, decisions, _ = told
    early = outcomes(world, base, decisions, dt.date(2026, 1, 20)).to_pandas()
    late = outcomes(world, base, decisions, dt.date(2026, 1, 21)).to_pandas()
    assert (early["observed_at"] < pd.Timestamp("2026-01-20", tz="UTC")).all()
    old = late[late["observed_at"] < pd.Timestamp("2026-01-20", tz="UTC")]
    pd.testing.assert_frame_equal(old.reset_index(drop=True), early)
    assert len(late) > len(early) > 100


def test_what_comes_of_a_decision_does_not_depend_on_company(told):
    world, base, decisions, found = told
    some = decisions.sample(20_000, random_state=1)
    alone = outcomes(world, base, some, dt.date(2027, 1, 1)).to_pandas()
    columns = list(alone.columns)
    expected = found.loc[found["decision_id"].isin(some["decision_id"]), columns]
    keys = ["decision_id", "kind"]
    pd.testing.assert_frame_equal(
        alone.sort_values(keys, ignore_index=True),
        expected.sort_values(keys, ignore_index=True),
    )
