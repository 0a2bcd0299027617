"""Repair, --only, several runs at once."""

from __future__ import annotations

import threading

import pytest

from nextbest.errors import RunError, UsageError
from nextbest.runner import states, store

pytestmark = pytest.mark.integration

FLAKY = """
import os
import pathlib

flag = pathlib.Path(dbutils.widgets.get("flag"))
assert flag.exists(), "not yet"
dbutils.notebook.exit(dbutils.jobs.taskValues.get("first", "pid", default=0))
"""
COUNTS = """
import os
import pathlib

path = pathlib.Path(dbutils.widgets.get("flag")).with_name("count-" + dbutils.widgets.get("me"))
path.write_text(path.read_text() + "x" if path.exists() else "x")
dbutils.jobs.taskValues.set("pid", os.getpid())
dbutils.jobs.taskValues.set("repairs", int(dbutils.widgets.get("repairs")))
"""
STOPS_B = """
flag = pathlib.Path(dbutils.widgets.get("flag"))
assert flag.exists() or dbutils.widgets.get("me") != "b"
"""
WAITS = """
import pathlib
import time

flag = pathlib.Path(dbutils.widgets.get("flag"))
while not flag.exists():
    time.sleep(0.02)
"""
PARAMETERS = "      parameters: [{name: flag, default: none}]\n"


def counts(me):
    return (
        "notebook_task: {notebook_path: counts.py, base_parameters: "
        f'{{me: {me}, repairs: "{{{{job.repair_count}}}}"}}}}'
    )


TASKS = f"""
        - task_key: first
          {counts("first")}
        - task_key: flaky
          depends_on: [{{task_key: first}}]
          notebook_task: {{notebook_path: flaky.py}}
        - task_key: after
          depends_on: [{{task_key: flaky}}]
          {counts("after")}
        - task_key: always
          run_if: ALL_DONE
          depends_on: [{{task_key: flaky}}]
          {counts("always")}
        - task_key: beside
          depends_on: [{{task_key: first}}]
          {counts("beside")}
"""


@pytest.fixture
def bundle(write_bundle):
    return write_bundle(TASKS, {"counts.py": COUNTS, "flaky.py": FLAKY}, PARAMETERS)


def times(tmp_path, me):
    path = tmp_path / f"count-{me}"
    return len(path.read_text()) if path.exists() else 0


def test_repair_reruns_what_failed_and_what_follows(bundle, run_bundle, tmp_path):
    flag = tmp_path / "flag"
    first = run_bundle(bundle, parameters={"flag": str(flag)})
    assert first.state == states.FAILED
    assert {t.key: t.state for t in first.tasks} == {
        "first": "SUCCESS", "flaky": "FAILED", "after": "UPSTREAM_FAILED", "always": "SUCCESS",
        "beside": "SUCCESS",
    }  # fmt: skip
    flag.touch()
    second = run_bundle(bundle, repair=first.run_id[:17])
    assert (second.run_id, second.state, second.repair_count) == (first.run_id, "SUCCESS", 1)
    assert second.parameters == first.parameters
    assert {each: times(tmp_path, each) for each in ("first", "after", "always", "beside")} == {
        "first": 1, "after": 1, "always": 2, "beside": 1,
    }  # fmt: skip
    assert second.task("first") == first.task("first")
    assert second.task("flaky").result == str(first.task("first").values["pid"])
    assert [a.state for a in second.task("flaky").attempts] == ["FAILED", "SUCCESS"]
    assert second.task("after").values["repairs"] == 1
    third = run_bundle(bundle, repair=first.run_id)
    assert third == second
    with pytest.raises(UsageError, match="no run 'nothing'"):
        run_bundle(bundle, repair="nothing")


def test_repair_goes_down_into_child_runs(run_bundle, tmp_path, write_bundle):
    child = f"""
        - task_key: child
          run_job_task: {{job_id: "${{resources.jobs.other.id}}"}}
    other:
      name: other
      parameters: [{{name: flag, default: none}}]
      tasks:{TASKS}"""
    root = write_bundle(child, {"counts.py": COUNTS, "flaky.py": FLAKY}, PARAMETERS)
    flag, lakehouse = tmp_path / "flag", tmp_path / "lakehouse"
    first = run_bundle(root, parameters={"flag": str(flag)})
    assert first.state == states.FAILED
    flag.touch()
    second = run_bundle(root, repair=first.run_id)
    assert second.state == states.SUCCESS
    assert second.task("child").child_run_id == first.task("child").child_run_id
    assert len(store.run_ids(lakehouse)) == 2
    inner = store.load(lakehouse, second.task("child").child_run_id)
    assert (inner.state, inner.repair_count, inner.parent) == ("SUCCESS", 1, first.run_id)
    assert times(tmp_path, "first") == 1


