"""Alerts, responses and deliveries on real tables: written once, told once, whatever happens."""

from __future__ import annotations

import datetime as dt
import json
import time

import pytest
from assessed import moved
from receivers import hook

from nextbest import tables
from nextbest.channels.sending import Patience
from nextbest.errors import PlatformError, SettingsError
from nextbest.lifecycle.alerting import send_alerts
from nextbest.lifecycle.responding import locate, respond
from nextbest.monitoring.alerts import NOTHING, RETRAIN
from nextbest.monitoring.verdict import PSI, Drifted
from nextbest.platforms.local.session import open_session

pytestmark = pytest.mark.integration

QUICK = Patience(attempts=2, timeout=1.0, first=0.01, most=0.1)
WEBHOOK = "log; webhook {{secrets/alerts/url}}"
DAY = dt.date(2026, 1, 20)


def verdict(**values):
    found = tuple(Drifted(name, PSI, value, 0.2) for name, value in values.items())
    return moved(found)


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """One lakehouse for all; each test has a model of its own in it."""
    home = tmp_path_factory.mktemp("alerting")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEXTBEST_LAKEHOUSE", str(home))
        spark = open_session(home, ["prod.ml_nba_demo"])
        yield spark
        spark.stop()


@pytest.fixture
def world(opened, small, request):
    """(session, settings of a model that nobody else has)."""
    mine = {"model_name": f"prod.ml_nba_demo.{request.node.name}"}
    return opened, lambda **changed: small(**{**mine, **changed})


@pytest.fixture
def day(world, monkeypatch):
    """Judge and tell a day: (number, verdict, settings) → its response, how to tell it."""
    spark, settings = world

    def run(number, found, report=None, **changed):
        options = {"retrain_cooldown_days": 2, "alert_channels": WEBHOOK, **changed}
        of_day = settings(as_of=DAY + dt.timedelta(days=number), **options)
        response = respond(of_day, spark, "1", found)
        if report:
            locate(of_day, spark, response, report, None)
        return response, lambda: send_alerts(of_day, spark, QUICK)

    run.rows = lambda name: [
        row.asDict()
        for row in tables.read(spark, settings().table(name)).collect()
        if row["model"] == settings().model
    ]
    run.listen = lambda receiver: monkeypatch.setenv("NEXTBEST_SECRET_ALERTS_URL", receiver.url)
    return run


def test_a_day_is_told_once_with_all_its_findings_however_often_it_runs(day):
    with hook() as receiver:
        day.listen(receiver)
        response, tell = day(0, verdict(x=0.3, y=0.9))
        assert (response.action, response.reason) == (RETRAIN, "drift starts training_job")
        assert tell().summary == "messages delivered: 2, channels: 2"
        before = {name: day.rows(name) for name in ("alerts", "responses", "alert_deliveries")}
        assert day(0, verdict(x=0.3, y=0.9))[0] == response
        assert tell().summary == "messages delivered: 0, channels: 2"
        assert before == {name: day.rows(name) for name in before}
    (body,) = receiver.taken().values()
    told = json.loads(body)
    assert [line.split(":")[:2] for line in told["lines"]] == [
        ["critical, new", " y"], ["warning, new", " x"]
    ]  # fmt: skip
    assert told["response"] == "retraining is started: drift starts training_job"
    (row,) = [each for each in before["alert_deliveries"] if each["channel"] != "log"]
    assert (row["state"], row["attempts"], row["error"]) == ("delivered", 1, "")
    assert json.loads(row["payload"]) == told


def test_what_goes_on_is_quiet_and_the_response_says_what_holds_it_back(day):
    with hook() as receiver:
        day.listen(receiver)
        for number in range(4):
            response, tell = day(number, verdict(x=0.3), alert_reminder_days=3)
            tell()
            assert response.action == (RETRAIN if number in (0, 2) else NOTHING)
    assert sorted(json.loads(body)["as_of"] for body in receiver.taken().values()) == [
        "2026-01-20", "2026-01-23"
    ]  # fmt: skip
    reasons = [row["reason"] for row in sorted(day.rows("responses"), key=lambda r: r["as_of"])]
    assert reasons[1].startswith("cool-down: drift started a retraining 1 day ago")
    assert day(4, verdict(), retrain_cap=0)[0].reason == "no drift"
    assert day(5, verdict(x=0.3), retrain_cap=1)[0].reason.startswith("cap: drift started 2")


