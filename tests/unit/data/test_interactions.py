from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nextbest.data.interactions import fatigue, interactions
from nextbest.data.world import customers

pytestmark = pytest.mark.unit
DAY = np.datetime64("2026-01-05")


def events(world, first, end):
    base = customers(world, end.astype(dt.date))
    return interactions(world, base, first, end).to_pandas()


def test_fatigue_is_what_the_contacts_of_seven_days_say(small_world, repeated):
    world = small_world(customers=3_000)
    base = customers(world, DAY.astype(dt.date))
    seen = events(world, DAY - 30, DAY + 3)
    midnight = pd.Timestamp(DAY, tz="UTC")
    week = seen[
        (seen["kind"] == "contact")
        & (seen["event_time"] >= midnight - pd.Timedelta(days=7))
        & (seen["event_time"] < midnight)
    ]
    counted = week["customer_id"].value_counts().reindex(base["customer_id"], fill_value=0)
    worn = fatigue(world, base, repeated(DAY, 3_000))
    np.testing.assert_array_equal(worn, np.minimum(counted, 6))
    assert counted.max() > 4


def test_fatigue_is_poisson_capped_at_six(small_world, repeated):
    world = small_world(customers=30_000)
    worn = fatigue(world, customers(world, dt.date(2026, 1, 5)), repeated(DAY, 30_000))
    counts = np.bincount(worn, minlength=7)
    assert len(counts) == 7
    chances = stats.poisson.pmf(np.arange(6), 1.2)
    expected = 30_000 * np.append(chances, 1 - chances.sum())
    assert stats.chisquare(counts, expected).pvalue > 1e-3


def test_a_day_is_the_same_whatever_is_asked_around_it(small_world):
    world = small_world()
    narrow, wide = events(world, DAY, DAY + 1), events(world, DAY - 5, DAY + 4)
    midnight = pd.Timestamp(DAY, tz="UTC")
    inside = (wide["event_time"] >= midnight) & (
        wide["event_time"] < midnight + pd.Timedelta(days=1)
    )
    same = wide[inside].sort_values("event_id", ignore_index=True)
    pd.testing.assert_frame_equal(same, narrow.sort_values("event_id", ignore_index=True))
    assert wide["event_id"].is_unique


def test_habits_follow_attributes(small_world):
    world = small_world(customers=5_000)
    seen = events(world, DAY - 30, DAY)
    base = customers(world, dt.date(2026, 1, 5)).set_index("customer_id")
    for kind, attribute in {"visit": "digital_affinity", "service_call": "service_need"}.items():
        mean = base.loc[seen.loc[seen["kind"] == kind, "customer_id"], attribute].mean()
        assert mean > base[attribute].mean() + 0.25
    assert seen.loc[seen["kind"] == "purchase", "amount"].gt(0).all()
    assert seen.loc[seen["kind"] != "purchase", "amount"].isna().all()
    assert len(seen) / 30 / 5_000 == pytest.approx(0.29, abs=0.02)


def test_newcomers_leave_no_trace_before_they_arrive(small_world):
    calm, drifting = small_world(), small_world(drift="covariate", drift_from=dt.date(2026, 1, 5))
    before, after = events(calm, DAY - 9, DAY + 9), events(drifting, DAY - 9, DAY + 9)
    old = after["customer_id"] < "c-0000400"
    pd.testing.assert_frame_equal(
        after[old].sort_values("event_id", ignore_index=True),
        before.sort_values("event_id", ignore_index=True),
    )
    assert after.loc[~old, "event_time"].min() >= pd.Timestamp(DAY, tz="UTC")
    assert (~old).sum() > 200
