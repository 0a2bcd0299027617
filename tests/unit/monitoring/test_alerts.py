"""Which findings are news, and when drift may start a retraining."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.errors import SettingsError
from nextbest.monitoring.alerts import (
    BETTER,
    KNOWN,
    NEW,
    NOTHING,
    REMINDER,
    RETRAIN,
    WORSE,
    Brake,
    alert_id,
    decide_response,
    raised,
)
from nextbest.monitoring.verdict import NOT_COMPUTABLE, PSI, Drifted, Verdict

pytestmark = pytest.mark.unit

DAY = dt.date(2026, 3, 1)


def day(number):
    return DAY + dt.timedelta(days=number)


def verdict(**values):
    found = tuple(
        Drifted(name, NOT_COMPUTABLE if math.isnan(value) else PSI, value, 0.2)
        for name, value in values.items()
    )
    return Verdict(bool(found), found, "what it says")


def history(days, version="1", acknowledged=(), reminder_days=7):
    """Why column x is told of on each day; None: no run, 0: no finding."""
    return [found and found.told for found in alerts_of(days, version, acknowledged, reminder_days)]


def episodes(days, version="1"):
    """The day on which the episode of each day's finding began."""
    number = {alert_id("m", day(n), "drift", "x"): n for n in range(len(days))}
    return [found and number[found.episode] for found in alerts_of(days, version)]


def alerts_of(days, version="1", acknowledged=(), reminder_days=7):
    past, judged, told = [], set(), []
    for number, value in enumerate(days):
        if value is None:
            told.append(None)
            continue
        its = version if isinstance(version, str) else version[number]
        found = raised(
            verdict(**({"x": value} if value else {})), "m", its, day(number), past=past,
            judged=judged, acknowledged=[alert_id("m", day(n), "drift", "x") for n in acknowledged],
            reminder_days=reminder_days,
        )  # fmt: skip
        past += found
        judged.add(day(number))
        told.append(found[0] if found else None)
    return told


def test_a_finding_that_goes_on_is_told_once_and_again_after_a_week():
    assert history([0.3] * 9) == [NEW, *[KNOWN] * 6, REMINDER, KNOWN]


def test_a_change_of_severity_is_told():
    assert history([0.3, 0.3, 0.4, 0.5, 0.3]) == [NEW, KNOWN, WORSE, KNOWN, BETTER]


def test_one_that_was_gone_for_a_day_is_new_and_a_day_without_a_run_is_no_gap():
    assert history([0.3, 0, 0.3]) == [NEW, None, NEW]
    assert history([0.3, None, 0.3]) == [NEW, None, KNOWN]


def test_under_another_champion_it_is_new():
    assert history([0.3, 0.3, 0.3], version=["1", "1", "2"]) == [NEW, KNOWN, NEW]


def test_who_has_acknowledged_it_is_not_reminded_but_told_when_it_is_worse():
    assert history([0.3] * 9 + [0.9], acknowledged=[2]) == [NEW, *[KNOWN] * 8, WORSE]
    assert history([0.3, 0, 0.3], acknowledged=[0])[-1] == NEW


def test_an_episode_begins_with_the_finding_and_when_it_is_worse():
    assert episodes([0.3, 0.3, None, 0.3, 0, 0.3]) == [0, 0, None, 0, None, 5]
    assert episodes([0.9, 0.9, 0.3, 0.3, 0.9, 0.9]) == [0, 0, 0, 0, 4, 4]
    assert episodes([0.9, 0.9, 0.9], version=["1", "1", "2"]) == [0, 0, 2]


def test_of_what_became_worse_only_an_acknowledgement_since_then_spares_reminders():
    days = [0.3, 0.3, 0.9, 0.9, 0.9, 0.9]
    worse = [NEW, KNOWN, WORSE, KNOWN, KNOWN]
    assert history(days, acknowledged=[1], reminder_days=3) == [*worse, REMINDER]
    assert history(days, acknowledged=[1, 3], reminder_days=3) == [*worse, KNOWN]


