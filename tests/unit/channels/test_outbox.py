"""What is to be delivered: whatever an earlier run left, nothing is lost, nothing told twice."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nextbest.channels.declared import read_channels
from nextbest.channels.outbox import DELIVERED, FAILED, PENDING, SUPERSEDED, after, plan
from nextbest.channels.sending import Sent
from nextbest.monitoring.messages import Message

pytestmark = pytest.mark.unit

NOW = dt.datetime(2026, 3, 5, 9)
DAY = dt.date(2026, 3, 5)
LOG, SLACK = read_channels("log; slack {{secrets/a/b}}")


def note(number, as_of=DAY):
    return Message(number, "m", as_of, "warning", "title", ("one",), "no retraining")


def planned(messages, channels, known=()):
    return plan(messages, channels, known, DAY, NOW)


def test_a_message_goes_to_every_channel_and_is_kept_whole():
    rows = planned([note("1")], [LOG, SLACK])
    assert [(row.channel, row.state, row.attempts) for row in rows] == [
        ("log", PENDING, 0), (SLACK.name, PENDING, 0)
    ]  # fmt: skip
    assert json.loads(rows[0].payload) == {
        "message_id": "1", "model": "m", "as_of": "2026-03-05", "severity": "warning",
        "title": "title", "lines": ["one"], "response": "no retraining", "why": None,
        "advice": None, "risk": None, "report": None, "run": None,
    }  # fmt: skip
    assert planned([note("1")], [LOG, SLACK], rows) == []


def test_a_refusal_is_open_and_a_delivery_is_not():
    row = planned([note("1")], [LOG])[0]
    failed = after(row, Sent(5, "it answered 500"), NOW)
    assert (failed.state, failed.attempts, failed.open) == (FAILED, 5, True)
    done = after(failed, Sent(1), NOW)
    assert (done.state, done.attempts, done.error, done.open) == (DELIVERED, 6, "", False)


def test_what_the_findings_no_longer_say_is_not_sent():
    first, second = planned([note("1")], [LOG, SLACK])
    delivered = after(first, Sent(1), NOW)
    changed = planned([note("2")], [LOG, SLACK], [delivered, second])
    assert [(row.message_id, row.state) for row in changed] == [
        ("2", PENDING), ("2", PENDING), ("1", SUPERSEDED)
    ]  # fmt: skip


def test_a_channel_of_today_hears_of_today_only_and_one_that_is_gone_of_nothing():
    old = note("0", DAY - dt.timedelta(days=1))
    rows = planned([old, note("1")], [LOG])
    more = planned([old, note("1")], [LOG, SLACK], rows)
    assert [(row.message_id, row.channel) for row in more] == [("1", SLACK.name)]
    gone = planned([old, note("1")], [SLACK], rows)
    assert {(row.channel, row.state) for row in gone} == {
        (SLACK.name, PENDING), ("log", SUPERSEDED)
    }  # fmt: skip


def test_a_day_whose_run_was_cut_off_is_told_by_the_next():
    old = note("0", DAY - dt.timedelta(days=1))
    assert [row.as_of for row in planned([old], [LOG])] == [old.as_of]


def test_what_is_wanted_again_is_sent_as_it_is_told_now():
    (row,) = planned([note("1")], [SLACK])
    failed = after(row, Sent(5, "it answered 500"), NOW)
    (gone,) = planned([note("1")], [], [failed])
    later = dataclasses.replace(note("1"), response="retraining is started")
    (again,) = planned([later], [SLACK], [gone])
    assert (again.delivery_id, again.state, again.attempts) == (row.delivery_id, PENDING, 5)
    assert json.loads(again.payload)["response"] == "retraining is started"
    assert planned([later], [SLACK], [after(again, Sent(1), NOW)]) == []


WANTED = st.tuples(
    st.sets(st.sampled_from(["A", "B"])), st.sets(st.sampled_from([LOG, SLACK])), st.booleans()
)


@settings(max_examples=100)  # what it finds takes three runs in a row
@given(st.lists(WANTED, min_size=3, max_size=8))
def test_of_what_was_ever_wanted_all_that_is_now_is_open_or_delivered_and_nothing_else(runs):
    """Findings and channels change from run to run; receivers take what is open, or don't."""
    kept, heard = {}, []
    for findings, channels, taken in runs:
        for row in planned([note(each) for each in findings], channels, kept.values()):
            kept[row.delivery_id] = row
        wanted = {(finding, channel.name) for finding in findings for channel in channels}
        due = {(row.message_id, row.channel): row for row in kept.values() if row.open}
        done = {(row.message_id, row.channel) for row in kept.values() if row.state == DELIVERED}
        assert due.keys() == wanted - done
        for row in due.values():
            kept[row.delivery_id] = after(row, Sent(1, "" if taken else "it answered 500"), NOW)
        heard += due if taken else []
    assert len(heard) == len(set(heard))


@given(st.lists(st.sampled_from(["written", "sent", "lost"]), max_size=12))
def test_killed_anywhere_each_message_arrives_and_has_one_id(steps):
    """Runs are cut off after rows were written, or after a send that was not written down."""
    channels, messages = [LOG, SLACK], [note("0", DAY - dt.timedelta(days=1)), note("1")]
    kept, heard = {}, []
    for step in [*steps, "all"]:
        for row in planned(messages, channels, kept.values()):
            kept[row.delivery_id] = row
        due = [row for row in kept.values() if row.open]
        for row in due if step == "all" else due[:1]:
            if step != "written":
                heard.append(row.delivery_id)
            if step in ("sent", "all"):
                kept[row.delivery_id] = after(row, Sent(1), NOW)
    assert {row.state for row in kept.values()} == {DELIVERED}
    assert len(set(heard)) == 4
    assert len(heard) <= 4 + steps.count("lost")
