"""`dbb simulate` as it is typed: killed on a day, it goes on to the tables it would have made."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from nextbest.platforms.local.delta import delta_dataset

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TABLES = ("customers", "decisions", "outcomes", "customer_features")


def command(lakehouse):
    words = "simulate --days 2 --drift covariate@1 --customers 1000 --params history_days=30"
    return [Path(sys.executable).with_name("dbb"), *words.split(), "--lakehouse", lakehouse]


def rows(lakehouse, table):
    [folder] = lakehouse.glob(f"*/*/{table}")
    frame = delta_dataset(folder).to_table().to_pandas().astype(str)
    return frame.sort_values(list(frame.columns), ignore_index=True)


def done(lakehouse):
    file = lakehouse / "simulation.json"
    return json.loads(file.read_text())["done"] if file.exists() else 0


@pytest.mark.timeout(1200)
def test_a_kill_on_the_second_day_loses_nothing(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    with (tmp_path / "log").open("w") as log:
        first = subprocess.Popen(command(killed), cwd=ROOT, stdout=log, stderr=log)
        while done(killed) < 1 and first.poll() is None:
            time.sleep(0.2)
        time.sleep(3)  # into the second day
        first.send_signal(signal.SIGKILL)
        assert first.wait() == -signal.SIGKILL, (tmp_path / "log").read_text()
    assert done(killed) == 1
    for lakehouse in (killed, whole):
        ended = subprocess.run(command(lakehouse), cwd=ROOT, capture_output=True, text=True)
        # So few customers are no evidence: nothing is released, and that is told.
        assert (ended.returncode, ended.stdout[:21]) == (1, "no version passed the"), ended.stderr
        assert done(lakehouse) == 2
    for table in TABLES:
        pd.testing.assert_frame_equal(rows(killed, table), rows(whole, table))
