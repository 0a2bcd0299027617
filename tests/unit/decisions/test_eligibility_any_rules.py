"""Whatever the rules are: who may get what is what they mean, and both engines say the same."""

import datetime as dt

import pandas as pd
import pytest
from eligible_rows import eligible, rejected
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from nextbest.decisions.contact_policy import ContactLimit, Suppression, blocks
from nextbest.decisions.eligibility import GATES, decision_time, with_eligible

pytestmark = pytest.mark.integration

DAY = dt.date(2026, 1, 31)

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
