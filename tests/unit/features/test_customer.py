import functools

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nextbest.features import definitions
from nextbest.features.action import action_features
from nextbest.features.customer import customer_features
from nextbest.features.definitions import ACTION_FEATURES, spread

pytestmark = pytest.mark.integration
TABLES = ("customers", "interactions", "decisions", "outcomes")
KEYS = ["customer_id", "as_of"]
WINDOWS = definitions.WINDOWS + spread({"channel": ["email", "sms"], "action_id": ["a", "b"]})
MIDNIGHT = pd.Timestamp("2026-03-01", tz="UTC")
ACTIONS = pd.DataFrame(
    [("none", "none"), ("a", "email"), ("a", "sms"), ("b", "email"), ("b", "sms"), ("new", "sms")],
    columns=["action_id", "channel"],
)


def computed(spark, log, spine):
    frames = [spark.createDataFrame(log[name]) for name in TABLES]
    found = customer_features(spark.createDataFrame(spine), *frames, WINDOWS).toPandas()
    found["as_of"] = pd.to_datetime(found["as_of"], utc=True)
    return found.sort_values(KEYS, ignore_index=True)


def by_hand(log, customer, as_of):
    """The features of one customer by looking at all events, one by one."""
    events = [
        (row.kind, row.event_time, row.amount, "", "")
        for row in log["interactions"].itertuples()
        if row.customer_id == customer
    ]
    mine = log["decisions"][log["decisions"]["customer_id"] == customer]
    events += [
        ("offer", row.decided_at, 0.0, row.channel, row.action_id)
        for row in mine.itertuples()
        if row.action_id != "none"
    ]
    answers = log["outcomes"].merge(mine, on="decision_id")
    kinds = {"response": "response", "click": "response", "opt_out": "opt_out"}
    events += [
        (kinds[row.kind], row.observed_at, row.value, row.channel, row.action_id)
        for row in answers.itertuples()
        if row.kind in kinds
    ]
    events = [event for event in events if event[1] < as_of]

    def inside(kind, days, of=""):
        start = as_of - pd.Timedelta(days=days)
        found = [event for event in events if event[0] == kind and event[1] >= start]
        return [event for event in found if not of or of in event[3:]]

    def since(kind):
        days = [(as_of - event[1].normalize()).days for event in inside(kind, 90)]
        return min(days) if days else None

    def money(kind, days):
        return sum(event[2] for event in inside(kind, days) if not pd.isna(event[2]))

    return {
        "visits_7d": len(inside("visit", 7)),
        "visits_30d": len(inside("visit", 30)),
        "days_since_visit": since("visit"),
        "contacts_7d": len(inside("contact", 7)),
        "contacts_30d": len(inside("contact", 30)),
        "days_since_contact": since("contact"),
        "purchases_30d": len(inside("purchase", 30)),
        "spend_30d": money("purchase", 30),
        "days_since_purchase": since("purchase"),
        "service_calls_30d": len(inside("service_call", 30)),
        "offers_30d": len(inside("offer", 30)),
        "days_since_offer": since("offer"),
        "offers_email_30d": len(inside("offer", 30, "email")),
        "offers_sms_30d": len(inside("offer", 30, "sms")),
        "responses_90d": len(inside("response", 90)),
        "response_value_90d": money("response", 90),
        **{
            f"responses_{of}_90d": len(inside("response", 90, of))
            for of in ("email", "sms", "a", "b")
        },
        "opt_outs_90d": len(inside("opt_out", 90)),
    }


def test_every_feature_as_counted_by_hand(spark, make_log, make_spine):
    log = make_log()
    spine = make_spine(log)
    found = computed(spark, log, spine)
    assert len(found) == len(spine) - 1  # the one asked for twice
    assert set(by_hand(log, "c00", MIDNIGHT)) == {window.name for window in WINDOWS}
    for row in found.to_dict("records"):
        expected = by_hand(log, row["customer_id"], row["as_of"])
        got = {name: None if pd.isna(row[name]) else row[name] for name in expected}
        assert got == pytest.approx(expected), row["customer_id"]
    assert (found["responses_90d"] > 0).any()
    assert found["days_since_offer"].isna().any()


def test_attributes_pass_through_and_unknown_customers_stay(spark, make_log, make_spine):
    log = make_log()
    found = computed(spark, log, make_spine(log))
    attributes = [name for name in log["customers"].columns if name != "customer_id"]
    assert list(found.columns) == [*KEYS, *attributes, *[window.name for window in WINDOWS]]
    known = found.merge(log["customers"], on="customer_id", suffixes=("", "_there"))
    assert len(known) < len(found)
    for name in attributes:
        pd.testing.assert_series_equal(
            known[name], known[f"{name}_there"], check_names=False, check_dtype=False
        )
    unknown = found[~found["customer_id"].isin(log["customers"]["customer_id"])]
    assert unknown[attributes].isna().all().all()
    assert (found.dtypes[[window.name for window in WINDOWS]] == "float64").all()


MOMENTS = {"interactions": "event_time", "decisions": "decided_at", "outcomes": "observed_at"}


def cut(log, day):
    """The log as it was known at that midnight."""
    return {"customers": log["customers"]} | {
        name: log[name][log[name][moment] < day] for name, moment in MOMENTS.items()
    }


