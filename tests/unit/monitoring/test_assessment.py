"""Verdict, causes, risk and advice of a day put together."""

from __future__ import annotations

import pandas as pd
import pytest

from nextbest.evaluation.concept import judge_concept
from nextbest.evaluation.foretold import Foretold
from nextbest.monitoring.alerts import CRITICAL, raised
from nextbest.monitoring.assessment import CONCEPT, assess
from nextbest.monitoring.report_causes import causes_section
from nextbest.monitoring.verdict import PSI, Drifted, Verdict

pytestmark = pytest.mark.unit

CALM = Verdict(False, (), "No drift: 3 columns.")
LEANS = {"tenure": 0.9, "spend": 0.1}
GONE = judge_concept([Foretold(9000, 90, 400, 900, 380, -1100, 3500)])


def test_outcomes_alone_are_drift():
    found = assess(CALM, pd.DataFrame(), LEANS, GONE, (), 10)
    assert found.verdict.drifted
    assert found.verdict.text.startswith("Drift: 90 events came where 400 were foretold")
    assert (found.advice.response, found.causes[0].kind) == ("retrain", "the world")
    assert found.risk.parts["outcomes"] == 0.9
    day = pd.Timestamp("2026-03-01").date()
    (alert,) = raised(found.verdict, "m", "1", day, past=(), judged=(), acknowledged=(),
                      reminder_days=7)  # fmt: skip
    assert (alert.kind, alert.subject, alert.severity) == (CONCEPT, "outcomes", CRITICAL)
    assert "90 events came" in alert.text


def test_a_calm_day_is_no_drift_and_its_risk_that_nothing_is_known():
    found = assess(CALM, pd.DataFrame(), LEANS, None, (), 0)
    assert not found.verdict.drifted
    assert found.verdict.text == CALM.text
    assert (found.advice.response, found.causes) == ("none", ())
    assert found.risk.score == pytest.approx(20)
    page = causes_section(found)
    assert "Risk: 20 of 100, low" in page
    assert "No decision of this version has matured yet" in page


def test_a_column_and_a_guardrail_are_both_told_and_escaped():
    moved = Verdict(True, (Drifted("tenure", PSI, 0.5, 0.2),), "Drift: 1 of 3 columns.")
    split = Drifted("control group", "sample ratio", 0.1, 0.05, 1e-9, "10 % <are> control")
    rows = pd.DataFrame([{"column_name": "tenure", "percent_null_delta": 0.0}])
    found = assess(moved, rows, LEANS, None, (split,), 0)
    assert [cause.kind for cause in found.causes] == ["upstream data", "features"]
    assert found.advice.response == "mend the data"
    assert "10 % &lt;are&gt; control" in causes_section(found)
    assert found.verdict.findings == moved.findings


def test_who_answered_otherwise_has_a_table_the_plainest_first():
    evil = {"tea where <b> below 3": (90.0, 40.0), "tea where <b> from 3": (30.0, 80.0)}
    much = {"mug where age below 40": (119.0, 20.0), "mug where age from 40": (1.0, 100.0)}
    sums = Foretold(9000, 120, 120, 0, 120, -360, 1200, {"<b>": evil, "age": much})
    found = assess(CALM, pd.DataFrame(), LEANS, judge_concept([sums]), (), 0)
    text = causes_section(found)
    assert text.count("<details") == text.count("</details>") == 2
    assert text.index("<details open><summary>by age") < text.index("<summary>by &lt;b&gt;")
    assert '<td>mug where age below 40</td><td class="n">119</td>' in text
    assert "<b> below" not in text
    assert found.causes[0].text.startswith("by age, other responses came than were foretold (mug")
    assert 'id="otherwise"' not in causes_section(assess(CALM, pd.DataFrame(), LEANS, GONE, (), 0))
