"""A day's decisions as a row, rows added up, and guardrails that need evidence."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import log_loss, roc_auc_score

from nextbest.evaluation.concept import judge_concept
from nextbest.evaluation.foretold import Foretold, foretold
from nextbest.monitoring.binning import bins_of
from nextbest.monitoring.decision_metrics import foretold_of, metrics_row, quality_of
from nextbest.monitoring.decision_quality import Arm, DecisionQuality
from nextbest.monitoring.guardrails import (
    CONTACTS,
    LIFT,
    OPT_OUTS,
    SAMPLE_RATIO,
    VOLUME,
    broken_guardrails,
    unusual_day,
)  # fmt: skip

pytestmark = pytest.mark.unit


def day(seed=1, n=3000, matured=True, slope=1.0):
    rng = np.random.default_rng(seed)
    contacted = rng.random(n) < 0.8
    logit = rng.normal(-2, 1, n)
    p = np.where(contacted, 1 / (1 + np.exp(-logit)), 0.0)
    true = np.where(contacted, 1 / (1 + np.exp(-(slope * (logit + 2) - 2))), 0.0)
    came = (rng.random(n) < true).astype(float)
    rows = pd.DataFrame(
        {
            "action_id": np.where(contacted, rng.choice(["tea", "mug"], n), "none"),
            "treatment": np.where(contacted, rng.choice(["tea|sms", "mug|sms"], n), "none"),
            "propensity": rng.uniform(0.05, 1, n),
            "control_group": rng.random(n) < 0.1,
            "p_response": p,
            "matured": matured,
            "value": came * 10 - contacted,
            "came": came,
            "opted_out": (contacted & (rng.random(n) < 0.01)).astype(float),
        }
    )
    if not matured:
        rows[["value", "came", "opted_out"]] = np.nan
    return rows


def test_a_row_says_what_scikit_learn_says():
    rows = day()
    found = metrics_row(rows, 0.1, 0.95)
    asked = rows[rows["p_response"] > 0]
    assert found["roc_auc_score"] == pytest.approx(
        roc_auc_score(asked["came"], asked["p_response"]), abs=5e-3
    )
    assert found["log_loss"] == pytest.approx(log_loss(asked["came"], asked["p_response"]))
    assert (found["decisions"], found["matured"]) == (len(rows), len(rows))
    treated = rows[~rows["control_group"]]
    assert found["value"] == pytest.approx(treated["value"].mean())
    assert found["contacts"] == int((rows["action_id"] != "none").sum())
    assert sum(found["action_shares"].values()) == pytest.approx(1)
    assert foretold_of(found) == foretold(
        asked["came"], asked["p_response"], {"treatment": asked["treatment"]}
    )
    assert not judge_concept([foretold_of(found)]).moved


def test_what_came_is_counted_by_action_and_bin_and_by_directions():
    rows = day().assign(**{"feature age": np.arange(3000.0)})
    rows.loc[5, "feature age"] = np.nan
    (bins,) = bins_of(rows.rename(columns={"feature age": "age"}), {"age": 1.0})
    found = foretold_of(metrics_row(rows, 0.1, 0.95, {"feature age": bins}))
    asked = rows[rows["p_response"] > 0]
    for name, cell in found.mixes["age"].items():
        action, _, bin_ = name.partition(" where age ")
        age, (first, second) = asked["feature age"], bins.edges
        of_bin = {"none": age.isna(), "below": age < first, "from": age >= second}
        mine = age.between(first, second, inclusive="left") if " to " in bin_ else None
        mine = of_bin[bin_.split()[0]] if mine is None else mine
        mine &= asked["action_id"] == action
        assert cell == pytest.approx((asked["came"][mine].sum(), asked["p_response"][mine].sum()))
    assert len(found.mixes["age"]) == 7 if asked["feature age"].isna().any() else 6
    (of_actions,) = found.tilts.values()
    assert of_actions.keys() == {"tea", "mug"}
    days = [rows.iloc[:1700], rows.iloc[1700:]]
    parts = [foretold_of(metrics_row(each, 0.1, 0.95, {"feature age": bins})) for each in days]
    whole = (parts[0] + parts[1]).tilts
    assert {*whole} == {*found.tilts}
    for action, sums in of_actions.items():
        assert whole['["age"]'][action] == pytest.approx(sums)


def test_a_day_on_which_nothing_has_matured_has_no_cells():
    rows = day(matured=False).assign(age=1.0)
    (bins,) = bins_of(pd.DataFrame({"age": [0.0, 1.0, 2.0]}), {"age": 1.0})
    found = foretold_of(metrics_row(rows, 0.1, 0.95, {"age": bins}))
    assert found == Foretold(mixes={"treatment": {}, "age": {}})


def test_rows_of_days_add_up_to_those_of_both():
    days = [day(seed) for seed in (1, 2, 3)]
    whole = metrics_row(pd.concat(days), 0.1, 0.95)
    parts = quality_of([metrics_row(each, 0.1, 0.95) for each in days])
    told = quality_of([whole])
    assert parts.treated.decisions == told.treated.decisions
    assert parts.treated.squares == pytest.approx(told.treated.squares, rel=1e-9)
    assert parts.actions == told.actions


def test_what_has_not_matured_has_no_quality_and_nobody_has_stayed():
    found = metrics_row(day(matured=False), 0.1, 0.95)
    for name in ("roc_auc_score", "value", "lift", "opt_out_rate", "observed_rate"):
        assert found[name] is None, name
    assert found["matured"] == 0
    assert found["sample_ratio_pvalue"] is not None
    assert foretold_of(found).n == 0


def test_a_contradicted_model_shows():
    windows = [foretold_of(metrics_row(day(seed, 9000, slope=0.0), 0.1, 0.95)) for seed in (1, 2)]
    assert "calibration slope" in judge_concept(windows).moved


def quality(treated, control):
    return DecisionQuality(Arm(*treated), Arm(*control))


CALM = quality((9500, 8000, 30, 9500, 900.0, 9e4), (500, 400, 2, 500, 20.0, 4e3))


def test_guardrails_speak_on_evidence_only():
    assert broken_guardrails(CALM, CALM, 0.05) == ()
    assert broken_guardrails(DecisionQuality(), DecisionQuality(), 0.05) == ()
    (split,) = broken_guardrails(CALM, CALM, 0.1)
    assert split.statistic == SAMPLE_RATIO
    assert "5.00% of 10,000 decisions, 10.00% is set" in split.words
    loss = quality((9500, 8000, 30, 9500, -900.0, 9e4), (500, 400, 2, 500, 200.0, 4e3))
    (found,) = broken_guardrails(CALM, loss, 0.05)
    assert (found.statistic, round(found.value, 3)) == (LIFT, -0.495)
    angry = quality((9500, 8000, 300, 9500, 900.0, 9e4), (5000, 400, 20, 5000, 20.0, 4e4))
    (found,) = broken_guardrails(CALM, angry, 0.05)
    assert found.statistic == OPT_OUTS
    unknown = quality((9500, 8000, 30, 9500, math.nan, math.nan), (500, 400, 2, 500, 20.0, 4e3))
    (found,) = broken_guardrails(CALM, unknown, 0.05)
    assert (found.statistic, "can't be told" in found.words) == (LIFT, True)
    alike = quality((5, 5, 0, 5, -0.1, 0.0), (2, 0, 0, 2, 0.0, 0.0))
    assert broken_guardrails(CALM, alike, 0.05) == ()
    thin = quality((10, 9, 3, 10, -9.0, 9.0), (10, 9, 0, 10, 2.0, 4.0))
    assert broken_guardrails(CALM, thin, 0.05) == ()


def contacting(rate, n=3000):
    return quality((n, round(rate * n), 0, 0, 0.0, 0.0), (n // 20, 0, 0, 0, 0.0, 0.0))


@pytest.mark.parametrize(
    ("today", "days", "growth", "said"),
    [
        (contacting(0.6), 5, 0.1, []),
        (contacting(0.68), 5, 0.1, []),  # more than borne, but not beyond chance
        (contacting(0.75), 5, 0.1, [CONTACTS]),
        (contacting(0.75), 5, 0.5, []),
        (contacting(0.9), 0, 0.1, []),  # nothing to compare with
        (contacting(0.6, 1400), 3, 0.1, [VOLUME]),
        (contacting(0.6, 7000), 3, 0.1, [VOLUME]),
        (contacting(0.6, 1400), 2, 0.1, []),  # what is usual is not known yet
        (DecisionQuality(), 4, 0.1, [VOLUME]),
    ],
)
def test_a_day_of_unusual_numbers_is_told(today, days, growth, said):
    found = unusual_day(today, [contacting(0.6)] * days, growth)
    assert [each.statistic for each in found] == said


def test_quiet_days_of_few_decisions_break_no_guardrail():
    rng = np.random.default_rng(1)
    days = [contacting(rng.binomial(40, 0.6) / 40, 40) for _ in range(1000)]
    spoke = sum(bool(unusual_day(day, days[at : at + 7], 0.0)) for at, day in enumerate(days[:-7]))
    assert spoke <= 5


def test_the_interval_of_the_value_is_students():
    rows = day(4)
    told = metrics_row(rows, 0.1, 0.9)
    known = rows.loc[rows["matured"] & ~rows["control_group"], "value"].to_numpy()
    expected = stats.t.interval(0.9, len(known) - 1, known.mean(), stats.sem(known))
    assert (told["value_low"], told["value_high"]) == pytest.approx(expected, rel=1e-9)
    alone = metrics_row(day(4, matured=False), 0.1, 0.9)
    assert alone["value_low"] is alone["value_of_control_high"] is None
