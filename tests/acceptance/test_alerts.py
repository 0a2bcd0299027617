"""Alerts to a mail server and a web hook, by a process that is killed at each of its steps."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
import secret_scan
from deltalake import DeltaTable
from receivers import CUT, HANG, Mailbox, hook, mail_server

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900)]

PROGRAM = Path(__file__).parents[1] / "dying_alerting.py"
FIRST = dt.date(2026, 3, 1)
PASSWORD = "correct horse battery staple"
KEY = "whsec_c2lnbmVkIGJ5IHRoaXMga2V5IG9mIG91cnM="
VALUES = {
    "platform": "local", "catalog": "prod", "schema": "ml_nba_demo", "volume": "landing",
    "use_case": "nba", "source": "simulated", "mapping": "none", "campaign": "all", "seed": "5",
    "endpoint": "e", "model_name": "prod.ml_nba_demo.nba", "experiment": "/e",
    "customers": "200", "history_days": "10", "decisions_per_day": "20", "attribution_days": "3",
    "holdout_share": "0.4", "exploration": "0.3", "control_share": "0.1", "confidence": "0.95",
    "min_lift": "0", "min_ess": "1", "max_contact_growth": "0.1", "monitor_slices": "channel",
    "release_to": "champion", "drift": "none",
    "drift_threshold": "0.2",
    "drift_windows": "3 of 4", "drift_from": "live", "exploration_floor": "0", "temperature": "0",
    "thompson_draws": "0", "max_rejected_share": "0.02", "eligibility_share": "0",
    "contact_policy": "none", "channel_capacity": "none", "daily_budget": "none",
    "retrain_cooldown_days": "3", "retrain_cap": "5", "retrain_window_days": "30",
    "alert_reminder_days": "7", "profiling": "own", "model_version": "candidate",
}  # fmt: skip


class Told:
    """Both receivers, the lakehouse, and a process that goes through days."""

    def __init__(self, folder, receiver, box, url, authority):
        self.home, self.hook, self.box = folder / "lakehouse", receiver, box
        channels = (
            f"email to oncall@x.org from nb@x.org by {url} as nb {{{{secrets/alerts/smtp}}}}; "
            "webhook {{secrets/alerts/url}} signed {{secrets/alerts/key}}; log"
        )
        self.values = {**VALUES, "alert_channels": channels}
        self.environment = {
            **os.environ, "NEXTBEST_LAKEHOUSE": str(self.home), "SSL_CERT_FILE": str(authority),
            "NEXTBEST_SECRET_ALERTS_SMTP": PASSWORD, "NEXTBEST_SECRET_ALERTS_KEY": KEY,
            "NEXTBEST_SECRET_ALERTS_URL": receiver.url,
        }  # fmt: skip
        self.file, self.process = folder / "said.txt", 0
        given = [str(self.home), json.dumps(self.values), str(self.file)]
        self.program = subprocess.Popen(
            [sys.executable, PROGRAM, *given], env=self.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    @property
    def said(self):
        return self.file.read_text()

    def through(self, first, last, step):
        """Go through the days of these numbers; of the last one, die at a step (-1: don't)."""
        days = [str(FIRST + dt.timedelta(days=number)) for number in range(first, last + 1)]
        self.program.stdin.write(json.dumps({"days": days, "step": step}) + "\n")
        self.program.stdin.flush()
        self.process = int(self.program.stdout.readline())
        return int(self.program.stdout.readline())

    def ids(self):
        """How often each message was taken: by the web hook, by the mailbox."""
        letters = (message_from_bytes(each.content) for each in self.box.letters)
        return self.hook.times(), Counter(letter["Message-ID"] for letter in letters)

    def deliveries(self):
        folder = self.home / "prod/ml_nba_demo/alert_deliveries"
        return DeltaTable(str(folder)).to_pyarrow_table().to_pandas()


@pytest.fixture
def told(tmp_path):
    box = Mailbox()
    with hook() as receiver, mail_server(box, tmp_path, password=PASSWORD) as (url, authority):
        told = Told(tmp_path, receiver, box, url, authority)
        with told.program:  # at the end it closes stdin, which ends the program, and waits
            yield told


def test_killed_at_each_step_every_day_is_told_and_no_secret_is_left(told):
    number = 0
    while (code := told.through(max(number - 1, 0), number, number)) == -signal.SIGKILL:
        number += 1
        assert number < 60
    assert code == 0, told.said
    assert number > 20  # steps there were
    days = number + 1
    rows = told.deliveries()
    assert set(rows["state"]) == {"delivered"}
    assert Counter(rows["channel"].str.split().str[0]) == dict.fromkeys(
        ("email", "webhook", "log"), days
    )
    for times in told.ids():
        assert len(times) == days
        # Twice only where it died after the receiver took it, before that was written down.
        assert 1 <= sum(count > 1 for count in times.values()) <= 4
        assert max(times.values()) == 2
    told_days = {json.loads(body)["as_of"] for body in told.hook.taken().values()}
    assert len(told_days) == days
    letters = [message_from_bytes(each.content, policy=default) for each in told.box.letters]
    for text in [told.said, *map(str, map(json.loads, told.hook.taken().values())),
                 *(letter.get_content() for letter in letters)]:  # fmt: skip
        for part in (
            "other customers, or another mix",
            "retrain: scores have left",
            f"{told.home}/volumes/monitoring/",
            "https://workspace.example/jobs/1/",
        ):
            assert part in text
    key = told.hook.url.rpartition("/")[2]
    assert "are news" in told.said
    assert secret_scan.in_folder([PASSWORD, KEY, key], told.home.parent) == {}


def test_killed_while_a_receiver_answers_it_hears_the_same_again(told):
    told.hook.arrived = lambda: os.kill(told.process, signal.SIGKILL)
    assert told.through(0, 0, -1) == -signal.SIGKILL
    told.hook.arrived = None
    assert told.through(0, 0, -1) == 0, told.said
    (number,) = told.hook.taken()
    assert [head["webhook-id"] for _, head, _ in told.hook.asked] == [number, number]
    assert told.ids()[1].total() == 1


def test_in_trouble_nothing_is_lost_and_nothing_of_a_secret_is_told(told):
    told.hook.troubles = [500, HANG, CUT, 429]
    told.box.troubles = ["451 later", "554 no", HANG]
    codes = [told.through(day, day, -1) for day in range(4)]
    assert codes == [1, 1, 0, 0], told.said  # two attempts a day here
    assert set(told.deliveries()["state"]) == {"delivered"}
    for times in told.ids():
        assert len(times) == 4
    assert "1 of 3 messages were not taken" not in told.said
    assert "2 of 3 messages were not taken" in told.said
    key = told.hook.url.rpartition("/")[2]
    assert secret_scan.found([PASSWORD, KEY, key], told.said.encode()) == set()
