import pytest

from nextbest.decisions.contact_policy import ContactLimit, Suppression
from nextbest.decisions.notation import read_budget, read_capacities, read_contact_policy
from nextbest.errors import SettingsError

pytestmark = pytest.mark.unit


def test_rules_are_read():
    text = (
        "at most 3 in 7 days;  at most 1 in 1 day per channel call; "
        "90 days of silence after opt_out per action; 2 days of silence after purchase"
    )
    assert read_contact_policy(text) == (
        ContactLimit(3, 7),
        ContactLimit(1, 1, "channel", "call"),
        Suppression("opt_out", 90, "action"),
        Suppression("purchase", 2),
    )
    assert read_contact_policy(" none ") == ()


@pytest.mark.parametrize("text", ["", "3 in 7 days", "at most 3 in 7 days per house", "none; none"])
def test_other_rules_are_refused_all_together(text):
    with pytest.raises(SettingsError) as refused:
        read_contact_policy(f"{text}; at least 1 in 2 days; at most 1 in 2 days")
    assert f"'{text.split(';')[0]}'" in str(refused.value)
    assert "'at least 1 in 2 days'" in str(refused.value)
    assert "'at most 1 in 2 days'," not in str(refused.value)


def test_capacities_and_budget_are_read():
    assert read_capacities("call=100;sms = 0") == {"call": 100.0, "sms": 0.0}
    assert read_capacities("none") == {}
    assert (read_budget("none"), read_budget("12.5")) == (None, 12.5)


@pytest.mark.parametrize("part", ["call", "call=-1", "=5", "call=1.5", "call=x", "sms=1"])
def test_other_capacities_are_refused(part):
    with pytest.raises(SettingsError, match=f"channel_capacity: '{part}' can't be read"):
        read_capacities(f"sms=5; {part}")


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "1e5", "much", ""])
def test_other_budgets_are_refused(text):
    with pytest.raises(SettingsError, match="daily_budget is"):
        read_budget(text)
