"""A lakehouse with an engine session over it and settings that lead there; days told of in one."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from alerted_days import DAY, QUICK, WEBHOOK

from nextbest import tables
from nextbest.platforms.local.session import open_session
from nextbest.settings import Settings

VALUES = {
    "platform": "local", "catalog": "prod", "schema": "ml_nba_demo", "volume": "landing",
    "use_case": "nba", "source": "simulated", "mapping": "none", "campaign": "all", "seed": "5",
    "endpoint": "e", "model_name": "prod.ml_nba_demo.nba", "experiment": "/e",
    "as_of": "2026-01-20",
    "customers": "200", "history_days": "10", "decisions_per_day": "20", "attribution_days": "3",
    "holdout_share": "0.4", "exploration": "0.3", "control_share": "0.1", "confidence": "0.95",
    "min_lift": "0", "min_ess": "1", "max_contact_growth": "0.1", "monitor_slices": "channel",
    "model_version": "candidate", "release_to": "champion", "drift": "none",
    "drift_threshold": "0.2",
    "drift_windows": "3 of 4", "drift_from": "live", "exploration_floor": "0", "temperature": "0",
    "thompson_draws": "0", "max_rejected_share": "0.02", "eligibility_share": "0",
    "contact_policy": "none", "channel_capacity": "none", "daily_budget": "none",
    "retrain_cooldown_days": "3", "retrain_cap": "5", "retrain_window_days": "30",
    "alert_channels": "log", "alert_reminder_days": "7", "profiling": "own",
}  # fmt: skip


@pytest.fixture(scope="session")
def small():
    """Settings of a small simulated world: (name=value, ...)."""
    return lambda **changed: dataclasses.replace(Settings.parse(VALUES), **changed)


@pytest.fixture
def lakehouse(tmp_path, monkeypatch, small):
    """(session, settings): `settings(name=value, ...)` are those of a small simulated world."""
    monkeypatch.setenv("NEXTBEST_LAKEHOUSE", str(tmp_path))
    spark = open_session(tmp_path, ["prod.ml_nba_demo"])
    yield spark, small
    spark.stop()


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
    from nextbest.lifecycle.alerting import send_alerts
    from nextbest.lifecycle.responding import locate, respond

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
