from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.evaluation.ope.log import LoggedBatch, Target
from nextbest.evaluation.ope.moments import fold
from nextbest.evaluation.release.groups import pooled

pytestmark = pytest.mark.unit


def moments(n):
    return fold(LoggedBatch(np.ones(n), np.ones(n), {"candidate": Target(np.ones(n))}))


def thin(least):
    return lambda found: "" if found.n >= least else f"{found.n} decisions"


def test_thin_levels_are_pooled_by_name():
    levels = {"s=a": moments(50), "s=b": moments(3), "s=c": moments(8), "s=d": moments(90)}
    groups = pooled(levels, thin(10))
    assert [(each.name, each.moments.n) for each in groups] == [
        ("s=a", 50), ("s=d", 90), ("s=b + s=c", 11),
    ]  # fmt: skip
    assert not any(each.thin for each in groups)


def test_a_pool_that_is_thin_takes_the_smallest_of_the_others():
    levels = {"s=a": moments(20), "s=b": moments(3), "s=c": moments(90)}
    assert [each.name for each in pooled(levels, thin(10))] == ["s=c", "s=a + s=b"]


def test_all_of_it_may_be_too_thin_and_says_so():
    (only,) = pooled({"s=a": moments(2), "s=b": moments(3)}, thin(10))
    assert (only.name, only.thin) == ("s=a + s=b", "5 decisions")


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.integers(1, 60))
def test_no_decision_is_left_out_and_only_the_whole_may_be_thin(sizes, least):
    def enough(found):
        return "" if found.n >= least else "thin"

    levels = {f"s={k}": moments(n) for k, n in enumerate(sizes)}
    groups = pooled(levels, enough)
    assert sum(each.moments.n for each in groups) == sum(sizes)
    assert sorted(name for each in groups for name in each.name.split(" + ")) == sorted(levels)
    assert all(not each.thin for each in groups) or len(groups) == 1
