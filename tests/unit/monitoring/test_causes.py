"""Causes in their order, the response that fits, and the risk that follows."""

from __future__ import annotations

import dataclasses
import decimal
import math

import numpy as np
import pandas as pd
import pytest

from nextbest.errors import DataError
from nextbest.evaluation.concept import judge_concept
from nextbest.evaluation.foretold import foretold
from nextbest.monitoring.causes import advice_on, leaning, likely_causes
from nextbest.monitoring.guardrails import CONTACTS, LIFT, SAMPLE_RATIO, VOLUME
from nextbest.monitoring.risk import model_risk
from nextbest.monitoring.verdict import Drifted

pytestmark = pytest.mark.unit

LEANS = {"tenure": 0.7, "spend": 0.255, "hat_size": 0.04, "shoe_size": 0.005}


def rows(**deltas):
    return pd.DataFrame(
        [{"column_name": name, "percent_null_delta": null, "percent_zeros_delta": zero}
         for name, (null, zero) in deltas.items()]
    )  # fmt: skip


def world(slope):
    rng = np.random.default_rng(5)
    logit = rng.normal(-3, 1, 9000)
    true = 1 / (1 + np.exp(-(slope * (logit + 3) - 3)))
    return judge_concept([foretold((rng.random(9000) < true) * 1.0, 1 / (1 + np.exp(-logit)))])


def test_scores_lean_on_what_they_are_made_of():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=5000), "b": rng.choice(["x", "y", None], 5000)})
    frame["c"] = np.where(rng.random(5000) < 0.1, np.nan, rng.normal(size=5000))
    frame["score"] = frame["a"] * 2 + (frame["b"] == "x") + 0.01 * rng.normal(size=5000)
    found = leaning(frame, ["a", "b", "c"], "score")
    assert sum(found.values()) == pytest.approx(1)
    assert found["a"] > found["b"] > 0.02 > found["c"]
    assert leaning(frame.assign(score=1.0), ["a"], "score") == {"a": 0.0}
    with pytest.raises(DataError, match="0 rows"):
        leaning(frame[:0], ["a"], "score")


def test_a_broken_feed_comes_first_and_is_not_learned_from():
    drifted = {"spend": 3.0, "tenure": 1.4}
    causes = likely_causes(drifted, rows(spend=(62.0, 0.0), tenure=(0.1, 0.0)), LEANS, world(0.0))
    assert [cause.kind for cause in causes] == ["upstream data", "the world", "features"]
    assert causes[0].columns == ("spend",)
    assert "+62 percentage points of nulls" in causes[0].text
    assert advice_on(causes).response == "mend the data"


def test_some_more_nulls_may_be_new_customers():
    moved = {"spend": 2.0, "tenure": 1.4}
    causes = likely_causes(moved, rows(spend=(27.0, 0.0), tenure=(0.0, 0.0)), LEANS, world(1.0))
    assert [(each.kind, each.weight) for each in causes] == [
        ("features", pytest.approx(0.7)), ("upstream data", 0.27)
    ]  # fmt: skip
    assert advice_on(causes).response == "retrain"
    alone = likely_causes({"spend": 2.0}, rows(spend=(27.0, 0.0)), LEANS, world(1.0))
    assert "look at its source" in advice_on(alone).why


def test_codes_moments_and_decimals_that_explain_nothing_are_leant_on_by_nobody():
    rng = np.random.default_rng(3)
    n = 20_000
    driver = rng.normal(size=n)
    seconds = pd.to_timedelta(rng.integers(0, 10**7, n), unit="s")
    frame = pd.DataFrame({
        "driver": driver,
        "zip": rng.integers(0, 9000, n).astype(str),
        "moment": pd.Timestamp("2026-01-01") + seconds,
        "moment_utc": pd.Timestamp("2026-01-01", tz="UTC") + seconds,
        "price": [decimal.Decimal(each) / 100 for each in rng.integers(0, 10**6, n).tolist()],
        "score": driver + rng.normal(size=n),
    })  # fmt: skip
    found = leaning(frame, [name for name in frame if name != "score"], "score")
    assert found["driver"] > 0.95
    often = frame.assign(code=np.where(driver > 1, "gold", frame["zip"]))
    assert leaning(often, ["code", "zip"], "score")["code"] > 0.9  # a common value still tells


