import datetime as dt

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from nextbest.decisions.contact_policy import ContactLimit, Suppression, blocks
from nextbest.decisions.eligibility import (
    GATES,
    decision_time,
    rejection_counts,
    with_eligible,
)
from nextbest.errors import DataError

pytestmark = pytest.mark.integration

DAY = dt.date(2026, 1, 31)


@pytest.fixture
def customers(spark):
    rows = [("a", True, 30.0), ("b", False, 3.0), ("c", None, None)]
    return spark.createDataFrame(
        rows, "customer_id string, sms_consent boolean, tenure_months double"
    )


def rejected(frame):
    return {
        row["customer_id"]: {each["treatment"]: each["reasons"] for each in row["rejected"]}
        for row in frame.collect()
    }


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


# Rules with what they mean for tenure t (or null) and consent s (or null).
RULES = {
    None: lambda t, s: True,
    "true": lambda t, s: True,
    "false": lambda t, s: False,
    "sms_consent": lambda t, s: s is True,
    "NOT sms_consent": lambda t, s: s is False,
    "tenure_months >= 12": lambda t, s: t is not None and t >= 12,
    "tenure_months IS NULL OR sms_consent": lambda t, s: t is None or s is True,
    "60 / tenure_months > 4": lambda t, s: t is None or t == 0 or 60 / t > 4,
}
ZERO = "60 / tenure_months > 4"
CUSTOMERS = [(t, s) for t in (0.0, 3.0, 12.0, 30.0, None) for s in (True, False, None)]
MOMENT = pd.Timestamp(decision_time(DAY))
TIMES = st.sampled_from([None, None, *(MOMENT + pd.Timedelta(seconds=k) for k in (-1, 0, 1))])
POLICY = (ContactLimit(1, 7, "channel"), ContactLimit(2, 30, "action"), Suppression("opt_out", 9))


def verdict(action, customer, codes):
    """Every reason against a treatment, from the words of its row."""
    tenure, consent = customer
    why = []
    if not pd.isna(action["valid_from"]) and action["valid_from"] > MOMENT:
        why.append("not_yet_valid")
    if not pd.isna(action["valid_to"]) and action["valid_to"] <= MOMENT:
        why.append("expired")
    for gate in GATES:
        rule = action[gate]
        if rule == ZERO and not tenure:
            why.append(f"not_computable:{gate}" if tenure == 0 else gate)
        elif not RULES[rule](tenure, consent):
            why.append(gate)
    return why + codes


@settings(
    max_examples=12,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_what_is_allowed_is_what_the_rules_allow(spark, actions, treatments, data):
    catalog = actions.copy()
    for gate in GATES:
        rules = st.sampled_from([None, *RULES])
        catalog[gate] = pd.Series([data.draw(rules) for _ in range(len(actions))], dtype=object)
    for column in ("valid_from", "valid_to"):
        times = [data.draw(TIMES) for _ in range(len(actions))]
        catalog[column] = pd.to_datetime(pd.Series(times, dtype=object), utc=True)
    ways = blocks(POLICY, treatments)
    codes = [way.code for way in ways]
    held = [data.draw(st.lists(st.sampled_from(codes), unique=True)) for _ in CUSTOMERS]
    rows = [(str(k), *who, held[k]) for k, who in enumerate(CUSTOMERS)]
    schema = "customer_id string, tenure_months double, sms_consent boolean, blocked array<string>"
    frame = spark.createDataFrame(rows, schema)
    found = with_eligible(frame, catalog, DAY, policy=POLICY, reasons=True)
    allowed, refused = eligible(found), rejected(found)
    by_name = catalog.replace({float("nan"): None}).set_index("treatment")
    for k, customer in enumerate(CUSTOMERS):
        why = {}
        for at, name in enumerate(treatments.names):
            mine = [way.code for way in ways if way.covers[at] and way.code in held[k]]
            why[name] = verdict(by_name.loc[name], customer, mine)
        if all(why.values()):
            why["none"] = []
        assert allowed[str(k)] == [name for name, reasons in why.items() if not reasons]
        assert refused[str(k)] == {name: reasons for name, reasons in why.items() if reasons}
        assert not set(allowed[str(k)]) & set(refused[str(k)])
        assert set(allowed[str(k)]) | set(refused[str(k)]) == set(treatments.names)


PARITY = [
    "x / n > 1", "n % x < 1", "(x + 1) / (n - n) > 1 OR flag", "-x IN (0, 2)", "x = -0.0",
    "IF(x / n > 1, false, true)", "greatest(x, n) >= least(n, 1) + 0.1", "s LIKE 'a\\'' OR flag",
    "s = 'it\\'s' OR s = 'a\\\\b' OR lower(s) = 'öl'", "length(s) = 2", "s < 'ab'",
    "days_since(d) > 30", "days_since(t) = 1", "t < TIMESTAMP '2026-01-31 02:00:00.5+02:00'",
    "d >= DATE '2025-01-01' AND NOT flag", "coalesce(x, n, 1e-5) * 1e308 * 10 - 1e308 > 0",
    "x * 1e308 * 10 - x * 1e308 * 10 = 0", "CASE WHEN flag THEN 1 WHEN NOT flag THEN NULL END > 0",
    "n * 9e18 > 1", "abs(-n) BETWEEN 1 AND 2 AND upper(s) NOT LIKE '_%B'", "x / (0 * x) IS NULL",
]  # fmt: skip


@pytest.mark.slow
def test_both_engines_judge_alike(on_both_engines, assert_same_rows):
    names = [f"a{k}" for k in range(len(PARITY))]
    catalog = pd.DataFrame({"treatment": [f"{name}:web" for name in names], "action_id": names})
    catalog = catalog.assign(channel="web", eligibility=PARITY, suitability=PARITY[::-1])
    none = pd.DataFrame({"treatment": ["none"], "action_id": "none", "channel": "none"})
    catalog = pd.concat([catalog, none], ignore_index=True).astype(object)
    catalog = catalog.where(catalog.notna(), None).assign(value=1.0, cost=0.0, lever=1.0)
    catalog = catalog.assign(valid_from=pd.NaT, valid_to=pd.NaT)
    times = ["2026-01-30 23:59:59", "2026-01-31", None, "2024-02-29 12:00", *["2026-01-01"] * 4]
    frame = pd.DataFrame(
        {
            "customer_id": list("abcdefgh"),
            "x": [0.0, 1.0, -2.5, 3.0, None, float("inf"), -0.0, 2.0],
            "n": pd.array([0, 1, 2, None, -3, 0, 5, 2], dtype="Int64"),
            "flag": pd.array([True, False, None, True, False, None, True, False], dtype="boolean"),
            "s": ["", "ab", "AB", None, "it's", "a\\b", "Öl", "a'"],
            "d": [DAY, dt.date(2025, 1, 1), None, dt.date(1969, 7, 20), DAY, DAY, DAY, DAY],
            "t": pd.to_datetime(times, utc=True, format="ISO8601"),
        }
    )
    told = {"actions": catalog, "at": DAY, "reasons": True}
    ((ours, theirs),) = on_both_engines([(with_eligible, {"frame": frame}, told)])
    assert_same_rows(ours, theirs, ("customer_id",))
    reasons = {r for row in ours["rejected"].to_pylist() for each in row for r in each["reasons"]}
    assert reasons == {f"{kind}{gate}" for kind in ("", "not_computable:") for gate in
                       ("eligibility", "suitability")}  # fmt: skip


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
