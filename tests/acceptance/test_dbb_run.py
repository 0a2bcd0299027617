"""dbb run --local, dbb runs, and what they say."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

DBB = Path(sys.executable).with_name("dbb")

JOBS = """
    main:
      name: The main job
      parameters: [{name: as_of, default: "2026-01-31"}, {name: fail, default: "no"}]
      tasks:
        - task_key: work
          notebook_task: {notebook_path: work.py}
        - task_key: inner
          depends_on: [{task_key: work}]
          run_job_task: {job_id: "${resources.jobs.other.id}"}
    other:
      name: The other job
      tasks:
        - task_key: part
          notebook_task: {notebook_path: part.py}
"""
NOTEBOOKS = {
    "work.py": 'assert dbutils.widgets.get("fail") == "no", "told to fail"\n'
    'dbutils.jobs.taskValues.set("summary", "work on " + dbutils.widgets.get("as_of"))\n',
    "part.py": 'dbutils.jobs.taskValues.set("summary", "a part of it")\n',
}


@pytest.fixture
def small(project):
    return project(JOBS, NOTEBOOKS)


def test_a_run_that_succeeds(small):
    done = small.dbb("run", "main", "--local", "--params", "as_of=2026-02-01,fail=no")
    assert (done.returncode, done.stderr) == (0, "")
    outer, inner = small.records()
    for line in ("▶ main/work RUNNING", "✓ other/part SUCCESS", "✓ main SUCCESS"):
        assert line in done.stdout
    assert done.stdout.index("work on 2026-02-01") < done.stdout.index("a part of it")
    assert f"run {outer['run_id']} of main [dev]: SUCCESS" in done.stdout
    page = small.lakehouse / "runs" / outer["run_id"] / "index.html"
    assert f"pages: {page}" in done.stdout
    links = set(re.findall(r'href="([^"]+)"', page.read_text()))
    assert "a part of it" in page.read_text()  # what the child run had to say
    assert len(links) == 3
    assert all((page.parent / link).is_file() for link in links)
    assert inner["parent"] == outer["run_id"]
    assert outer["tasks"][1]["child_run_id"] == inner["run_id"]


def test_a_run_that_fails_and_its_repair(small):
    done = small.dbb("run", "main", "--local", "--params", "fail=yes")
    assert done.returncode == 1
    assert "main/work FAILED: work.py:2: AssertionError: told to fail" in done.stdout
    assert "main/inner UPSTREAM_FAILED" in done.stdout
    (record,) = small.records()
    command = f"dbb run main -t dev --local --repair {record['run_id']}"
    assert command in done.stdout
    (small.root / "work.py").write_text("# Databricks notebook source\npass\n")
    repaired = small.dbb(*command.split()[1:])
    assert repaired.returncode == 0, repaired.stdout
    assert repaired.stdout.count("RUNNING") > 1
    again = small.dbb(*command.split()[1:])
    assert (again.returncode, again.stdout.count("RUNNING")) == (0, 0)


def test_json_is_all_there_is_on_stdout(small):
    done = small.dbb("run", "other", "--local", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == small.records()[0]


def test_runs_lists_and_shows(small):
    assert "no runs in" in small.dbb("runs").stdout
    small.dbb("run", "main", "--local")
    small.dbb("run", "main", "--local", "--only", "work")
    outer, inner, only = small.records()
    listed = small.dbb("runs").stdout.splitlines()
    assert [line.split()[:4] for line in listed] == [
        [each["run_id"], "SUCCESS", "dev", "main"] for each in (only, outer)
    ]
    assert [r["run_id"] for r in json.loads(small.dbb("runs", "--json").stdout)] == [
        only["run_id"],
        outer["run_id"],
    ]
    shown = small.dbb("runs", "show", outer["run_id"])
    for text in ("✓ work", "✓ inner", "✓ part", "index.html", "a part of it"):
        assert text in shown.stdout
    assert json.loads(small.dbb("runs", "show", outer["run_id"], "--json").stdout) == outer
    assert small.dbb("runs", "show", inner["run_id"][:-1]).returncode == 0


def test_a_terminal_gets_a_live_tree(project):
    slowly = NOTEBOOKS | {"work.py": f"import time\ntime.sleep(0.6)\n{NOTEBOOKS['work.py']}"}
    small = project(JOBS, slowly)  # so that it is seen running
    screen, theirs = pty.openpty()
    process = subprocess.Popen(
        [DBB, "run", "main", "--local"],
        cwd=small.root,
        env={**small.environment, "TERM": "xterm", "COLUMNS": "120"},
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    with contextlib.suppress(OSError):  # how the end of a terminal is told
        while chunk := os.read(screen, 4096):
            said += chunk
    assert process.wait() == 0
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said.decode())
    assert re.search(r"├── ✓ work +\d+\.\d s\s+└── ✓ inner +\d+\.\d s\s+└── ✓ part", text)
    assert "▶ work" in text
    assert "RUNNING" not in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("run mian --local", "target 'dev' has no job 'mian': did you mean 'main'?"),
        ("run main --local --only wrok", "has no task 'wrok': did you mean 'work'?"),
        ("run main --local --params asof=1", "no parameter 'asof': did you mean 'as_of'?"),
        ("run main --local --params as_of", "--params 'as_of' is no name=value"),
        ("run main --local -t pord", "pord"),
        ("run main --local --var nothing=1", "nothing"),
        ("run main --local --repair 2026", "no run '2026'"),
        ("run main --local --repair 2026 --only work", "--repair runs with"),
        ("run main --local --nonsense", "--nonsense"),
        ("run --local", "JOB"),
        ("runs show 1999", "no run '1999'"),
        ("frobnicate", "frobnicate"),
        ("", "COMMAND"),
    ],
)
def test_wrong_input_says_what_and_ends_with_2(small, arguments, said):
    done = small.dbb(*arguments.split())
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not small.lakehouse.exists()


def test_outside_of_a_bundle(tmp_path, small):
    (small.root / "databricks.yml").unlink()
    done = small.dbb("run", "main", "--local")
    assert done.returncode == 2
    assert "databricks.yml" in done.stderr
    assert "Traceback" not in done.stderr
