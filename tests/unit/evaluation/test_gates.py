from __future__ import annotations

import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.errors import DataError
from nextbest.evaluation.gates import Gate, judge, verdict_table

pytestmark = pytest.mark.unit

LIFT = Gate("lift", "lift_low", ">", 0.0, "it must be better")
ESS = Gate("sample", "ess", ">=", 100.0, "it must be told from enough")


def test_a_verdict_passes_when_every_gate_does():
    verdict = judge([LIFT, ESS], {"lift_low": 0.1, "ess": np.int64(100), "other": None})
    assert verdict.passed
    assert verdict.reasons == ()
    assert verdict.text == (
        "Passed: all 2 gates. lift: lift_low is 0.1, as it must be > 0; "
        "sample: ess is 100, as it must be >= 100."
    )


def test_one_gate_is_enough_to_refuse_and_the_text_says_why():
    verdict = judge([LIFT, ESS], {"lift_low": 0.0, "ess": 500})
    assert not verdict.passed
    assert verdict.text == (
        "Refused: 1 of 2 gates not passed. "
        "lift: lift_low is 0, and must be > 0 (it must be better)."
    )


@pytest.mark.parametrize(
    ("measurements", "reason"),
    [
        ({}, "lift_low was not measured"),
        ({"lift_low": None}, "lift_low is None, which is no finite number"),
        ({"lift_low": math.nan}, "lift_low is nan, which"),
        ({"lift_low": np.float64("nan")}, "lift_low is nan, which"),
        ({"lift_low": math.inf}, "lift_low is inf, which"),
        ({"lift_low": True}, "lift_low is True, which"),
        ({"lift_low": "0.9"}, "lift_low is 0.9, which"),
        ({"lift_low": DataError("the log is empty")}, "can't be computed: the log is empty"),
        ({"lift_low": ZeroDivisionError("by zero")}, "can't be computed: by zero"),
    ],
)
def test_what_is_not_measured_has_not_passed(measurements, reason):
    verdict = judge([LIFT], measurements)
    assert not verdict.passed
    assert verdict.findings[0].value is None
    assert reason in verdict.findings[0].reason


def test_no_gate_is_no_pass():
    assert not judge([], {"lift_low": 1.0}).passed
    assert judge([], {}).text == "Refused: there was no gate to pass."


@pytest.mark.parametrize(
    ("gate", "reason"),
    [
        (Gate("g", "m", "=>", 0.0, "w"), "'=>' is no comparison"),
        (Gate("g", "m", ">", math.nan, "w"), "its threshold is nan"),
        (Gate("g", "m", "<", math.inf, "w"), "its threshold is inf"),
        (Gate("g", "m", "<", None, "w"), "its threshold is None"),
    ],
)
def test_a_gate_that_is_no_gate_does_not_pass(gate, reason):
    verdict = judge([gate], {"m": 1.0})
    assert not verdict.passed
    assert reason in verdict.text


@given(st.sampled_from([">", ">=", "<", "<="]), st.integers(-3, 3), st.integers(-3, 3))
def test_comparisons_mean_what_they_say(op, value, threshold):
    expected = {">": value > threshold, ">=": value >= threshold}
    expected |= {"<": value < threshold, "<=": value <= threshold}
    assert (
        judge([Gate("g", "m", op, threshold, "w")], {"m": Fraction(value)}).passed is expected[op]
    )


def test_a_verdict_can_be_shown_and_stored():
    verdict = judge([LIFT, ESS], {"lift_low": np.float32(0.5)})
    stored = json.loads(json.dumps(verdict.as_dict(), allow_nan=False))
    assert stored["passed"] is False
    assert stored["findings"] == verdict_table(verdict)
    assert [row["condition"] for row in stored["findings"]] == ["lift_low > 0", "ess >= 100"]
    assert [row["value"] for row in stored["findings"]] == [0.5, None]
    assert [row["passed"] for row in stored["findings"]] == [True, False]


def test_a_broken_gate_can_be_stored_too():
    verdict = judge([Gate("g", "m", ">", math.nan, "w"), Gate("g", "m", "<", None, "w")], {})
    assert json.dumps(verdict.as_dict(), allow_nan=False)
