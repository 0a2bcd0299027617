"""Segments add up to the whole, and tiny ones are refused in sight."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.errors import DataError
from nextbest.evaluation.ope.choice import grid
from nextbest.evaluation.ope.estimators import available, lift
from nextbest.evaluation.ope.moments import fold, merged
from nextbest.evaluation.ope.segments import NO_SEGMENT, evaluate_segments, fold_by, merged_by

pytestmark = pytest.mark.unit


def told(moments):
    estimates = [lift(moments, "candidate", estimator=name) for name in available(moments)]
    return [x for each in estimates for x in (each.value, each.low, each.high)]


@given(st.integers(0, 10_000), st.integers(1, 6))
def test_segments_add_up_to_the_whole_however_the_log_is_split(bandit, seed, pieces):
    rng = np.random.default_rng(seed)
    log = bandit.draw(200, seed)
    names = rng.choice(np.array(["a", "b", None], dtype=object), 200, p=[0.5, 0.45, 0.05])
    order = rng.permutation(200)
    parts = [fold_by(log.take(rows), names[rows], grid()) for rows in np.array_split(order, pieces)]
    split, whole = merged_by(*parts), fold_by(log, names, grid())
    assert list(split) == list(whole) == sorted({NO_SEGMENT, "a", "b"})
    for name in whole:
        assert told(split[name]) == pytest.approx(told(whole[name]), rel=1e-12, abs=1e-12)
        alone = fold(
            log.take(np.flatnonzero(names == (None if name == NO_SEGMENT else name))), grid()
        )
        assert told(alone) == pytest.approx(told(whole[name]), rel=1e-12, abs=1e-12)
    together = merged(list(split.values()))
    assert told(together) == pytest.approx(told(fold(log, grid())), rel=1e-12, abs=1e-12)


def test_a_tiny_segment_is_refused_and_shown(bandit):
    log = bandit.draw(10_000, 1)
    names = np.where(np.arange(10_000) < 30, "few", "many")
    few, many = evaluate_segments(fold_by(log, names), "candidate", min_ess=500)
    assert (few.segment, few.n) == ("few", 30)
    assert len(few.reasons) == 2
    assert many.reasons == ()
    assert few.n + many.n == 10_000


def test_a_segment_of_which_nothing_can_be_said_is_shown_too(bandit):
    log = bandit.draw(2000, 2)
    target = log.targets["candidate"].probability
    never = np.arange(2000) % 2 == 0
    target[never] = 0.0
    found = evaluate_segments(fold_by(log, never), "candidate", min_ess=10)
    assert [each.segment for each in found] == ["False", "True"]
    assert found[1].value is None
    assert "all 1000 weights are 0" in found[1].reasons[0]


def test_identifiers_are_no_segments(bandit):
    log = bandit.draw(1500, 3)
    with pytest.raises(DataError, match="more than 1,000 different values"):
        fold_by(log, np.arange(1500))
    with pytest.raises(DataError, match="3 values for 1500 decisions"):
        fold_by(log, ["a", "b", "c"])


def test_an_empty_part_adds_nothing(bandit):
    log = bandit.draw(40, seed=5)
    nothing = fold_by(log.take(slice(0, 0)), np.array([], dtype=object))
    whole = fold_by(log, np.repeat(["a", "b"], 20))
    assert told(merged_by(nothing, whole)["a"]) == told(whole["a"])


def test_a_segment_that_is_called_as_none_is_not_mixed_with_null(bandit):
    names = np.array(["(none)", None, "a", None] * 50, dtype=object)
    found = fold_by(bandit.draw(200, 3), names)
    assert {name: part.n for name, part in found.items()} == {
        "'(none)'": 50,
        "(none)": 100,
        "a": 50,
    }