def test_repair_runs_only_the_iterations_that_failed(run_bundle, tmp_path, write_bundle):
    each = """
        - task_key: each
          for_each_task:
            inputs: '["a", "b", "c"]'
            task:
              task_key: one
              notebook_task: {notebook_path: one.py, base_parameters: {me: "{{input}}"}}
"""
    body = COUNTS.partition("dbutils.jobs")[0] + STOPS_B
    root = write_bundle(each, {"one.py": body}, PARAMETERS)
    flag = tmp_path / "flag"
    first = run_bundle(root, parameters={"flag": str(flag)})
    assert [t.state for t in first.task("each").iterations] == ["SUCCESS", "FAILED", "SUCCESS"]
    flag.touch()
    second = run_bundle(root, repair=first.run_id)
    assert second.state == states.SUCCESS
    assert [times(tmp_path, me) for me in "abc"] == [1, 2, 1]
    assert [len(t.attempts) for t in second.task("each").iterations] == [1, 2, 1]


def test_only_takes_values_from_the_newest_run_that_has_them(bundle, run_bundle, tmp_path):
    flag = tmp_path / "flag"
    flag.touch()
    alone = run_bundle(bundle, only="flaky", parameters={"flag": str(flag)})
    assert (alone.state, alone.task("flaky").result) == (states.SUCCESS, "0")
    whole = run_bundle(bundle, parameters={"flag": str(flag)})
    again = run_bundle(bundle, only="flaky", parameters={"flag": str(flag)})
    assert again.task("flaky").result == str(whole.task("first").values["pid"])
    assert {t.key: t.state for t in again.tasks} == {
        "first": "SKIPPED", "flaky": "SUCCESS", "after": "SKIPPED", "always": "SKIPPED",
        "beside": "SKIPPED",
    }  # fmt: skip
    flag.unlink()
    failed = run_bundle(bundle, only="flaky", parameters={"flag": str(flag)})
    assert failed.state == states.FAILED
    flag.touch()
    repaired = run_bundle(bundle, repair=failed.run_id)
    assert repaired.state == states.SUCCESS
    assert repaired.task("first").state == states.SKIPPED


def test_unknown_names(bundle, run_bundle):
    with pytest.raises(UsageError, match="has no task 'flakey': did you mean 'flaky'?"):
        run_bundle(bundle, only="flakey")
    with pytest.raises(UsageError, match="has no job 'mian': did you mean 'main'?"):
        run_bundle(bundle, "mian")


def test_as_many_runs_at_once_as_the_job_allows(run_bundle, tmp_path, write_bundle):
    tasks = "        - task_key: a\n          notebook_task: {notebook_path: wait.py}\n"
    flag, lakehouse = tmp_path / "flag", tmp_path / "lakehouse"
    root = write_bundle(tasks, {"wait.py": WAITS}, PARAMETERS + "      max_concurrent_runs: 2\n")
    records = []
    threads = [
        threading.Thread(
            target=lambda: records.append(run_bundle(root, parameters={"flag": str(flag)}))
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    while len(store.going_on(lakehouse, "main", "dev")) < 2:
        assert any(thread.is_alive() for thread in threads)
    going = store.run_ids(lakehouse)
    with pytest.raises(RunError, match="allows 2 run") as refused:
        run_bundle(root, parameters={"flag": str(flag)})
    assert all(run_id in str(refused.value) for run_id in going)
    with pytest.raises(RunError, match="allows 2 run|still going on"):
        run_bundle(root, repair=going[0])
    flag.touch()
    for thread in threads:
        thread.join()
    assert [record.state for record in records] == ["SUCCESS", "SUCCESS"]


def test_child_runs_of_one_job_wait_for_each_other(run_bundle, write_bundle, tmp_path):
    tasks = """
        - task_key: left
          run_job_task: {job_id: "${resources.jobs.other.id}"}
        - task_key: right
          run_job_task: {job_id: "${resources.jobs.other.id}"}
    other:
      name: other
      tasks:
        - task_key: sleeps
          notebook_task: {notebook_path: sleeps.py}
"""
    record = run_bundle(write_bundle(tasks, {"sleeps.py": "import time\ntime.sleep(0.3)\n"}))
    assert record.state == states.SUCCESS
    ids = [record.task(key).child_run_id for key in ("left", "right")]
    first, second = sorted(
        (store.load(tmp_path / "lakehouse", run_id) for run_id in ids),
        key=lambda each: each.task("sleeps").start,
    )
    assert first.task("sleeps").end < second.task("sleeps").start
