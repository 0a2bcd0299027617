"""Alerts, responses and deliveries on real tables: written once, told once, whatever happens."""

from __future__ import annotations

import datetime as dt
import json
import time

import pytest
from alerted_days import DAY, QUICK, WEBHOOK, verdict
from receivers import hook

from nextbest.errors import PlatformError, SettingsError
from nextbest.lifecycle.alerting import send_alerts
from nextbest.lifecycle.responding import respond
from nextbest.monitoring.alerts import NOTHING, RETRAIN

pytestmark = pytest.mark.integration


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
