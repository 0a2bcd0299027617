import pytest

from nextbest.errors import DataError
from nextbest.features.definitions import (
    ACTION_FEATURES,
    DAYS_KEPT,
    HISTORY,
    MOST_VALUES,
    WINDOWS,
    spread,
)

pytestmark = pytest.mark.unit
VALUES = {"channel": ["sms", "e-mail"], "action_id": ["Plan B", "a"]}


def test_every_feature_is_told_in_words():
    windows = (*WINDOWS, *spread(VALUES))
    names = [window.name for window in windows]
    assert len(set(names)) == len(names)
    assert len({window.meaning for window in windows}) == len(names)
    for window in windows:
        assert str(window.days) in window.meaning
        assert str(window.days) in window.window
        assert window.unit in ("events", "money", "days")
        assert window.source in ("interactions", "decisions", "outcomes")
        assert 0 < window.days <= DAYS_KEPT
        ending = "" if window.statistic == "days_since" else f"_{window.days}d"
        assert window.name.endswith(ending)
    assert all(all(texts) for texts in ACTION_FEATURES.values())


def test_a_feature_per_column_is_one_per_value():
    by_name = {window.name: window for window in spread(VALUES)}
    assert by_name["offers_e_mail_30d"].value == "e-mail"
    assert by_name["responses_plan_b_90d"].meaning == (
        "Number of responses with action Plan B in the 90 days before"
    )
    split = [window for window in HISTORY if window.per]
    assert len(by_name) == len(HISTORY) - len(split) + len(split) * 2
    assert not any(window.per for window in WINDOWS)


def test_a_column_of_many_values_gets_none_of_them():
    many = {"action_id": [f"a{k}" for k in range(MOST_VALUES + 1)]}
    whole = tuple(window for window in HISTORY if not window.per)
    assert spread(many) == spread({}) == whole
    assert len(spread({"action_id": many["action_id"][1:]})) == len(whole) + MOST_VALUES


def test_values_that_would_share_a_name_are_refused():
    with pytest.raises(DataError, match="responses_plan_b_90d would each be two"):
        spread({"action_id": ["plan b", "plan-b"]})
    with pytest.raises(DataError, match="responses_a_90d"):
        spread({"action_id": ["a"], "channel": ["a"]})
