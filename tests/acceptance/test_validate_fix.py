"""`dbb validate --fix` as it is typed: at a terminal, in a script, and when nobody can answer."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

DBB = Path(sys.executable).with_name("dbb")

JOBS = """\
    etl:
      name: etl   # kept as it is
      max_concurent_runs: 2
      schedule: { quartz_cron_expression: "0 0 8 * * ?", timezone_id: UTC }
      tasks:
        - task_key: report
          depends_on:
            - task_key: load
          notebook_task: { notebook_path: load.py }
        # what all others wait for
        - task_key: load
          notebook_task: { notebook_path: load.py }
"""
MENDED = """\
    etl:
      name: etl   # kept as it is
      max_concurrent_runs: 2
      schedule: { quartz_cron_expression: "0 0 8 * * ?", timezone_id: UTC }
      tasks:
        # what all others wait for
        - task_key: load
          notebook_task: { notebook_path: load.py }
        - task_key: report
          depends_on:
            - task_key: load
          notebook_task: { notebook_path: load.py }
"""


@pytest.fixture
def damaged(project):
    """A bundle with three findings that the files can mend by themselves."""
    return project(JOBS, {"load.py": "print('hello')"})


def _text(damaged) -> str:
    return (damaged.root / "databricks.yml").read_text()


def _mended(before: str) -> str:
    preset = "  dev: {default: true, presets: { trigger_pause_status: PAUSED }}\n"
    return before.replace(JOBS, MENDED).replace("  dev: {default: true}\n", preset)


def test_yes_writes_and_validates_again(damaged):
    before = _text(damaged)
    done = damaged.dbb("validate", "--fix", "--yes", "--strict")
    assert (done.returncode, done.stderr) == (0, "")
    assert _text(damaged) == _mended(before)
    assert "-      max_concurent_runs: 2\n+      max_concurrent_runs: 2\n" in done.stdout
    told = (
        "mended: unknown field: max_concurent_runs: max_concurent_runs is now max_concurrent_runs"
    )
    assert told in done.stdout
    assert "3 mended in databricks.yml" in done.stdout
    assert done.stdout.endswith("dev: 1 job, 2 tasks, 0 errors, 0 warnings\n")
    again = damaged.dbb("validate", "--fix")
    assert again.returncode == 0
    assert again.stdout.startswith("nothing to mend\n")
    assert _text(damaged) == _mended(before)


def test_without_a_terminal_nothing_is_written(damaged):
    before = _text(damaged)
    done = damaged.dbb("validate", "--fix")
    assert done.returncode == 2
    assert "+      max_concurrent_runs: 2" in done.stdout
    assert done.stderr == (
        "dbb: nobody can answer here, so nothing was written to databricks.yml: --yes writes\n"
    )
    assert _text(damaged) == before


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1), ("", 1)])
def test_at_a_terminal_it_asks(damaged, answer: str, code: int):
    before = _text(damaged)
    printed, returned = _typed(damaged, answer, "validate", "--fix")
    assert returned == code
    assert "\x1b[32m+      max_concurrent_runs: 2" in printed
    assert "\x1b[31m-      max_concurent_runs: 2" in printed
    assert "write this to databricks.yml? [y/N]" in printed
    assert _text(damaged) == (_mended(before) if code == 0 else before)


def _typed(damaged, answer: str, *arguments: str) -> tuple[str, int]:
    ours, theirs = pty.openpty()
    environment = {**damaged.environment, "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    running = subprocess.Popen(
        [DBB, *arguments],
        cwd=damaged.root,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    os.write(ours, f"{answer}\n".encode())
    printed = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the terminal is gone with its last user
            break
        if not piece:
            break
        printed += piece
    os.close(ours)
    return printed.decode(), running.wait(60)


def test_json_stays_json(damaged):
    done = damaged.dbb("validate", "--fix", "--yes", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["findings"] == []
    assert "+      max_concurrent_runs: 2" in done.stderr


def test_verbose_tells_checks_and_reasons(damaged):
    done = damaged.dbb("validate", "--fix", "--yes", "--verbose")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "why did you mean 'max_concurrent_runs'?" in lines
    assert "files databricks.yml" in lines
    assert "graph jobs: 1, tasks: 2; dependencies, cycles, order, compute" in lines
    assert "notebooks load.py: syntax, widgets and parameters" in lines
    assert "triggers schedule of etl" in lines
    assert "model names no job has one; registered: none" in lines


def test_what_is_left_is_told_and_reported(damaged):
    text = _text(damaged).replace("load.py }", "load.py }\n          task_ky: other")
    (damaged.root / "databricks.yml").write_text(text)
    done = damaged.dbb("validate", "--fix", "--yes")
    assert done.returncode == 0
    assert "left: unknown field: task_ky (databricks.yml:" in done.stdout
    assert "'task_key' is there already" in done.stdout
    assert "warning: unknown field: task_ky" in done.stdout
    assert _text(damaged).count("task_ky: other") == 2


def test_yes_and_fix_go_together(damaged):
    done = damaged.dbb("validate", "--yes")
    assert done.returncode == 2
    assert "--yes goes with --fix" in done.stderr
