"""Evidently from our windows: refused with words where it can't be, its page where it is there."""

from __future__ import annotations

import importlib.util

import numpy as np
import pandas as pd
import pytest

from nextbest.errors import DataError
from nextbest.monitoring.evidently_report import evidently_report

pytestmark = pytest.mark.unit
THERE = importlib.util.find_spec("evidently") is not None
ROWS = pd.DataFrame({"spend": np.linspace(0, 1, 200), "channel": ["sms", "call"] * 100})


@pytest.mark.skipif(THERE, reason="evidently is installed")
def test_without_it_the_way_to_get_it_is_told():
    with pytest.raises(DataError, match=r"pip install 'nextbest\[evidently\]'"):
        evidently_report(ROWS, ROWS, ["spend"])


@pytest.mark.skipif(not THERE, reason="evidently is an optional extra")
def test_its_page_over_our_windows():
    page = evidently_report(ROWS.assign(spend=ROWS["spend"] + 5), ROWS, ["spend", "channel"])
    assert "spend" in page
    assert "channel" in page
    with pytest.raises(DataError, match="the window has no rows; the baseline lacks age"):
        evidently_report(ROWS.head(0).assign(age=1), ROWS, ["age"])
