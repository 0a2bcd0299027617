from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from nextbest.data.world import (
    ATTRIBUTES,
    SEGMENTS,
    TREATMENTS,
    actions,
    customer_numbers,
    customers,
    eligible,
)
from nextbest.errors import DataError, SettingsError

pytestmark = pytest.mark.unit
DAY = dt.date(2026, 1, 5)


def test_every_wrong_setting_is_reported_at_once(small_world):
    with pytest.raises(SettingsError) as error:
        small_world(history_days=0, decisions_per_day=500, drift="sudden")
    for part in ("'history_days' is 0", "500, more than the 400", "'sudden'"):
        assert part in str(error.value)


def test_customers_follow_the_stated_distributions(small_world):
    base = customers(small_world(customers=40_000), DAY)
    assert base["customer_id"].is_unique
    share = base["segment"].value_counts(normalize=True)
    for name, (expected, shift) in SEGMENTS.items():
        assert share[name] == pytest.approx(expected, abs=0.01)
        x = base.loc[base["segment"] == name, list(ATTRIBUTES)]
        means = np.array([shift.get(attribute, 0.0) for attribute in ATTRIBUTES])
        np.testing.assert_allclose(x.mean(), means, atol=0.06)
        np.testing.assert_allclose(x.std(), 1.0, atol=0.05)
    assert base["tenure_months"].between(0, 120).all()
    assert base["tenure_months"].median() == pytest.approx(25.6, abs=0.7)  # Gamma(1.6, 20)
    plain = base.loc[base["segment"] != "high_value", "monthly_margin"]
    rich = base.loc[base["segment"] == "high_value", "monthly_margin"]
    assert np.log(plain).mean() == pytest.approx(3.4, abs=0.02)
    assert np.log(plain).std() == pytest.approx(0.6, abs=0.02)
    assert rich.median() / plain.median() == pytest.approx(1.8, rel=0.05)
    assert base["call_consent"].mean() == pytest.approx(0.35, abs=0.01)
    assert base["sms_consent"].mean() == pytest.approx(0.80, abs=0.01)


def test_a_customer_is_the_same_in_a_larger_world(small_world):
    few, many = customers(small_world(), DAY), customers(small_world(customers=900), DAY)
    pd.testing.assert_frame_equal(few, many[:400])


def test_newcomers_arrive_with_covariate_drift_and_only_then(small_world):
    calm, drifting = small_world(), small_world(drift="covariate")
    before, after = DAY - dt.timedelta(days=1), DAY
    pd.testing.assert_frame_equal(customers(drifting, before), customers(calm, before))
    pd.testing.assert_frame_equal(customers(calm, before), customers(calm, after))
    pd.testing.assert_frame_equal(customers(drifting, after)[:400], customers(calm, after))
    assert len(customers(drifting, after)) == 600


def test_newcomers_differ_in_two_attributes_and_nothing_else(small_world):
    base = customers(small_world(customers=20_000, drift="covariate"), DAY)
    old, new = base[:20_000], base[20_000:]
    shift = new[list(ATTRIBUTES)].mean() - old[list(ATTRIBUTES)].mean()
    expected = [0, 2, -2, 0, 0, 0]
    np.testing.assert_allclose(shift, expected, atol=0.06)
    assert new["tenure_months"].mean() == pytest.approx(old["tenure_months"].mean(), rel=0.03)
    assert new["monthly_margin"].mean() == pytest.approx(old["monthly_margin"].mean(), rel=0.03)
    assert (new["segment"] == "loyal").mean() == pytest.approx(0.3, abs=0.02)


def test_there_are_29_treatments():
    table = actions()
    assert tuple(table["treatment"]) == TREATMENTS
    assert len(set(TREATMENTS)) == 29
    assert table.iloc[0][["action_id", "channel", "cost"]].tolist() == ["none", "none", 0.0]
    assert set(table["channel"]) == {"none", "email", "sms", "push", "call"}
    assert table.loc[table["channel"] == "call", "cost"].unique().tolist() == [2.5]


def test_eligibility_asks_for_consent_and_tenure(small_world):
    base = customers(small_world(), DAY)
    allowed = pd.DataFrame(eligible(base), columns=TREATMENTS)
    assert allowed["none"].all()
    assert allowed["home_internet:email"].all()
    assert (allowed["home_internet:call"] == base["call_consent"]).all()
    assert (allowed["home_internet:sms"] == base["sms_consent"]).all()
    assert (allowed["retention_discount:push"] == (base["tenure_months"] >= 12)).all()
    assert 0 < allowed.all(axis=1).mean() < 1


@pytest.mark.parametrize("stranger", ["random-17", "c-0000400", "c-12", "c-00000001", "", None])
def test_strangers_are_refused_by_name(stranger):
    ids = pd.Series(["c-0000000", "c-0000399", stranger], dtype=object)
    np.testing.assert_array_equal(customer_numbers(ids[:2], 400), [0, 399])
    with pytest.raises(DataError, match=r"1 of 3 rows are of customers") as error:
        customer_numbers(ids, 400)
    assert repr(stranger) in str(error.value)
