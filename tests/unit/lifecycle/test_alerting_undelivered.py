"""Messages that a receiver does not take: none is lost, none is told twice, the others arrive."""

from __future__ import annotations

import json

import pytest
from alerted_days import verdict
from receivers import hook

from nextbest.errors import PlatformError

pytestmark = pytest.mark.integration


def test_a_receiver_in_trouble_fails_the_task_and_the_next_day_tells_it(day):
    with hook(troubles=[500] * 2) as receiver:
        day.listen(receiver)
        _, tell = day(0, verdict(x=0.3))
        with pytest.raises(PlatformError) as raised:
            tell()
        assert "1 of 2 messages were not taken: webhook {{secrets/alerts/url}} on 2026-01-20: it " \
               "answered 500" in str(raised.value)  # fmt: skip
        assert receiver.url not in str(raised.value)
        _, tell = day(1, verdict(x=0.3))
        assert tell().summary == "messages delivered: 1, channels: 2"
    states = {(row["channel"], row["state"], row["attempts"]) for row in
              day.rows("alert_deliveries")}  # fmt: skip
    assert states == {("log", "delivered", 1), ("webhook {{secrets/alerts/url}}", "delivered", 3)}


def broken(tell):
    with pytest.raises(PlatformError, match="messages were not taken") as raised:
        tell()
    return str(raised.value)


@pytest.mark.parametrize("reminder", [0, 1, 2])
def test_what_was_not_taken_is_sent_when_the_receiver_is_back_though_it_is_gone(day, reminder):
    changed = {"alert_reminder_days": reminder}
    with hook(troubles=[500] * 2) as receiver:
        day.listen(receiver)
        assert "1 of 2" in broken(day(0, verdict(x=0.3), **changed)[1])
        _, tell = day(1, verdict(), **changed)
        assert tell().summary == "messages delivered: 1, channels: 2"
        _, tell = day(2, verdict(), **changed)
        assert tell().summary == "messages delivered: 0, channels: 2"
    (body,) = receiver.taken().values()
    assert json.loads(body)["as_of"] == "2026-01-20"
    assert receiver.times().total() == 1


@pytest.mark.slow
def test_an_outage_of_weeks_loses_nothing_and_costs_a_try_for_each_message(day):
    with hook(troubles=[500] * 7) as receiver:
        day.listen(receiver)
        broken(day(0, verdict(x=0.3))[1])
        broken(day(9, verdict())[1])  # two attempts
        assert len(receiver.asked) == 4
        told = broken(day(400, verdict(x=0.3))[1])
        assert told.index("on 2027-02-24") < told.index("on 2026-01-20")
        assert len(receiver.asked) == 7
        _, tell = day(430, verdict())
        assert tell().summary == "messages delivered: 2, channels: 2"
    assert sorted(json.loads(body)["as_of"] for body in receiver.taken().values()) == [
        "2026-01-20", "2027-02-24"
    ]  # fmt: skip


@pytest.mark.slow
def test_an_old_message_is_dropped_only_if_its_findings_or_its_channel_are_gone(day):
    with hook(troubles=[500] * 5) as receiver:
        day.listen(receiver)
        broken(day(0, verdict(x=0.3))[1])
        broken(day(20, verdict(y=0.3))[1])
        day(0, verdict(x=0.9))  # judged anew, and not told
        _, tell = day(40, verdict())
        assert tell().summary == "messages delivered: 3, channels: 2"
    assert {body["as_of"]: body["severity"] for body in map(json.loads, receiver.taken().values())}\
        == {"2026-01-20": "critical", "2026-02-09": "warning"}  # fmt: skip
    with hook(troubles=[500] * 2) as receiver:
        day.listen(receiver)
        broken(day(60, verdict(z=0.3))[1])
        _, tell = day(80, verdict(), alert_channels="log")
        assert tell().summary == "messages delivered: 0, channels: 1"
    assert "superseded" in {row["state"] for row in day.rows("alert_deliveries")}


def test_a_secret_that_lacks_is_told_and_the_other_channels_hear(day, monkeypatch):
    monkeypatch.delenv("NEXTBEST_SECRET_ALERTS_URL", raising=False)
    _, tell = day(0, verdict(x=0.3))
    with pytest.raises(PlatformError, match="export NEXTBEST_SECRET_ALERTS_URL"):
        tell()
    states = {row["channel"]: row["state"] for row in day.rows("alert_deliveries")}
    assert states["log"] == "delivered"


@pytest.mark.parametrize(
    ("name", "value"),
    [("URL", "https://[hooks.x.org/T0/aBcDeF"), ("KEY", "whsec_aBcDeFä")],
    ids=["url", "key"],
)
def test_a_secret_that_is_malformed_is_told_and_the_other_channels_hear(
    day, monkeypatch, name, value
):
    with hook() as receiver:
        for known in ("URL", "KEY", "GOOD"):
            monkeypatch.setenv(f"NEXTBEST_SECRET_ALERTS_{known}", receiver.url)
        monkeypatch.setenv(f"NEXTBEST_SECRET_ALERTS_{name}", value)
        bad = "webhook {{secrets/alerts/url}} signed {{secrets/alerts/key}}"
        good = "webhook {{secrets/alerts/good}}"
        _, tell = day(0, verdict(x=0.3), alert_channels=f"{bad}; {good}")
        with pytest.raises(PlatformError, match="1 of 2 messages were not taken") as raised:
            tell()
    assert len(receiver.taken()) == 1
    rows = {row["channel"]: row for row in day.rows("alert_deliveries")}
    assert (rows[bad]["state"], rows[good]["state"]) == ("failed", "delivered")
    assert "aBcDeF" not in f"{raised.value} {rows}"
