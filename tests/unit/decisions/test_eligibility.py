import datetime as dt

import pandas as pd
import pytest
from eligible_rows import eligible, rejected
from pyspark.sql import functions as F

from nextbest.decisions.contact_policy import ContactLimit, Suppression
from nextbest.decisions.eligibility import decision_time, rejection_counts, with_eligible
from nextbest.errors import DataError

pytestmark = pytest.mark.integration

DAY = dt.date(2026, 1, 31)


@pytest.fixture
def customers(spark):
    rows = [("a", True, 30.0), ("b", False, 3.0), ("c", None, None)]
    return spark.createDataFrame(
        rows, "customer_id string, sms_consent boolean, tenure_months double"
    )


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
    assert "it is a number, not boolean" in message
    assert 'roaming:sms: rule "sms_consent ("' in message
    assert "true" not in message


def test_missing_columns_are_named(customers, actions):
    with pytest.raises(DataError, match="columns eligibility, valid_to are missing"):
        with_eligible(customers, actions.drop(columns=["eligibility", "valid_to"]), DAY)


def test_columns_may_have_dots_in_their_names(customers, actions):
    found = with_eligible(customers.withColumn("a.b", F.lit(float("nan"))), actions, DAY)
    assert found.count() == customers.count()


def test_every_gate_gives_its_reason(customers, actions):
    gates = {"applicability": "tenure_months < 24", "suitability": "customer_id <> 'a'"}
    on = actions["treatment"] == "roaming:sms"
    for gate, rule in (gates | {"consent": "sms_consent"}).items():
        actions[gate] = [rule if it else None for it in on]
    actions.loc[on, "eligibility"] = "tenure_months >= 12"
    actions.loc[actions["treatment"] == "upgrade:sms", "valid_from"] = pd.Timestamp("2027-01-01")
    actions.loc[actions["treatment"] == "upgrade:email", "valid_to"] = pd.Timestamp("2026-01-01")
    found = with_eligible(customers, actions, DAY, reasons=True)
    assert eligible(found)["a"] == ["none", "roaming:email"]
    assert rejected(found) == {
        "a": {
            "roaming:sms": ["applicability", "suitability"],
            "upgrade:email": ["expired"],
            "upgrade:sms": ["not_yet_valid"],
        },
        "b": {
            "roaming:email": ["eligibility"],
            "roaming:sms": ["eligibility", "consent"],
            "upgrade:email": ["expired"],
            "upgrade:sms": ["not_yet_valid", "eligibility"],
        },
        "c": {
            "roaming:email": ["eligibility"],
            "roaming:sms": ["eligibility", "applicability", "consent"],
            "upgrade:email": ["expired"],
            "upgrade:sms": ["not_yet_valid", "eligibility"],
        },
    }
    assert with_eligible(customers, actions, DAY).columns[-1] == "eligible"


def test_a_zero_divisor_is_a_reason_and_is_counted(spark, actions):
    frame = spark.createDataFrame(
        [("a", True, 0), ("b", True, 20), ("c", False, 5), ("d", True, None)],
        "customer_id string, sms_consent boolean, tenure_months bigint",
    )
    actions["eligibility"] = ["true", "100 / tenure_months < 10", "true", "true", "true"]
    actions["suitability"] = [None, "sms_consent AND 7 % tenure_months = 2", None, None, None]
    found = with_eligible(frame, actions, DAY, reasons=True)
    assert rejected(found) == {
        "a": {"upgrade:sms": ["not_computable:eligibility", "not_computable:suitability"]},
        "b": {"upgrade:sms": ["suitability"]},
        "c": {"upgrade:sms": ["eligibility", "suitability"]},
        "d": {"upgrade:sms": ["eligibility", "suitability"]},
    }
    counts = rejection_counts(found, actions).set_index("reason")
    assert counts.at["not_computable:eligibility", "customers"] == 1
    assert counts.at["not_computable:eligibility", "rule"] == "100 / tenure_months < 10"
    assert counts.at["suitability", "customers"] == 3
    assert set(counts["treatment"]) == {"upgrade:sms"}


def test_bad_rules_of_all_gates_are_named_together(customers, actions):
    actions["eligibility"] = "reflect('java.lang.System', 'exit')"
    actions["consent"] = [None, "sms_consnt", 1.5, None, None]
    with pytest.raises(DataError) as refused:
        with_eligible(customers, actions, DAY)
    for words in (
        'actions.eligibility: none, roaming:email, roaming:sms and 2 more: rule "reflect(',
        "actions.consent: upgrade:sms: rule \"sms_consnt\": unknown column 'sms_consnt'",
        'actions.consent: upgrade:email: rule "1.5": it is a number, not boolean',
    ):
        assert words in str(refused.value)


def test_the_contact_policy_is_one_of_the_gates(spark, actions):
    policy = (ContactLimit(1, 7, "channel", "email"), Suppression("opt_out", 30))
    codes = ["contact_policy:email<=1/7d", "suppressed:opt_out/30d"]
    rows = [("a", codes[:1]), ("b", codes), ("c", []), ("d", None)]
    frame = spark.createDataFrame(rows, "customer_id string, blocked array<string>")
    actions["eligibility"] = [None, "customer_id <> 'a'", None, None, None]
    found = with_eligible(frame, actions, DAY, policy=policy, reasons=True)
    assert found.columns == ["customer_id", "eligible", "rejected"]
    why = rejected(found)
    assert why["a"] == {
        "roaming:email": codes[:1], "upgrade:email": codes[:1], "upgrade:sms": ["eligibility"],
    }  # fmt: skip
    assert why["b"]["upgrade:email"] == codes
    assert why["b"]["upgrade:sms"] == codes[1:]
    assert why["c"] == {}
    assert set(map(tuple, why["d"].values())) == {("not_computable:contact_policy",)}
    assert eligible(found)["b"] == eligible(found)["d"] == ["none"]
    with pytest.raises(DataError, match="has no column blocked; add it with"):
        with_eligible(frame.drop("blocked"), actions, DAY, policy=policy)
    with pytest.raises(DataError, match="but no policy is given"):
        with_eligible(frame, actions, DAY)


@pytest.mark.parametrize("rule", ["true", "false"])
@pytest.mark.parametrize("expired", [False, True])
def test_rules_that_are_constants(customers, actions, rule, expired):
    offers = actions["treatment"] != "none"
    actions["eligibility"] = actions["eligibility"].mask(offers, rule)
    if expired:
        actions.loc[offers, "valid_to"] = pd.Timestamp(DAY)
    found = with_eligible(customers, actions, DAY, reasons=True)
    reasons = ["expired"] * expired + ["eligibility"] * (rule == "false")
    names = list(actions.loc[offers, "treatment"].sort_values())
    assert eligible(found)["c"] == (["none"] if reasons else ["none", *names])
    assert rejected(found)["c"] == (dict.fromkeys(names, reasons) if reasons else {})
