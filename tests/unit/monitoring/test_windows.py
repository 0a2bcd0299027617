"""Windows of every granularity against the calendar."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.errors import DataError
from nextbest.monitoring import windows

pytestmark = pytest.mark.unit
INSTANTS = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1))
GRANULARITIES = {
    "5 minutes": "5min", "30 minutes": "30min", "1 hour": "h", "1 day": "D", "1 month": "M",
    "1 year": "Y",
}  # fmt: skip


@given(INSTANTS, st.sampled_from([*GRANULARITIES, "1 week", "3 weeks"]))
def test_an_instant_lies_in_its_window_and_windows_touch(instant, granularity):
    micros = (instant - windows.EPOCH) // windows.MICROS
    start = int(windows.starts(np.array([micros]), granularity)[0])
    end = windows.end(start, granularity)
    assert start <= micros < end
    assert windows.starts(np.array([start, end - 1, end]), granularity).tolist() == [
        start, start, end
    ]  # fmt: skip
    if granularity in GRANULARITIES:
        period = pd.Period(instant, GRANULARITIES[granularity])
        expected = (
            pd.Timestamp(instant).floor(GRANULARITIES[granularity])
            if period.freqstr[0].isdigit()
            else period.start_time
        )
        assert windows.EPOCH + start * windows.MICROS == expected


@pytest.mark.parametrize(
    "granularity", ["", "day", "0 hours", "-1 day", "1 fortnight", "1.5 hours"]
)
def test_what_is_no_granularity_is_told(granularity):
    with pytest.raises(DataError, match="is none: use"):
        windows.starts(np.array([0]), granularity)
