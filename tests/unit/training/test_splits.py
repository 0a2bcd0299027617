import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.errors import DataError
from nextbest.training.splits import last_days, split_by_day

pytestmark = pytest.mark.unit


def at(days):
    return pd.Series(pd.Timestamp("2026-01-01 13:00", tz="UTC") + pd.to_timedelta(days, unit="D"))


@given(st.lists(st.integers(0, 20), min_size=4, max_size=60), st.integers(1, 4))
def test_parts_follow_each_other_and_cover_all(days, holdout_days):
    learning = [day for day in days if day <= max(days) - holdout_days]
    if len(set(learning)) < 2:
        with pytest.raises(DataError):
            split_by_day(at(days), holdout_days)
        return
    split = split_by_day(at(days), holdout_days)
    days = np.array(days)
    total = split.train.astype(int) + split.calibration + split.holdout
    assert (total == 1).all()
    assert days[split.train].max() < days[split.calibration].min()
    assert days[split.calibration].max() < days[split.holdout].min()
    assert days[split.holdout].min() > days.max() - holdout_days


def test_last_days_are_whole_and_near_the_share():
    days = np.repeat(np.arange(10), 7)
    assert set(days[last_days(at(days), 0.2)]) == {8, 9}
    assert set(days[last_days(at(days), 0.01)]) == {9}
    assert set(days[last_days(at(days), 1.0)]) == set(range(1, 10))


def test_what_cannot_be_split_is_refused():
    with pytest.raises(DataError, match="3 decisions lie on 1 day"):
        last_days(at([1, 1, 1]), 0.2)
    with pytest.raises(DataError, match="can't split 0 decisions"):
        split_by_day(at([]), 2)
    with pytest.raises(DataError, match="null in 1 decisions"):
        last_days(pd.Series([pd.Timestamp("2026-01-01"), pd.NaT]), 0.2)
