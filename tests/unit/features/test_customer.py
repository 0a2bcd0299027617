import pandas as pd
import pytest

from nextbest.features.customer import customer_features
from nextbest.features.definitions import WINDOWS

pytestmark = pytest.mark.integration
TABLES = ("customers", "interactions", "decisions", "outcomes")
KEYS = ["customer_id", "as_of"]


def computed(spark, log, spine):
    frames = [spark.createDataFrame(log[name]) for name in TABLES]
    found = customer_features(spark.createDataFrame(spine), *frames).toPandas()
    found["as_of"] = pd.to_datetime(found["as_of"], utc=True)
    return found.sort_values(KEYS, ignore_index=True)


def by_hand(log, customer, as_of):
    """The features of one customer by looking at all events, one by one."""
    events = [
        (row.kind, row.event_time, row.amount)
        for row in log["interactions"].itertuples()
        if row.customer_id == customer
    ]
    mine = log["decisions"][log["decisions"]["customer_id"] == customer]
    events += [
        ("offer", row.decided_at, 0.0) for row in mine.itertuples() if row.action_id != "none"
    ]
    answers = log["outcomes"][log["outcomes"]["decision_id"].isin(mine["decision_id"])]
    events += [
        ("response", row.observed_at, 0.0)
        for row in answers.itertuples()
        if row.kind in ("response", "click")
    ]
    events = [event for event in events if event[1] < as_of]

    def inside(kind, days):
        start = as_of - pd.Timedelta(days=days)
        return [event for event in events if event[0] == kind and event[1] >= start]

    def since(kind):
        days = [(as_of - event[1].normalize()).days for event in inside(kind, 90)]
        return min(days) if days else None

    return {
        "visits_7d": len(inside("visit", 7)),
        "visits_30d": len(inside("visit", 30)),
        "days_since_visit": since("visit"),
        "contacts_7d": len(inside("contact", 7)),
        "contacts_30d": len(inside("contact", 30)),
        "purchases_30d": len(inside("purchase", 30)),
        "spend_30d": sum(e[2] for e in inside("purchase", 30) if not pd.isna(e[2])),
        "days_since_purchase": since("purchase"),
        "service_calls_30d": len(inside("service_call", 30)),
        "offers_30d": len(inside("offer", 30)),
        "days_since_offer": since("offer"),
        "responses_90d": len(inside("response", 90)),
    }


def test_every_feature_as_counted_by_hand(spark, make_log, make_spine):
    log = make_log()
    spine = make_spine(log)
    found = computed(spark, log, spine)
    assert len(found) == len(spine) - 1  # the one asked for twice
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


def test_nothing_at_or_after_the_day_moves_a_feature(spark, make_log, make_spine):
    log = make_log()
    spine = make_spine(log)
    midnight = pd.Timestamp("2026-03-01", tz="UTC")
    spine = spine[spine["as_of"] == midnight]
    before = computed(spark, log, spine)
    moments = {"interactions": "event_time", "decisions": "decided_at", "outcomes": "observed_at"}
    changed = {"customers": log["customers"]}
    for name, moment in moments.items():
        rows = log[name]
        late = rows[moment] >= midnight
        assert late.any()
        moved = rows[late].assign(**{moment: rows[moment][late] + pd.Timedelta(hours=7)})
        at_midnight = rows[rows[moment] < midnight].head(300).assign(**{moment: midnight})
        if name != "outcomes":
            key = "event_id" if name == "interactions" else "decision_id"
            at_midnight[key] += "-more"
        changed[name] = pd.concat([rows[~late], moved, at_midnight], ignore_index=True)
    pd.testing.assert_frame_equal(computed(spark, changed, spine), before)


def test_a_log_without_history_has_zeros_and_nulls(spark, make_log, make_spine):
    log = make_log()
    empty = {name: log[name].head(0) for name in ("interactions", "decisions", "outcomes")}
    frames = [spark.createDataFrame(log["customers"])]
    frames += [spark.createDataFrame(log[name].head(1)).limit(0) for name in empty]
    spine = spark.createDataFrame(make_spine(log))
    found = customer_features(spine, *frames).toPandas()
    for window in WINDOWS:
        if window.statistic == "days_since":
            assert found[window.name].isna().all(), window.name
        else:
            assert (found[window.name] == 0).all(), window.name
