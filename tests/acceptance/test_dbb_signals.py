"""Ctrl-C, SIGTERM and kill -9: nothing is left behind, and the run can be repaired."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest

from nextbest.runner.orphans import descendants, parents

pytestmark = pytest.mark.integration

WAITS = """
import os
import pathlib
import subprocess
import sys
import time

subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
pathlib.Path("started").touch()
if not pathlib.Path("go").exists():
    time.sleep(600)
"""
JOBS = """
    main:
      name: main
      tasks:
        - task_key: child
          run_job_task: {job_id: "${resources.jobs.other.id}"}
        - task_key: after
          run_if: ALL_DONE
          depends_on: [{task_key: child}]
          notebook_task: {notebook_path: waits.py}
    other:
      name: other
      tasks:
        - task_key: waits
          notebook_task: {notebook_path: waits.py}
"""


@pytest.fixture
def waiting(project):
    """A project whose run hangs, that run, and everything below it."""
    folder = project(JOBS, {"waits.py": WAITS})
    process = folder.start("run", "main", "--local", start_new_session=True)
    until = time.monotonic() + 60
    while not (folder.root / "started").exists():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < until
        time.sleep(0.05)
    below = descendants([process.pid]) - {process.pid}
    assert len(below) >= 4  # fork server, task, its two children
    return folder, process, below


def gone(pids, seconds=10):
    """Whether all of these end in time."""
    until = time.monotonic() + seconds
    while descendants(pids) & pids:
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 130)]
)
def test_signals_cancel_the_run_in_order(waiting, number, code):
    folder, process, below = waiting
    os.kill(process.pid, number)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == code, said
    assert gone(below)
    assert f"the run was stopped: stopped by {number.name}" in said
    outer, inner = folder.records()
    for record in (outer, inner):
        assert (record["state"], record["error"]) == ("CANCELED", f"stopped by {number.name}")
        assert {task["state"] for task in record["tasks"]} == {"CANCELED"}
        assert record["end"] is not None
    assert inner["tasks"][0]["attempts"][0]["state"] == "CANCELED"


def test_ctrl_c_in_a_terminal_reaches_dbb_alone(waiting):
    folder, process, below = waiting
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert gone(below)


def test_kill_leaves_nothing_and_the_run_can_be_repaired(waiting):
    folder, process, below = waiting
    process.kill()
    process.communicate()
    assert gone(below)
    outer, inner = folder.records()
    assert outer["state"] == inner["state"] == "RUNNING"
    assert f"{outer['run_id']}  KILLED" in folder.dbb("runs").stdout
    assert "KILLED" in folder.dbb("runs", "show", inner["run_id"]).stdout
    (folder.root / "go").touch()
    done = folder.dbb("run", "main", "--local", "--repair", outer["run_id"])
    assert done.returncode == 0, done.stdout + done.stderr
    repaired, child = folder.records()
    assert repaired["state"] == child["state"] == "SUCCESS"
    assert [a["state"] for a in child["tasks"][0]["attempts"]] == ["KILLED", "SUCCESS"]


@pytest.mark.slow
def test_a_lost_fork_server_is_a_failure_and_no_hang(waiting):
    folder, process, below = waiting
    server = next(pid for pid, parent in parents().items() if parent == process.pid)
    os.kill(server, signal.SIGKILL)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "was lost: the process that started it has ended" in said
    assert "the process that starts tasks ended with code -9" in said
    outer, inner = folder.records()
    assert (outer["state"], inner["state"]) == ("FAILED", "FAILED")
    for pid in descendants(below):  # what had left its task's group has nobody to end it now
        os.kill(pid, signal.SIGKILL)


STEP = """
import pathlib
import time
import uuid

name = dbutils.widgets.get("name")
time.sleep(0.05)
with open(f"done-{name}", "a") as file:
    file.write("x")
dbutils.jobs.taskValues.set("id", uuid.uuid4().hex)
"""


@pytest.mark.slow
def test_kill_at_any_moment_then_repair(project):
    tasks = ""
    for n in range(6):
        needs = f"          depends_on: [{{task_key: t{n - 1}}}]\n" if n else ""
        tasks += (
            f"        - task_key: t{n}\n{needs}          notebook_task: "
            f"{{notebook_path: step.py, base_parameters: {{name: t{n}}}}}\n"
        )
    jobs = f"    main:\n      name: main\n      tasks:\n{tasks}"
    folder = project(jobs, {"step.py": STEP})
    choose = random.Random(7)
    run_id = None
    for _ in range(10):
        repair = ["--repair", run_id] if run_id else []
        process = folder.start("run", "main", "--local", *repair)
        time.sleep(choose.uniform(0.3, 2.5))
        process.kill()
        process.communicate()
        run_id = run_id or next((r["run_id"] for r in folder.records()), None)
    assert run_id is not None
    before = folder.records()[0]
    done = folder.dbb("run", "main", "--local", "--repair", run_id)
    assert done.returncode == 0, done.stdout + done.stderr
    (record,) = folder.records()
    assert record["state"] == "SUCCESS"
    for old, new in zip(before["tasks"], record["tasks"], strict=True):
        assert new["state"] == "SUCCESS"
        assert old["state"] != "SUCCESS" or old["values"] == new["values"]