@pytest.mark.parametrize(
    ("drifted", "concept", "kinds", "response"),
    [
        ({"tenure": 1.5}, 1.0, ["features"], "retrain"),
        ({"shoe_size": 9.0}, 1.0, ["features nobody leans on"], "watch"),
        ({"hat_size": 9.0}, 1.0, ["features"], "watch"),
        ({"hat_size": 9.0, "spend": 1.2}, 1.0, ["features"], "retrain"),
        ({}, 0.0, ["the world"], "retrain"),
        ({"p_response": 1.2}, 1.0, ["scores"], "retrain"),
        (
            {"p_response": 1.2, "shoe_size": 9.0},
            1.0,
            ["scores", "features nobody leans on"],
            "retrain",
        ),
        ({"tenure": math.nan}, 1.0, ["upstream data"], "mend the data"),
    ],
)
def test_each_cause_has_its_response(drifted, concept, kinds, response):
    table = rows(**dict.fromkeys(drifted, (0.0, 0.0))) if drifted else pd.DataFrame()
    causes = likely_causes(drifted, table, LEANS, world(concept))
    assert [cause.kind for cause in causes] == kinds
    assert advice_on(causes).response == response


def test_a_wrong_split_is_mended_and_a_loss_is_learned_from():
    split = Drifted("control group", SAMPLE_RATIO, 0.1, 0.05, 1e-9, "the control group is 10 %")
    loss = Drifted("value", LIFT, -1.0, 0.0, 1e-3, "decisions earn less")
    told = [likely_causes({}, pd.DataFrame(), LEANS, None, found) for found in ([split], [loss])]
    assert [each.kind for causes in told for each in causes] == ["upstream data", "the world"]
    assert [advice_on(causes).response for causes in told] == ["mend the data", "retrain"]
    assert "earn less" in told[1][0].text
    unknown = dataclasses.replace(loss, value=math.nan)
    (cause,) = likely_causes({}, pd.DataFrame(), LEANS, None, [unknown])
    assert (cause.kind, cause.weight) == ("upstream data", 1.0)


def test_too_few_decisions_are_the_feeds_and_more_contacts_another_mix():
    few = Drifted("decisions", VOLUME, 0.3, 1.0, 0.0, "900 decisions were made")
    more = Drifted("contacts", CONTACTS, 0.3, 0.1, 1e-3, "80% of the customers are contacted")
    (cause,) = likely_causes({}, pd.DataFrame(), LEANS, None, [few])
    assert (cause.kind, advice_on([cause]).response) == ("upstream data", "mend the data")
    (cause,) = likely_causes({}, pd.DataFrame(), LEANS, None, [more])
    assert (cause.kind, cause.text) == ("scores", more.words)


def test_nothing_moved_nothing_to_do():
    assert advice_on(likely_causes({}, pd.DataFrame(), LEANS, world(1.0))).response == "none"


def test_risk_grows_with_each_part_and_never_beyond_a_hundred():
    calm = model_risk({}, LEANS, (), world(1.0), 0)
    assert (calm.score, calm.level) == (0.0, "low")
    moved = model_risk({"tenure": 1.5}, LEANS, (), world(1.0), 0)
    assert moved.parts["inputs"] == pytest.approx(0.35)
    worse = model_risk({"tenure": 3.0, "spend": math.nan}, LEANS, (), world(0.0), 400)
    assert calm.score < moved.score < worse.score <= 100
    assert worse.level == "high"
    unknown = dataclasses.replace(world(1.0), known=False)
    assert model_risk({}, LEANS, (), unknown, 0).score == pytest.approx(20)
    assert model_risk({}, LEANS, (), world(1.0), 90).score == pytest.approx(50)
