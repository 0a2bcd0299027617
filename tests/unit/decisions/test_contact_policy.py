import datetime as dt

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from nextbest.decisions.contact_policy import (
    ContactLimit,
    Suppression,
    blocks,
    with_contact_policy,
)
from nextbest.errors import DataError, SettingsError

NOW = dt.datetime(2026, 1, 31, 8, tzinfo=dt.UTC)
KINDS = ("response", "purchase", "opt_out")
DECISIONS = (
    "decision_id string, customer_id string, decided_at timestamp, treatment string, "
    "action_id string, channel string"
)
OUTCOMES = "decision_id string, observed_at timestamp, kind string"


FIXTURES = [HealthCheck.function_scoped_fixture]  # a catalogue that no example changes


def ago(days, seconds=0):
    return NOW - dt.timedelta(days=days, seconds=seconds)


def log(spark, contacts, outcomes=()):
    """Frames of (customer, treatment, when) and (number of the contact, kind, when)."""
    rows = []
    for k, (customer, treatment, when) in enumerate(contacts):
        action, _, channel = treatment.partition(":")
        rows.append((f"d-{k}", customer, when, treatment, action, channel or "none"))
    seen = [(f"d-{number}", when, kind) for number, kind, when in outcomes]
    return spark.createDataFrame(rows, DECISIONS), spark.createDataFrame(seen, OUTCOMES)


def blocked(spark, actions, policy, contacts, outcomes=(), who="abcd"):
    frame = spark.createDataFrame([(name,) for name in who], "customer_id string")
    found = with_contact_policy(frame, policy, actions, *log(spark, contacts, outcomes), NOW, KINDS)
    assert found.columns == ["customer_id", "blocked"]
    return {row["customer_id"]: row["blocked"] for row in found.collect()}


@pytest.mark.unit
def test_every_way_of_being_blocked_is_named(treatments):
    policy = (
        ContactLimit(3, 7),
        ContactLimit(1, 7, "channel", "sms"),
        ContactLimit(2, 30, "action"),
        ContactLimit(1, 90, "treatment", "roaming:sms"),
        Suppression("opt_out", 365, "channel"),
        Suppression("purchase", 14),
    )
    found = {
        way.code: tuple(pd.Index(treatments.names)[way.covers])
        for way in blocks(policy, treatments)
    }
    everything = ("roaming:email", "roaming:sms", "upgrade:email", "upgrade:sms")
    assert found == {
        "contact_policy:*<=3/7d": everything,
        "contact_policy:sms<=1/7d": ("roaming:sms", "upgrade:sms"),
        "contact_policy:roaming:*<=2/30d": ("roaming:email", "roaming:sms"),
        "contact_policy:upgrade:*<=2/30d": ("upgrade:email", "upgrade:sms"),
        "contact_policy:roaming:sms<=1/90d": ("roaming:sms",),
        "suppressed:opt_out:email/365d": ("roaming:email", "upgrade:email"),
        "suppressed:opt_out:sms/365d": ("roaming:sms", "upgrade:sms"),
        "suppressed:purchase/14d": everything,
    }


@pytest.mark.unit
def test_everything_wrong_is_said_at_once(treatments):
    policy = (
        ContactLimit(0, 7), ContactLimit(1, 0.5), ContactLimit(1, 40_000),
        ContactLimit(1, 7, "offer"),
        ContactLimit(1, 7, "channel", "smss"), ContactLimit(1, 7, "customer", "x"),
        Suppression("opt_out", True), {"days": 7}, ContactLimit(1, 9), ContactLimit(1, 9),
    )  # fmt: skip
    with pytest.raises(SettingsError) as refused:
        blocks(policy, treatments)
    for words in (
        "at_most=0, days=7, per='customer', value=None): at_most must be a whole number from 1",
        "days=0.5", "days=40000", "per must be one of customer, channel, action, treatment",
        "no treatment has the channel 'smss': did you mean 'sms'?", "leave it None", "days=True",
        "{'days': 7} is neither", "days=9, per='customer', value=None) stands twice",
    ):  # fmt: skip
        assert words in str(refused.value)


@pytest.mark.integration
def test_edges_of_the_window(spark, actions):
    policy = (ContactLimit(2, 7),)
    contacts = [
        *[("a", "upgrade:sms", ago(7, -1)), ("a", "upgrade:email", ago(0, 1))],  # both inside
        *[("b", "upgrade:sms", ago(7)), ("b", "upgrade:email", ago(1))],  # exactly 7 days: outside
        *[("c", "upgrade:sms", NOW), ("c", "upgrade:sms", ago(1)), ("c", "none", ago(2))],
        ("d", "upgrade:sms", ago(-1)),  # what comes later is not known yet
    ]
    found = blocked(spark, actions, policy, contacts, who="abcde")
    assert found == {"a": ["contact_policy:*<=2/7d"], "b": [], "c": [], "d": [], "e": []}
    # A shorter window beside a longer one has the same edge.
    both = (*policy, ContactLimit(1, 1, "channel", "email"))
    found = blocked(spark, actions, both, contacts, who="ab")
    assert found == {
        "a": ["contact_policy:*<=2/7d", "contact_policy:email<=1/1d"],
        "b": [],
    }


@pytest.mark.integration
def test_outcomes_suppress_what_they_belong_to(spark, actions):
    policy = (Suppression("opt_out", 30, "channel"), Suppression("purchase", 5))
    contacts = [(name, "roaming:sms", ago(40)) for name in "abcd"] + [("e", "none", ago(3))]
    outcomes = [
        (0, "opt_out", ago(29)), (1, "opt_out", ago(30)), (2, "opt_out", NOW),
        (3, "response", ago(1)), (4, "purchase", ago(2)),
    ]  # fmt: skip
    found = blocked(spark, actions, policy, contacts, outcomes, who="abcde")
    assert found["a"] == ["suppressed:opt_out:sms/30d"]
    assert found["b"] == found["c"] == found["d"] == []
    assert found["e"] == ["suppressed:purchase/5d"]  # bought without being asked: leave them alone