def test_a_message_says_why_and_where_and_a_rerun_changes_neither_it_nor_its_id(day):
    with hook() as receiver:
        day.listen(receiver)
        for _ in range(2):
            _, tell = day(0, verdict(x=0.3), "/volume/monitoring/2026-01-20.html")
            tell()
        (row,) = day.rows("responses")
        day(0, verdict(x=0.3))  # killed before its page was written: the earlier one is there
        assert day.rows("responses") == [row]
    ((_, body),) = receiver.taken().items()
    told = json.loads(body)
    assert told["why"] == "scores: x moved: other customers, or another mix of actions"
    assert told["advice"] == "retrain: scores have left the training window"
    assert told["report"] == row["report"] == "/volume/monitoring/2026-01-20.html"
    assert (told["risk"], told["run"]) == (pytest.approx(row["risk"], abs=0.05), None)
    assert receiver.times().total() == 1


def actions(day):
    return {(row["as_of"] - DAY).days: row["action"] for row in day.rows("responses")}


def test_a_backfill_starts_nothing_and_forgets_no_retraining(day):
    changed = {"retrain_cooldown_days": 3}
    assert day(0, verdict(x=0.3), **changed)[0].action == RETRAIN
    assert day(3, verdict(x=0.3), **changed)[0].action == RETRAIN
    assert day(3, verdict(x=0.3), **changed)[0].action == RETRAIN  # the newest day, once more
    for number in (1, 0):
        response, _ = day(number, verdict(x=0.3), **changed)
        assert response.action == NOTHING
        assert response.reason.startswith("backfill: the newest day judged is 2026-01-23")
    assert actions(day) == {0: RETRAIN, 1: NOTHING, 3: RETRAIN}
    assert day(3, verdict(), **changed)[0].action == NOTHING  # what was started was started
    assert actions(day)[3] == RETRAIN
    assert day(5, verdict(x=0.3), **changed)[0].reason.startswith("cool-down: drift started a")


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


def test_times_are_utc_in_every_zone(day, world, in_lima):
    spark, settings = world
    table = settings().table("alert_deliveries")
    begun = int(time.time())
    with hook(troubles=[500] * 2) as receiver:
        day.listen(receiver)
        _, tell = day(0, verdict(x=0.3), alert_channels="webhook {{secrets/alerts/url}}")
        with pytest.raises(PlatformError):
            tell()
        written = ask(spark, table, settings().model)
        shown = tell().shown["Deliveries"]
    assert begun <= written.created <= written.updated <= time.time()
    again = ask(spark, table, settings().model)
    assert written.created == again.created <= again.updated <= time.time()
    (row,) = shown.itertuples()
    assert (row.created_at.timestamp(), row.created_at.tzinfo) == (written.created, dt.UTC)


def ask(spark, table, model):
    """Seconds since 1970 when the delivery of a model was written and changed."""
    found = spark.sql(
        f"SELECT unix_timestamp(created_at) AS created, unix_timestamp(updated_at) AS updated "
        f"FROM {table} WHERE model = '{model}'"
    )
    return found.first()


def test_a_finding_that_a_later_run_of_the_day_does_not_find_stands_no_more(day):
    day(0, verdict(x=0.3, y=0.3))
    day(0, verdict(y=0.3))
    assert {row["subject"]: row["standing"] for row in day.rows("alerts")} == {
        "x": False, "y": True
    }  # fmt: skip
    day(1, verdict(x=0.3, y=0.3))
    assert {row["subject"]: row["told"] for row in day.rows("alerts") if
            row["as_of"] > DAY} == {"x": "new", "y": "known"}  # fmt: skip


def test_without_a_verdict_there_is_nothing_to_tell_but_channels_are_read(lakehouse):
    spark, settings = lakehouse
    assert "nothing to tell" in send_alerts(settings(), spark).summary
    with pytest.raises(SettingsError, match="'pager'"):
        send_alerts(settings(alert_channels="pager"), spark)


@pytest.mark.slow
def test_another_models_alerts_are_its_own(world, monkeypatch):
    spark, settings = world
    with hook() as receiver:
        monkeypatch.setenv("NEXTBEST_SECRET_ALERTS_URL", receiver.url)
        for name in ("prod.ml_nba_demo.a", "prod.ml_nba_demo.b"):
            mine = settings(alert_channels=WEBHOOK, model_name=name)
            assert respond(mine, spark, "1", verdict(x=0.3)).action == RETRAIN
            assert "delivered: 2," in send_alerts(mine, spark, QUICK).summary
    assert len(receiver.taken()) == 2
