"""MLflow's database comes into being whole, also when a process dies or two begin at once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time

import pytest

from nextbest.platforms.local.tracking import create_database

pytestmark = pytest.mark.integration

SCRIPT = (
    "import sys; from pathlib import Path\n"
    "from nextbest.platforms.local.tracking import create_database\n"
    "create_database(Path(sys.argv[1]))\n"
)


def tables(home):
    with sqlite3.connect(home / "mlflow" / "mlflow.db") as opened:
        return {name for (name,) in opened.execute("SELECT name FROM sqlite_master")}


@pytest.mark.slow
def test_two_at_once_and_one_that_is_killed(tmp_path):
    killed = subprocess.Popen([sys.executable, "-c", SCRIPT, tmp_path])
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("mlflow/draft-*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    assert not (tmp_path / "mlflow" / "mlflow.db").exists()
    both = [subprocess.Popen([sys.executable, "-c", SCRIPT, tmp_path]) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    known = tables(tmp_path)
    assert {"experiments", "registered_models"} <= known
    create_database(tmp_path)
    assert tables(tmp_path) == known