def with_another_future(log, day, seed):
    """The same log until that midnight; after it rows are moved, changed, deleted and added."""
    known, changed = cut(log, day), {"customers": log["customers"]}
    for name, moment in MOMENTS.items():
        late = log[name].drop(known[name].index)
        kept = late.sample(frac=0.5, random_state=seed)
        kept = kept.assign(**{moment: kept[moment] + pd.Timedelta(hours=7 * seed)})
        # As many more, as if the whole past came again from the very midnight on.
        more = known[name].assign(**{moment: day + pd.Timedelta(seconds=seed % 3)})
        if "kind" in more:
            more = more.assign(kind=more["kind"].sample(frac=1, random_state=seed).to_numpy())
        if name == "decisions":
            more = more.assign(decision_id=more["decision_id"] + "-more", action_id="b")
        changed[name] = pd.concat([known[name], kept, more], ignore_index=True)
    # What no log should hold: a response before its decision, which would tell whose it will be.
    early = changed["decisions"].query("decision_id.str.endswith('-more')")["decision_id"]
    told = {"observed_at": day - pd.Timedelta(days=1), "kind": "response", "reward": 1.0}
    early = pd.DataFrame({"decision_id": early, **told, "value": 5.0})
    changed["outcomes"] = pd.concat([changed["outcomes"], early], ignore_index=True)
    return changed


def of_actions(spark, log, days, attribution=7):
    frames = [spark.createDataFrame(log[name]) for name in ("decisions", "outcomes")]
    asked = spark.createDataFrame(pd.DataFrame({"as_of": days}))
    found = action_features(asked, spark.createDataFrame(ACTIONS), *frames, attribution).toPandas()
    found["as_of"] = pd.to_datetime(found["as_of"], utc=True)
    return found.sort_values(["action_id", "channel", "as_of"], ignore_index=True)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10_000), back=st.integers(0, 30))
def test_no_future_moves_a_feature(spark, make_log, seed, back):
    log = make_log(seed=seed, customers=25, events=900)
    day = MIDNIGHT - pd.Timedelta(days=back)
    spine = pd.DataFrame({"customer_id": log["customers"]["customer_id"], "as_of": day})
    other = with_another_future(log, day, seed + 1)
    assert not log["outcomes"].equals(other["outcomes"])
    same = functools.partial(pd.testing.assert_frame_equal, check_exact=True)
    # Also as of the day itself, when nothing of it was known: history and today are the same row.
    before = computed(spark, cut(log, day), spine)
    same(computed(spark, log, spine), before)
    same(computed(spark, other, spine), before)
    treated = of_actions(spark, cut(log, day), [day])
    same(of_actions(spark, log, [day]), treated)
    same(of_actions(spark, other, [day]), treated)


def test_the_past_moves_features(spark, make_log, make_spine):
    """What the test above asserts can fail: days before midnight every feature moves."""
    log = make_log()
    spine = make_spine(log)
    spine = spine[spine["as_of"] == MIDNIGHT]
    earlier = MIDNIGHT - pd.Timedelta(days=2)
    before = computed(spark, log, spine)
    moved = computed(spark, with_another_future(log, earlier, 1), spine)
    assert all((before[w.name] != moved[w.name]).any() for w in WINDOWS)
    one, other = of_actions(spark, log, [MIDNIGHT]), of_actions(
        spark, with_another_future(log, MIDNIGHT - pd.Timedelta(days=9), 1), [MIDNIGHT]
    )  # fmt: skip
    assert all((one[name] != other[name]).any() for name in ACTION_FEATURES)


def test_action_features_as_counted_by_hand(spark, make_log):
    log, days = make_log(seed=4), [MIDNIGHT, MIDNIGHT - pd.Timedelta(days=9)]
    log["outcomes"].loc[::9, "observed_at"] -= pd.Timedelta(
        days=20
    )  # before its decision: no answer
    found = of_actions(spark, log, days)
    assert list(found.columns) == ["action_id", "channel", "as_of", *ACTION_FEATURES]
    assert len(found) == len(ACTIONS) * len(days)
    answers = log["outcomes"][log["outcomes"]["kind"].isin(["response", "click"])]
    rows = log["decisions"].merge(answers[["decision_id", "observed_at"]], how="left")
    week = pd.Timedelta(days=7)
    took = rows["observed_at"] - rows["decided_at"]
    rows["seen"] = rows["observed_at"].where((took >= pd.Timedelta(0)) & (took < week))
    for day in days:

        def ago(n, day=day):
            return day - pd.Timedelta(days=n)

        ripe = rows[(rows["decided_at"] < ago(7)) & (rows["decided_at"] >= ago(37))]
        prior = ripe["seen"].notna().mean()
        for row in found[found["as_of"] == day].to_dict("records"):
            of = (rows["action_id"] == row["action_id"]) & (rows["channel"] == row["channel"])
            mine = rows[of]
            for n in (7, 30):
                made, seen = mine["decided_at"], mine["seen"]
                assert row[f"contacts_{n}d"] == ((made >= ago(n)) & (made < day)).sum()
                assert row[f"responses_{n}d"] == ((seen >= ago(n)) & (seen < day)).sum()
            settled = ripe[of]
            rate = (settled["seen"].notna().sum() + 20 * prior) / (len(settled) + 20)
            assert row["response_rate_30d"] == pytest.approx(rate)
    assert found["response_rate_30d"].nunique() > 4


def test_a_log_without_history_has_zeros_and_nulls(spark, make_log, make_spine):
    log = make_log()
    empty = {name: log[name].head(0) for name in ("interactions", "decisions", "outcomes")}
    frames = [spark.createDataFrame(log["customers"])]
    frames += [spark.createDataFrame(log[name].head(1)).limit(0) for name in empty]
    spine = spark.createDataFrame(make_spine(log))
    found = customer_features(spine, *frames, WINDOWS).toPandas()
    for window in WINDOWS:
        if window.statistic == "days_since":
            assert found[window.name].isna().all(), window.name
        else:
            assert (found[window.name] == 0).all(), window.name
