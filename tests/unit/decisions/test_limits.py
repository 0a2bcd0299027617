import pickle

import numpy as np
import pandas as pd
import pytest

from nextbest.decisions.limits import limits_from
from nextbest.decisions.treatments import Treatments
from nextbest.errors import DataError

pytestmark = pytest.mark.unit


def test_limits_follow_the_order_of_treatments(actions, treatments):
    capacity = {"upgrade:sms": 5, "roaming:email": 0}
    actions = actions.assign(daily_capacity=actions["treatment"].map(capacity))
    found = limits_from(actions, {"sms": 7, "email": None}, budget=1.5)
    assert found.names == (
        "treatment roaming:email",
        "treatment upgrade:sms",
        "channel sms",
        "budget",
    )
    assert found.capacity.tolist() == [0, 5, 7, 1.5]
    names = np.array(treatments.names)
    assert names[found.usage[1] > 0].tolist() == ["upgrade:sms"]
    assert set(names[found.usage[2] > 0]) == {"upgrade:sms", "roaming:sms"}
    assert (found.usage[3] == treatments.cost).all()
    assert names[found.free].tolist() == ["none"]
    assert found.counts.tolist() == [True, True, True, False]
    assert pickle.loads(pickle.dumps(found)).names == found.names


@pytest.mark.parametrize("null", [None, float("nan"), pd.NA])
def test_absent_is_unlimited(actions, null):
    actions = actions.assign(daily_capacity=pd.Series([null] * len(actions), dtype=object))
    found = limits_from(actions)
    assert len(found) == 0
    assert found.usage.shape == (0, len(actions))
    assert found.free.all()


def test_a_nullable_integer_column_is_read(actions):
    column = pd.array([None, 3, None, None, 0], dtype="Int64")
    found = limits_from(actions.assign(daily_capacity=column))
    assert sorted(found.capacity.tolist()) == [0, 3]


def test_everything_wrong_is_told_at_once(actions):
    column = pd.Series([4, -1, None, None, True], dtype=object)
    actions = actions.assign(daily_capacity=column)
    with pytest.raises(DataError) as told:
        limits_from(actions, {"fax": 3, "sms": float("nan"), "none": 1}, budget=-2.0)
    text = str(told.value)
    for part in (
        "'none' has a daily_capacity",
        "'none' has a channel capacity",
        "channel 'fax' has a capacity but no treatment; known are email, sms",
        "daily_capacity of upgrade:sms is -1",
        "daily_capacity of roaming:sms is True",
        "capacity of channel 'sms' is nan",
        "the budget is -2.0",
    ):
        assert part in text


def test_a_none_that_costs_and_a_missing_column(actions):
    dear = actions.assign(cost=actions["cost"].where(actions["treatment"] != "none", 1.0))
    with pytest.raises(DataError, match="under a budget it must be free"):
        limits_from(dear, budget=1.0)
    with pytest.raises(DataError, match="the column daily_capacity is missing"):
        limits_from(actions.drop(columns="daily_capacity"))


def test_the_shape_is_checked(actions):
    limits = limits_from(actions, budget=1.0)
    limits.check((9, len(Treatments.from_frame(actions))), "score")
    with pytest.raises(DataError, match="score has the shape"):
        limits.check((9, 3), "score")
