"""If/else comparisons."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.errors import RunError
from nextbest.runner.conditions import holds

pytestmark = pytest.mark.unit

finite = st.floats(allow_nan=False)


@given(st.text(), st.text())
def test_equality_is_of_text(left, right):
    assert holds("EQUAL_TO", left, right) == (left == right) != holds("NOT_EQUAL", left, right)


@given(finite, finite)
def test_order_is_of_numbers(left, right):
    texts = (repr(left), repr(right))
    assert holds("GREATER_THAN", *texts) == (left > right) != holds("LESS_THAN_OR_EQUAL", *texts)
    assert holds("LESS_THAN", *texts) == (left < right) != holds("GREATER_THAN_OR_EQUAL", *texts)


@pytest.mark.parametrize("op", ["GREATER_THAN", "LESS_THAN_OR_EQUAL"])
def test_no_number_is_an_error(op):
    with pytest.raises(RunError, match="'abc' is none"):
        holds(op, "1", "abc")