def test_an_alert_of_an_older_table_is_an_episode_of_its_own():
    (first,) = raised(verdict(x=0.3), "m", "1", DAY, past=(), judged=(), acknowledged=(),
                      reminder_days=7)  # fmt: skip
    (then,) = raised(
        verdict(x=0.3), "m", "1", day(1), past=[dataclasses.replace(first, episode=None)],
        judged={DAY}, acknowledged=(), reminder_days=7,
    )  # fmt: skip
    assert (then.told, then.episode) == (KNOWN, first.alert_id)


def test_what_is_not_computable_is_critical_and_has_no_value():
    (found,) = raised(
        verdict(x=math.nan), "m", "1", DAY, past=(), judged=(), acknowledged=(), reminder_days=7
    )
    assert (found.kind, found.severity, found.value) == (NOT_COMPUTABLE, "critical", None)


def test_only_the_days_before_count_so_a_repeated_run_says_the_same():
    options = {"acknowledged": (), "reminder_days": 7}
    first = raised(verdict(x=0.3), "m", "1", DAY, past=(), judged=(), **options)
    later = raised(verdict(x=0.3), "m", "1", day(1), past=first, judged={DAY, day(1)}, **options)
    again = raised(
        verdict(x=0.3), "m", "1", DAY, past=[*first, *later], judged={DAY, day(1)}, **options
    )
    assert again == first
    assert [each.told for each in later] == [KNOWN]


BRAKE = Brake(cooldown_days=3, cap=2, window_days=10)


def respond(days, brake=BRAKE):
    started = []
    for number in days:
        action, _ = decide_response(True, day(number), started, None, brake)
        if action == RETRAIN:
            started.append(day(number))
    return [(each - DAY).days for each in started]


def test_retrainings_cool_down_and_are_capped():
    assert respond(range(20)) == [0, 3, 10, 13]
    assert respond(range(4), Brake(0, 9, 30)) == [0, 1, 2, 3]
    assert respond(range(4), Brake(0, 0, 30)) == []


def test_what_holds_a_retraining_back_is_told():
    assert decide_response(False, DAY, [], None, BRAKE) == (NOTHING, "no drift")
    action, why = decide_response(True, day(2), [DAY], DAY, BRAKE)
    assert action == NOTHING
    assert why.startswith("cool-down: drift started a retraining 2 days ago")
    assert why.endswith("on 2026-03-04")
    action, why = decide_response(True, day(6), [DAY, day(3)], day(3), BRAKE)
    assert action == NOTHING
    assert why.startswith("cap: drift started 2 retrainings in 10 days, 2 are allowed")


def test_a_repeated_run_of_the_newest_day_decides_the_same():
    assert decide_response(True, day(9), [DAY, day(9)], day(9), BRAKE)[0] == RETRAIN
    assert decide_response(True, day(2), [DAY], day(2), BRAKE) == decide_response(
        True, day(2), [DAY], DAY, BRAKE
    )


@pytest.mark.parametrize("started", [[], [day(2)], [DAY, day(2)]], ids=str)
def test_a_run_for_a_day_before_the_newest_starts_nothing(started):
    action, why = decide_response(True, DAY, started, day(2), BRAKE)
    assert action == NOTHING
    assert why.startswith("backfill: the newest day judged is 2026-03-03")
    assert why.endswith("by mistake, delete its row from the table responses")


@pytest.mark.parametrize("brake", [Brake(-1, 1, 1), Brake(1, -1, 1), Brake(1, 1, 0)])
def test_a_brake_that_makes_no_sense_is_refused(brake):
    with pytest.raises(SettingsError, match="retrain_window_days: -?[0-9], -?[0-9] and [0-9]"):
        decide_response(True, DAY, [], None, brake)


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 9), st.integers(0, 5),
       st.integers(1, 20))  # fmt: skip
def test_never_sooner_and_never_more_than_allowed(drifted, cooldown, cap, window):
    brake, started = Brake(cooldown, cap, window), []
    for number, moved in enumerate(drifted):
        if decide_response(moved, day(number), started, None, brake)[0] == RETRAIN:
            assert moved
            started.append(day(number))
    days = [(each - DAY).days for each in started]
    assert all(b - a >= cooldown for a, b in zip(days, days[1:], strict=False))
    assert all(sum(first <= at < first + window for at in days) <= cap for first in days)
