"""A small catalogue of treatments: none, and two offers over two channels."""

from __future__ import annotations

import pandas as pd
import pytest

from nextbest.decisions.treatments import Treatments


@pytest.fixture
def actions():
    rows = [
        ("none", "none", "none", 3.0, 0.0, "true"),
        ("upgrade:sms", "upgrade", "sms", 1.0, 0.04, "sms_consent"),
        ("upgrade:email", "upgrade", "email", 1.0, 0.002, "true"),
        ("roaming:email", "roaming", "email", 0.5, 0.002, "tenure_months >= 12"),
        ("roaming:sms", "roaming", "sms", 0.5, 0.04, "sms_consent AND tenure_months >= 12"),
    ]
    columns = ["treatment", "action_id", "channel", "value", "cost", "eligibility"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(lever=1.0, daily_capacity=None, valid_from=pd.NaT, valid_to=pd.NaT)


@pytest.fixture
def treatments(actions):
    return Treatments.from_frame(actions)