@pytest.mark.integration
def test_an_empty_policy_blocks_nobody(spark, actions):
    assert blocked(spark, actions, (), [("a", "upgrade:sms", ago(1))], who="a") == {"a": []}


@pytest.mark.integration
def test_what_cannot_be_kept_is_refused(spark, actions):
    frame = spark.createDataFrame([("a",)], "customer_id string")
    decisions, outcomes = log(spark, [("a", "none", ago(1))])
    policy = (Suppression("optout", 30),)
    with pytest.raises(SettingsError, match="no outcome is of the kind optout: use opt_out, purch"):
        with_contact_policy(frame, policy, actions, decisions, outcomes, NOW, KINDS)
    with pytest.raises(DataError, match="decisions lacks treatment; outcomes lacks kind"):
        with_contact_policy(
            frame, (), actions, decisions.drop("treatment"), outcomes.drop("kind"), NOW, KINDS
        )
    at = NOW.replace(tzinfo=None)
    with pytest.raises(DataError, match="has no time zone"):
        with_contact_policy(frame, (ContactLimit(1, 1),), actions, decisions, outcomes, at, KINDS)


TREATMENTS = ["none", "upgrade:sms", "upgrade:email", "roaming:email", "roaming:sms"]
SCOPED = [
    *[("customer", None), ("channel", None), ("action", None), ("treatment", None)],
    *[("channel", "sms"), ("action", "roaming"), ("treatment", "upgrade:email")],
]
AGES = st.sampled_from([ago(d, s) for d in (0, 1, 2, 7) for s in (-1, 0, 1)] + [ago(3), ago(5)])
LIMITS = st.builds(
    lambda n, days, scope: ContactLimit(n, days, *scope),
    st.integers(1, 3), st.sampled_from([1, 2, 7]), st.sampled_from(SCOPED),
)  # fmt: skip
SUPPRESSIONS = st.builds(
    lambda kind, days, scope: Suppression(kind, days, *scope),
    st.sampled_from(KINDS), st.sampled_from([1, 2, 7]), st.sampled_from(SCOPED),
)  # fmt: skip


def scope(per, treatment):
    action, _, channel = treatment.partition(":")
    return {"customer": "*", "channel": channel, "action": action, "treatment": treatment}[per]


def trips(rule, customer, treatment, contacts, outcomes):
    """Whether the rule forbids the treatment, as the words of the rule say."""
    mine = scope(rule.per, treatment)
    if rule.value not in (None, mine):
        return False
    if isinstance(rule, ContactLimit):
        events = [(who, what, when) for who, what, when in contacts if what != "none"]
        most = rule.at_most
    else:
        events = [
            (*contacts[k][:2], when) for k, kind, when in outcomes if kind == rule.outcome_kind
        ]
        most = 1
    begin = NOW - dt.timedelta(days=rule.days)
    counted = [
        who == customer and begin < when < NOW and scope(rule.per, what) == mine
        for who, what, when in events
    ]
    return sum(counted) >= most


@pytest.mark.integration
@settings(max_examples=10, deadline=None, phases=(Phase.generate,), suppress_health_check=FIXTURES)
@given(
    policy=st.lists(LIMITS | SUPPRESSIONS, min_size=1, max_size=4, unique=True).map(tuple),
    contacts=st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(TREATMENTS), AGES),
        min_size=1,
        max_size=25,
    ),
    data=st.data(),
)
def test_the_engine_blocks_what_the_rules_say(spark, actions, treatments, policy, contacts, data):
    number = st.integers(0, len(contacts) - 1)
    outcomes = data.draw(st.lists(st.tuples(number, st.sampled_from(KINDS), AGES), max_size=8))
    found = blocked(spark, actions, policy, contacts, outcomes)
    ways = blocks(policy, treatments)
    for customer, codes in found.items():
        assert set(codes) <= {way.code for way in ways}
        for k, treatment in enumerate(treatments.names):
            ours = {way.rule for way in ways if way.code in codes and way.covers[k]}
            theirs = {
                rule for rule in policy if trips(rule, customer, treatment, contacts, outcomes)
            }
            assert ours == (theirs if treatment != "none" else set())


@pytest.mark.slow
def test_both_engines_block_alike(on_both_engines, assert_same_rows, actions):
    rows = [
        (f"d-{k}", "abcdefg"[k % 7], ago(k % 9, k % 3 - 1), TREATMENTS[k % 5]) for k in range(90)
    ]
    decisions = pd.DataFrame(
        rows, columns=["decision_id", "customer_id", "decided_at", "treatment"]
    )
    decisions["action_id"] = decisions["treatment"].str.partition(":")[0]
    decisions["channel"] = decisions["treatment"].str.partition(":")[2].replace("", "none")
    outcomes = decisions[::4][["decision_id"]].assign(observed_at=ago(2), kind="opt_out")
    policy = (
        ContactLimit(2, 3, "channel"),
        ContactLimit(4, 8),
        Suppression("opt_out", 7, "action"),
    )
    frames = {"decisions": decisions, "outcomes": outcomes}
    frames["frame"] = pd.DataFrame({"customer_id": list("abcdefgh")})
    told = {"policy": policy, "actions": actions, "at": NOW, "kinds": KINDS}
    ((ours, theirs),) = on_both_engines([(with_contact_policy, frames, told)])
    assert_same_rows(ours, theirs, ("customer_id",))
    assert len(set(map(str, ours["blocked"].to_pylist()))) > 1
