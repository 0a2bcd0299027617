import datetime as dt

import pandas as pd
import pytest

from nextbest.decisions.eligibility import decision_time, with_eligible
from nextbest.errors import DataError

pytestmark = pytest.mark.integration

DAY = dt.date(2026, 1, 31)


@pytest.fixture
def customers(spark):
    rows = [("a", True, 30.0), ("b", False, 3.0), ("c", None, None)]
    return spark.createDataFrame(
        rows, "customer_id string, sms_consent boolean, tenure_months double"
    )


def eligible(frame):
    return {row["customer_id"]: row["eligible"] for row in frame.collect()}


def test_rules_in_the_order_of_treatments(customers, actions):
    assert eligible(with_eligible(customers, actions, DAY)) == {
        "a": ["none", "roaming:email", "roaming:sms", "upgrade:email", "upgrade:sms"],
        "b": ["none", "upgrade:email"],
        "c": ["none", "upgrade:email"],  # a rule that is null does not hold
    }


def test_nan_is_not_greater_than_every_number(spark, actions):
    frame = spark.sql("SELECT 'a' customer_id, true sms_consent, double('NaN') tenure_months")
    found = with_eligible(frame, actions, DAY).collect()[0]
    assert found["eligible"] == ["none", "upgrade:email", "upgrade:sms"]
    assert found["tenure_months"] is None


def test_validity_is_judged_at_the_decision(customers, actions):
    moment = pd.Timestamp(decision_time(DAY)).tz_localize(None)
    starts = {"upgrade:email": moment, "roaming:email": moment + pd.Timedelta(seconds=1)}
    ends = {"upgrade:sms": moment, "roaming:sms": moment + pd.Timedelta(seconds=1)}
    actions["valid_from"] = pd.to_datetime(actions["treatment"].map(starts))
    actions["valid_to"] = pd.to_datetime(actions["treatment"].map(ends))
    found = eligible(with_eligible(customers, actions, DAY))
    assert found["a"] == ["none", "roaming:sms", "upgrade:email"]


def test_nobody_is_lost(customers, actions):
    actions["eligibility"] = "sms_consent"
    assert eligible(with_eligible(customers, actions, DAY))["b"] == ["none"]
    without = actions[actions["treatment"] != "none"]
    with pytest.raises(DataError, match="2 customers have no eligible treatment on 2026-01-31"):
        with_eligible(customers, without, DAY)
    expired = actions.assign(valid_to=pd.Timestamp("2026-01-01"))
    assert eligible(with_eligible(customers, expired, DAY)) == dict.fromkeys("abc", ["none"])


def test_bad_rules_are_named_together(customers, actions):
    actions["eligibility"] = ["true", "tenur_months > 3", "tenure_months", "true", "sms_consent ("]
    with pytest.raises(DataError) as refused:
        with_eligible(customers, actions, DAY)
    message = str(refused.value)
    assert "upgrade:sms: rule \"tenur_months > 3\": unknown column 'tenur_months'" in message
    assert "did you mean 'tenure_months'?" in message
    assert "it is double, not boolean" in message
    assert 'roaming:sms: rule "sms_consent ("' in message
    assert "true" not in message


def test_missing_columns_are_named(customers, actions):
    with pytest.raises(DataError, match="columns eligibility, valid_to are missing"):
        with_eligible(customers, actions.drop(columns=["eligibility", "valid_to"]), DAY)
