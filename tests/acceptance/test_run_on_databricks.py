"""`dbb run JOB` without --local, against the recording workspace."""

from __future__ import annotations

import json
import os
import pty
from pathlib import Path

import pytest
from workspace import jobs
from workspace.faults import LOST, Fault
from workspace.server import TOKEN, Workspace

from nextbest.cli import main
from nextbest.commands import run_progress
from nextbest.platforms.databricks import jobs as adapter

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
NAME, IN_DEV = "nextbest training (prod)", "[dev me] nextbest training (dev)"


@pytest.fixture
def space(monkeypatch, tmp_path):
    space = Workspace()
    space.kept["jobs"][11] = {"name": NAME, "tasks": ["model_training", "model_validation"]}
    space.kept["jobs"][12] = {"name": IN_DEV, "tasks": ["model_training"]}
    space.kept["jobs"][13] = {"name": NAME.upper(), "tasks": []}
    monkeypatch.setenv("DATABRICKS_HOST", space.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setattr("databricks.sdk.clock.RealClock.sleep", lambda self, seconds: None)
    monkeypatch.setattr(adapter, "POLL_SECONDS", 0)
    monkeypatch.chdir(ROOT)
    yield space
    space.close()


def test_a_run_is_followed_to_its_end(space, capsys):
    params = "seed=3,channel_capacity=call=100; sms=2000"
    assert main(["run", "training_job", "-t", "prod", "--params", params]) == 0
    told = capsys.readouterr().out
    assert [line.split(maxsplit=1)[1] for line in told.splitlines()[:4]] == [
        "▶ training_job/model_training RUNNING",
        "▶ training_job/model_validation RUNNING",
        "✓ training_job/model_training SUCCESS",
        "✓ training_job/model_validation SUCCESS",
    ]
    assert "run 1 of training_job [prod]: SUCCESS\nhttps://workspace.example/run/1" in told
    (started,) = space.kept["runs"].values()
    assert started["job_id"] == 11
    assert started["job_parameters"] == {"seed": "3", "channel_capacity": "call=100; sms=2000"}


def test_why_a_run_waits_is_told(space, capsys, monkeypatch):
    """On stderr, when it changes and each minute; here as if one passed from look to look."""
    monkeypatch.setattr(run_progress, "TELL_SECONDS", 0)
    space.kept["queue"].update(looks=3, code="MAX_CONCURRENT_RUNS_REACHED")
    assert main(["run", "training_job", "-t", "prod", "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["state"] == "SUCCESS"
    why = "(another run of the job goes on)"
    waited = f"run 1 QUEUED {why}; model_training QUEUED {why}; model_validation QUEUED {why}"
    assert told.err.splitlines() == [
        "run 1 of training_job: https://workspace.example/run/1",
        waited,
        f"{waited}, 0 min",
        f"{waited}, 0 min",
        "run 1 PENDING; model_training PENDING; model_validation PENDING",
    ]


def test_the_workspaces_own_words_for_it_come_first(space, capsys):
    space.kept["queue"].update(
        looks=2, message="3 of 3 runs go on", code="MAX_CONCURRENT_RUNS_REACHED"
    )
    assert main(["run", "training_job", "-t", "prod"]) == 0
    assert "run 1 QUEUED (3 of 3 runs go on)" in capsys.readouterr().err


def test_on_a_terminal_it_is_one_line(space, tmp_path, monkeypatch):
    """Beside tasks that are told line by line, to wherever stdout goes."""
    monkeypatch.setattr(adapter, "POLL_SECONDS", 0.2)
    monkeypatch.setattr("databricks.sdk.clock.RealClock.sleep", lambda self, seconds: None)
    space.kept["queue"].update(looks=3, code="ACTIVE_RUNS_LIMIT_REACHED")
    here, there = pty.openpty()
    out = (tmp_path / "out").open("w+")
    with os.fdopen(there, "w") as terminal, out:
        monkeypatch.setattr("sys.stderr", terminal)
        monkeypatch.setattr("sys.stdout", out)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "200")
        assert main(["run", "training_job", "-t", "prod"]) == 0
        told = (tmp_path / "out").read_text()
        terminal.flush()
        shown = os.read(here, 1 << 20).decode()
    os.close(here)
    assert "run 1 QUEUED (as many tasks run in the workspace as it allows)" in shown
    assert "✓ training_job/model_training SUCCESS" in told
    assert "training_job/model_training" not in shown


def test_in_development_it_is_the_job_of_who_asks(space, capsys):
    assert main(["run", "training_job", "-t", "dev", "--only", "model_training", "--no-wait"]) == 0
    assert space.kept["runs"][1]["job_id"] == 12
    assert space.kept["runs"][1]["only"] == ["model_training"]
    assert capsys.readouterr().out == f"run 1 of '{IN_DEV}' goes on\n"


def test_what_fails_is_told_and_repaired(space, capsys):
    space.kept["ends"]["model_training"] = ("RUN_EXECUTION_ERROR", "DataError: no rows")
    space.kept["ends"]["model_validation"] = ("SKIPPED", "")
    assert main(["run", "training_job", "-t", "prod"]) == 1
    told = capsys.readouterr().out
    assert "training_job/model_training RUN_EXECUTION_ERROR: DataError: no rows\n  https://" in told
    assert "model_validation SKIPPED:" not in told  # what was not run has no output to ask for
    assert "dbb run training_job -t prod --repair 1" in told
    space.kept["ends"].clear()
    for _ in range(2):  # the second repair names the first
        assert main(["run", "training_job", "-t", "prod", "--repair", "1", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["state"] == "SUCCESS"
    assert space.kept["runs"][1]["repairs"] == [71, 72]


def test_a_repair_is_followed_to_its_own_end(space, capsys):
    """Not to the end that the run had before, which a workspace still shows for a while."""
    space.kept["ends"]["model_training"] = ("RUN_EXECUTION_ERROR", "DataError: no rows")
    assert main(["run", "training_job", "-t", "prod"]) == 1
    capsys.readouterr()
    space.kept["ends"].clear()
    space.kept["slow to repair"]["looks"] = 3
    assert main(["run", "training_job", "-t", "prod", "--repair", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    # The attempt that failed is shown beside the new one, and is not told again.
    assert [line.split(maxsplit=1)[1] for line in lines if "model_training" in line] == [
        "▶ training_job/model_training RUNNING",
        "✓ training_job/model_training SUCCESS",
    ]


def test_a_repair_that_does_not_begin_is_told(space, capsys, monkeypatch):
    monkeypatch.setattr(adapter, "PATIENCE_SECONDS", 0)
    space.kept["ends"]["model_training"] = ("RUN_EXECUTION_ERROR", "DataError: no rows")
    assert main(["run", "training_job", "-t", "prod"]) == 1
    space.kept["slow to repair"]["looks"] = 10_000
    assert main(["run", "training_job", "-t", "prod", "--repair", "1"]) == 1
    assert "repair 71 was accepted, but has not begun" in capsys.readouterr().err


def test_a_lost_answer_starts_no_second_run(space):
    space.faults.append(Fault(LOST, "POST", jobs.RUN_NOW))
    assert main(["run", "training_job", "-t", "prod"]) == 0
    assert len(space.kept["runs"]) == 1


def test_a_lost_answer_repairs_once(space):
    space.kept["ends"]["model_training"] = ("RUN_EXECUTION_ERROR", "DataError: no rows")
    assert main(["run", "training_job", "-t", "prod"]) == 1
    space.kept["ends"].clear()
    space.faults.append(Fault(LOST, "POST", jobs.REPAIR))
    assert main(["run", "training_job", "-t", "prod", "--repair", "1"]) == 0
    assert space.kept["runs"][1]["repairs"] == [71]


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        ("run nothing -t prod", "no job 'nothing': there are data_pipeline_job", 2),
        ("run serving_job -t prod", "no job named 'nextbest serving (prod)': deploy it", 1),
        ("run training_job -t prod --repair abc", "runs on Databricks have numbers", 2),
        ("run training_job -t prod --repair 9", "run 9: not there, or hidden", 1),
        ("run training_job -t prod --repair 1 --only x", "--repair runs with the parameters", 2),
        ("run training_job -t prod --lakehouse x", "it goes with --local", 2),
        ("run training_job --local --no-wait", "--no-wait: a run here is waited for", 2),
    ],
)
def test_what_can_not_be_is_told(space, capsys, words, told, code):
    assert main(words.split()) == code
    assert told in capsys.readouterr().err


def test_two_jobs_of_one_name_are_told_apart_by_nobody(space, capsys):
    space.kept["jobs"][14] = dict(space.kept["jobs"][11])
    assert main(["run", "training_job", "-t", "prod"]) == 1
    assert f"2 jobs (ids 11, 14) named '{NAME}'" in capsys.readouterr().err


def test_a_right_that_is_missing_is_named(space, capsys):
    space.faults.append(Fault(403, "POST", jobs.RUN_NOW, times=9))
    assert main(["run", "training_job", "-t", "prod"]) == 1
    assert "it needs CAN MANAGE RUN on the job" in capsys.readouterr().err


def test_a_run_that_is_active_is_not_repaired(space, capsys):
    assert main(["run", "training_job", "-t", "prod", "--no-wait"]) == 0
    assert main(["run", "training_job", "-t", "prod", "--repair", "1"]) == 1
    assert "run 1 can't be repaired: The run is active." in capsys.readouterr().err


def test_without_credentials_it_says_how_to_run_here(space, capsys, monkeypatch):
    for name in ("DATABRICKS_HOST", "DATABRICKS_TOKEN"):
        monkeypatch.delenv(name)
    assert main(["run", "training_job"]) == 1
    told = capsys.readouterr().err
    assert "databricks auth login" in told
    assert "add --local" in told
