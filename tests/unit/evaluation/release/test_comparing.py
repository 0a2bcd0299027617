"""Guardrails, slices and fairness on decisions whose truth is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from nextbest.errors import DataError, NextBestError
from nextbest.evaluation.gates import judge
from nextbest.evaluation.ope.log import LOGGING
from nextbest.evaluation.release.comparing import fairness, guardrail, slices
from nextbest.evaluation.release.declared import Fairness, Guardrail, Slices
from nextbest.evaluation.release.scoring import Scored

pytestmark = pytest.mark.unit

N = 20_000


def scored(*, contact, value=None, n=N, seed=1):
    """Two treatments, chosen evenly; the candidate takes the second with chance `contact` [n]."""
    rng = np.random.default_rng(seed)
    took = rng.integers(0, 2, n)
    chance = np.broadcast_to(contact, n)
    worth = np.zeros(n) if value is None else np.broadcast_to(value, n)
    logged = np.where(took == 1, chance, 1 - chance)
    outcome = np.where(took == 1, worth, 0.0) + (rng.random(n) < 0.3)
    return Scored(
        propensity=np.full(n, 0.5),
        logged={"candidate": logged},
        target={("candidate", "contact"): chance + 0.0, ("candidate", "value"): np.zeros(n)},
        model={"contact": (took == 1) + 0.0, "value": np.zeros(n)},
        outcome={"contact": (took == 1) + 0.0, "value": outcome},
        invalid=0,
    )


def whole(n=N):
    return np.ones(n, bool)


def passed(line):
    return judge([line.gate], {line.gate.metric: line.measured}).passed


@pytest.mark.parametrize(("contact", "fine"), [(0.5, True), (0.53, True), (0.7, False)])
def test_a_guardrail_holds_the_growth_to_a_share_of_the_log(contact, fine):
    asked = Guardrail("contact rate", "contact", 0.1)
    line = guardrail(asked, scored(contact=contact), whole(), LOGGING, 0.95)
    assert passed(line) is fine
    assert line.measured == pytest.approx((contact - 0.5) / 0.5, abs=0.05)
    assert line.limit == pytest.approx(0.05, abs=0.001)


def test_what_the_log_knows_none_of_may_not_be_added():
    log = scored(contact=0.5)
    nothing = np.zeros(N)
    object.__setattr__(log, "outcome", {**log.outcome, "contact": nothing})
    asked = Guardrail("contact rate", "contact", 0.1)
    assert isinstance(guardrail(asked, log, whole(), LOGGING, 0.95).measured, NextBestError)
    object.__setattr__(log, "model", {**log.model, "contact": nothing})
    object.__setattr__(log, "target", {**log.target, ("candidate", "contact"): nothing})
    line = guardrail(asked, log, whole(), LOGGING, 0.95)
    assert line.measured == 0
    assert passed(line)


def test_a_slice_that_loses_is_refused_alone():
    rows = pd.DataFrame({"s": np.array(["a", "b", "c"])[np.arange(N) % 3]})
    log = scored(contact=0.9, value=np.where(rows["s"] == "b", -1.0, 1.0))
    lines = slices((Slices("s", 0.1, min_ess=100),), rows, log, whole(), LOGGING, 0.95)
    assert {line.label: passed(line) for line in lines} == {"s=a": True, "s=b": False, "s=c": True}
    wide = slices((Slices("s", 5.0, min_ess=100),), rows, log, whole(), LOGGING, 0.95)
    assert all(passed(line) for line in wide)


@pytest.mark.parametrize("seed", range(20))
def test_versions_that_choose_alike_lose_nothing(seed):
    log = scored(contact=0.7, value=0.1, n=300, seed=seed)
    both = {"candidate": log.logged["candidate"], "champion": log.logged["candidate"]}
    log = dataclasses.replace(
        log,
        logged=both,
        target={**log.target, ("champion", "value"): log.target["candidate", "value"]},
    )
    rows = pd.DataFrame({"s": np.arange(300) % 3})
    asked = (Slices("s", 0.0, min_ess=10, min_positives=10),)
    assert all(map(passed, slices(asked, rows, log, whole(300), "champion", 0.95)))


def test_more_slices_make_wider_intervals():
    rows = pd.DataFrame({"s": np.array(["a", "b"])[np.arange(N) % 2], "t": np.arange(N) % 10})
    asked = (Slices("s", 0.0, min_ess=10), Slices("t", 0.0, min_ess=10))
    log = scored(contact=0.9, value=1.0)
    few = slices(asked[:1], rows, log, whole(), LOGGING, 0.95)
    many = slices(asked, rows, log, whole(), LOGGING, 0.95)
    assert (len(few), len(many)) == (2, 12)
    assert few[0].estimate.value == many[0].estimate.value
    assert few[0].estimate.low > many[0].estimate.low


@pytest.mark.slow
def test_slices_that_nobody_loses_in_are_refused_in_one_case_of_twenty_at_most():
    rows = pd.DataFrame({"s": np.arange(2000) % 10})
    asked = (Slices("s", 0.0, min_ess=10),)
    bad = 0
    for seed in range(200):
        log = scored(contact=0.9, n=2000, seed=seed)
        bad += not all(map(passed, slices(asked, rows, log, whole(2000), LOGGING, 0.95)))
    assert bad <= 12  # half of 5 % is expected: a loss is one side of an interval


def test_absent_and_thin_slices_have_not_passed():
    rows = pd.DataFrame({"s": np.where(np.arange(200) < 100, "a", "b")})
    log = scored(contact=0.9, value=1.0, n=200)
    asked = Slices("s", 0.0, min_ess=500, levels=("a", "b", "gone"))
    lines = slices((asked,), rows, log, whole(200), LOGGING, 0.95)
    told = {line.label: str(line.measured) for line in lines}
    assert "too thin, even pooled: 200 decisions" in told["s=a + s=b"]
    assert "no decision of this slice" in told["s=gone"]
    assert not any(map(passed, lines))


def test_a_column_that_is_not_there_and_rows_that_were_not_scored_have_not_passed():
    asked, rows = (Slices("gone", 0.0, min_ess=1),), pd.DataFrame({"s": np.arange(N)})
    (line,) = slices(asked, rows, scored(contact=0.9), whole(), LOGGING, 0.95)
    assert "no column 'gone'" in str(line.measured)
    error = DataError("the decisions were not scored")
    (line,) = slices(asked, rows, error, whole(), LOGGING, 0.95)
    assert line.measured is error
    assert guardrail(Guardrail("c", "contact", 1), error, whole(), LOGGING, 0.95).measured is error
    assert fairness(Fairness("s"), rows, error, whole(), 0.95).measured is error


def test_numbers_are_cut_into_bands():
    rows = pd.DataFrame({"age": np.arange(N) % 90})
    asked = (Slices("age", 0.0, min_ess=10, edges=(30, 60)),)
    lines = slices(asked, rows, scored(contact=0.9, value=1.0), whole(), LOGGING, 0.95)
    assert [line.label for line in lines] == [
        "age=[-inf, 30.0)", "age=[30.0, 60.0)", "age=[60.0, inf)",
    ]  # fmt: skip


@pytest.mark.parametrize(("least", "fine"), [(0.8, False), (0.6, True)])
def test_fairness_is_the_lowest_over_the_highest(least, fine):
    rows = pd.DataFrame({"s": np.array(["a", "b"])[np.arange(N) % 2]})
    log = scored(contact=np.where(rows["s"] == "a", 0.9, 0.63))
    line = fairness(Fairness("s", least=least), rows, log, whole(), 0.95)
    assert line.measured == pytest.approx(0.7, abs=0.02)
    assert line.estimate.name == "s=b over s=a"
    assert passed(line) is fine


def test_fairness_between_one_group_is_none():
    rows = pd.DataFrame({"s": ["a"] * N})
    line = fairness(Fairness("s"), rows, scored(contact=0.9), whole(), 0.95)
    assert "one group only" in str(line.measured)
