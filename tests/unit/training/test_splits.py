import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.errors import DataError
from nextbest.training.splits import held_out, last_days

pytestmark = pytest.mark.unit


def at(days):
    return pd.Series(pd.Timestamp("2026-01-01 13:00", tz="UTC") + pd.to_timedelta(days, unit="D"))


@given(st.lists(st.uuids().map(str), min_size=1, max_size=60), st.floats(0, 1), st.floats(0, 1))
def test_customers_stay_held_out_and_a_smaller_share_is_part_of_a_larger(ids, one, other):
    less, more = (held_out(pd.Series(ids), share) for share in sorted((one, other)))
    assert not (less & ~more).any()
    assert (held_out(pd.Series(ids[::-1]), one)[::-1] == held_out(pd.Series(ids), one)).all()


def test_the_share_held_out_is_that_of_the_customers():
    ids = pd.Series([f"c-{n:07d}" for n in range(20_000)])
    assert held_out(ids, 0.4).mean() == pytest.approx(0.4, abs=0.015)
    assert not held_out(ids, 0.0).any()
    assert held_out(ids, 1.0).all()


def test_last_days_are_whole_and_near_the_share():
    days = np.repeat(np.arange(10), 7)
    assert set(days[last_days(at(days), 0.2)]) == {8, 9}
    assert set(days[last_days(at(days), 0.01)]) == {9}
    assert set(days[last_days(at(days), 1.0)]) == set(range(1, 10))


def test_what_cannot_be_split_is_refused():
    with pytest.raises(DataError, match="3 decisions lie on 1 day"):
        last_days(at([1, 1, 1]), 0.2)
    with pytest.raises(DataError, match="null in 1 decisions"):
        last_days(pd.Series([pd.Timestamp("2026-01-01"), pd.NaT]), 0.2)
