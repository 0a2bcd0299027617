"""decision_metrics follows its days: new ones, matured ones, and those with late outcomes."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from nextbest import tables, use_cases
from nextbest.errors import DataError
from nextbest.lifecycle.measuring import decided_by, measure_decisions, measured_days
from nextbest.monitoring.decision_metrics import COLUMNS, foretold_of

pytestmark = pytest.mark.integration

FIRST = dt.date(2026, 1, 10)
DECIDED = (
    "decision_id string, decided_at timestamp, as_of date, treatment string, action_id string, "
    "channel string, propensity double, control_group boolean, p_response double, "
    "model_version string, reason_code string, spend double, value string"
)
BASELINE = "decision_id string, model_version string, expected_value double, spend double"
CAME = "decision_id string, observed_at timestamp, kind string, reward double, value double"


def at(day, hours=0):
    start = dt.datetime.combine(FIRST + dt.timedelta(days=day), dt.time(), dt.UTC)
    return start + dt.timedelta(hours=hours)


def decisions(day, n=60):
    rng = np.random.default_rng(day)
    for i in range(n):
        control = i % 10 == 0
        code = "eligibility_only" if i == 11 else "control" if control else "best"
        yield (
            f"d{day}-{i}", at(day), FIRST + dt.timedelta(days=day), "tea|sms", "tea", "sms",
            float(rng.uniform(0.2, 1)), control or i == 11, float(rng.uniform(0.05, 0.6)), "1",
            code, None if i == 15 else float(i), "a feature named like what came",
        )  # fmt: skip


def response(day, i, hours, kind="response"):
    return (f"d{day}-{i}", at(day, hours), kind, 1.0, 12.0)


@pytest.fixture
def world(lakehouse):
    spark, settings = lakehouse
    home = settings()
    acts = spark.createDataFrame(
        [("tea", "sms", 0.5)], "action_id string, channel string, cost double"
    )
    tables.merge(acts, home.table("actions"), ["action_id", "channel"])

    features = "customer_id string, as_of date, spend double, value string"
    tables.merge(
        spark.createDataFrame([("c", FIRST, 1.0, "x")], features),
        home.table("customer_features"), ["customer_id", "as_of"],
    )  # fmt: skip

    def land(rows, schema, name, keys):
        tables.merge(spark.createDataFrame(list(rows), schema), home.table(name), keys)

    def measure(day):
        of = settings(as_of=FIRST + dt.timedelta(days=day), attribution_days=3)
        days = measure_decisions(of, spark, use_cases.load(of))
        return days, measured_days(of, spark, 30)

    def version(day):
        return decided_by(settings(as_of=FIRST + dt.timedelta(days=day)), spark)

    measure.version, measure.spark, measure.home = version, spark, home
    baseline = [(f"b{i}", "1", i / 10, float(i)) for i in range(60)]
    land(baseline, BASELINE, "training_baseline", ["model_version", "decision_id"])
    days = [row for day in range(5) for row in decisions(day)]
    land(days, DECIDED, "recommendations", ["decision_id"])
    land([response(0, i, 20) for i in range(20, 40)], CAME, "outcomes", ["decision_id", "kind"])
    return land, measure


def whole(rows):
    return rows[rows["model_version"] == "*"].set_index(rows["day"].astype(str).str[-2:].unique())


def test_days_mature_and_late_outcomes_reach_the_day_they_belong_to(world):
    land, measure = world
    days, rows = measure(4)
    assert days == 5
    told = whole(rows)
    # Decided at midnight of day 10 and 11, with three days to wait: both closed by the 14th.
    assert told["matured"].tolist() == [59, 59, 0, 0, 0]
    assert (told.loc["10", "decisions"], told.loc["10", "controls"]) == (59, 6)
    assert told.loc["10", "foretold_came"] == 20
    assert told.loc["11", "foretold_came"] == 0
    assert pd.isna(told.loc["12", "observed_rate"])
    assert measure(4)[0] == 0  # nothing new

    land([response(1, 25, 30), response(1, 26, 80)], CAME, "outcomes", ["decision_id", "kind"])
    days, rows = measure(4)
    assert days == 1
    assert whole(rows).loc["11", "foretold_came"] == 1  # the other came after its window
    assert whole(rows).loc["10"].equals(told.loc["10"])


def test_what_came_is_counted_by_features_of_the_training_window_too(world):
    """60 decisions with a spend of 0 to 59, one without; the first 20 above 20 were answered."""
    _, measure = world
    rows = measure(4)[1]
    row = rows[(rows["model_version"] == "1") & (rows["foretold_came"] == 20)].iloc[0]
    cells = foretold_of(row).mixes["spend"]
    came = {name: cell[0] for name, cell in cells.items()}
    assert came == {
        "tea where spend below 20": 0.0, "tea where spend from 20 to 40": 20.0,
        "tea where spend from 40": 0.0, "tea where spend none": 0.0,
    }  # fmt: skip
    assert sum(cell[1] for cell in cells.values()) == pytest.approx(row["foretold_expected"])
    ((directions, of_actions),) = foretold_of(row).tilts.items()
    assert directions == '["spend"]'
    assert of_actions["tea"][:2] == pytest.approx((20.0, row["foretold_expected"]))
    assert foretold_of(row).mixes.keys() == {"treatment", "spend"}  # of `value` no baseline tells
    assert foretold_of(whole(rows).loc["10"]).mixes.keys() == {"treatment"}


def test_a_version_without_a_baseline_is_told_apart_by_treatment(world):
    land, measure = world
    land([(*row[:9], "2", *row[10:]) for row in decisions(0)], DECIDED, "recommendations",
         ["decision_id"])  # fmt: skip
    rows = measure(4)[1]
    (row,) = rows[rows["model_version"] == "2"].to_dict("records")
    assert foretold_of(row).mixes.keys() == {"treatment"}


def test_days_measured_before_features_were_counted_are_read_and_new_ones_added(world):
    land, measure = world
    before = measure(3)[1].drop(columns=["foretold_features", "foretold_tilts"])
    spark, home = measure.spark, measure.home
    kinds = {name: kind for name, kind in COLUMNS.items() if name in before}
    schema = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
    old = [tuple(row) for row in before[list(kinds)].itertuples(index=False)]
    table = spark.createDataFrame(old, schema).write.format("delta").mode("overwrite")
    table.option("overwriteSchema", "true").saveAsTable(home.table("decision_metrics"))
    assert "foretold_features" not in spark.table(home.table("decision_metrics")).columns
    days, rows = measure(4)
    assert days == 2  # one is new, one has matured
    first, *_, newest = rows[rows["model_version"] == "1"].to_dict("records")
    assert foretold_of(first).mixes.keys() == {"treatment"}
    assert foretold_of(newest).mixes.keys() == {"treatment", "spend"}


def test_an_outcome_before_its_decision_counts_for_nothing(world):
    land, measure = world
    land([response(0, 50, -5)], CAME, "outcomes", ["decision_id", "kind"])
    assert whole(measure(4)[1]).loc["10", "foretold_came"] == 20


def test_a_later_run_measures_only_what_has_matured_since(world):
    _, measure = world
    measure(4)
    days, rows = measure(5)
    assert days == 1
    assert whole(rows)["matured"].tolist() == [59, 59, 59, 0, 0]


def test_a_run_for_an_earlier_day_takes_nothing_back(world):
    land, measure = world
    _, before = measure(4)
    days, _ = measure(2)
    assert days == 0
    pd.testing.assert_frame_equal(measure(4)[1], before)
    land([response(0, 41, 2)], CAME, "outcomes", ["decision_id", "kind"])
    assert measure(3)[0] == 1  # day 10 has matured by then, and has news


def test_an_outcome_that_is_delivered_again_counts_once(world):
    land, measure = world
    before = measure(4)[1]
    land([response(0, 20, 20), response(0, 20, 20, "purchase")], CAME, "outcomes",
         ["decision_id", "kind"])  # fmt: skip
    days, rows = measure(4)
    assert days == 1  # a purchase besides, worth something
    assert whole(rows).loc["10", "foretold_came"] == whole(before).loc["10", "foretold_came"]
    land([response(0, 20, 20)], CAME, "outcomes", ["decision_id", "kind"])
    assert measure(4)[0] == 0


def test_a_day_that_another_version_decides_again_is_the_others(world):
    land, measure = world
    measure(4)
    again = [(*row[:9], "2", *row[10:]) for row in decisions(3)]
    land(again, DECIDED, "recommendations", ["decision_id"])
    days, rows = measure(4)
    assert days == 1
    day = rows[rows["day"].astype(str) == "2026-01-13"].set_index("model_version")
    assert day["decisions"].to_dict() == {"*": 59, "1": 0, "2": 59}
    assert measure(4)[0] == 0


@pytest.mark.slow
def test_the_version_of_a_day_is_the_one_that_decided_it(world):
    land, measure = world
    measure(4)
    assert measure.version(4) == "1"
    assert measure.version(9) is None
    land([(*row[:9], "2", *row[10:]) for row in decisions(3)], DECIDED, "recommendations",
         ["decision_id"])  # fmt: skip
    measure(4)
    assert (measure.version(3), measure.version(4)) == ("2", "1")


@pytest.mark.slow
def test_late_rows_in_a_run_for_an_earlier_day_take_no_outcome_back(world):
    land, measure = world
    known = whole(measure(4)[1]).loc["10", "matured"]
    (extra,) = [("late", *row[1:]) for row in list(decisions(0))[:1]]
    land([extra], DECIDED, "recommendations", ["decision_id"])
    assert measure(1)[0] == 0
    assert whole(measure(4)[1]).loc["10", "matured"] == known + 1


def test_a_propensity_that_is_none_is_named_with_its_day(world):
    land, measure = world
    row = list(next(decisions(2)))
    row[6] = 1.5
    land([tuple(row)], DECIDED, "recommendations", ["decision_id"])
    with pytest.raises(DataError, match="1 of 59 decisions of 2026-01-12 have a propensity"):
        measure(4)
