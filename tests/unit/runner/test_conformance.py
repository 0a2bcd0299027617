"""Job semantics as Databricks documents them: each case is a bundle in tests/bundle/runs."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from nextbest.errors import UsageError
from nextbest.runner import store
from nextbest.runner.states import exit_code

pytestmark = pytest.mark.integration

RUNS = Path(__file__).parents[2] / "bundle" / "runs"
KNOWN = {
    "job", "parameters", "environment", "exit", "state", "error", "refused", "tasks", "attempts",
    "outcomes", "results", "values", "only_values", "errors", "iterations", "children", "logs",
    "pages", "log_limit", "page_limit", "never", "no_process", "runs",
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(path.name for path in RUNS.iterdir()))
def test_case(case, run_bundle, tmp_path, monkeypatch):
    expected = json.loads((RUNS / case / "expected.json").read_text())
    assert expected.keys() <= KNOWN
    for name, value in expected.get("environment", {}).items():
        monkeypatch.setenv(name, value)
    lakehouse = tmp_path / "lakehouse"
    if "refused" in expected:
        with pytest.raises(UsageError) as refused:
            _run(run_bundle, case, expected, lakehouse)
        _contains(str(refused.value), expected["refused"])
        assert refused.value.exit_code == expected["exit"]
        assert not store.run_ids(lakehouse)
        return
    record = _run(run_bundle, case, expected, lakehouse)
    assert exit_code(record.state, record.error) == expected["exit"]
    _check(record, expected, lakehouse)
    assert store.load(lakehouse, record.run_id) == record
    for job, count in expected.get("runs", {}).items():
        runs = [store.load(lakehouse, run_id) for run_id in store.run_ids(lakehouse)]
        assert sum(run.job_key == job for run in runs) == count
    for secret in expected.get("never", []):
        for path in lakehouse.rglob("runs/**/*.*"):
            assert secret not in path.read_text(), path


def _run(run_bundle, case, expected, lakehouse):
    parameters = expected.get("parameters", {})
    return run_bundle(RUNS / case, expected["job"], lakehouse, parameters=parameters)


def _check(record, expected, lakehouse):
    tasks = {task.key: task for task in record.tasks}
    shown = {key: str(task.error) for key, task in tasks.items() if task.error}
    assert {key: task.state for key, task in tasks.items()} == expected["tasks"], shown
    assert record.state == expected["state"]
    _contains(record.error or "", expected.get("error", ""))
    folder = store.runs_folder(lakehouse) / record.run_id
    for key, states in expected.get("attempts", {}).items():
        assert [attempt.state for attempt in tasks[key].attempts] == states
    for key, outcome in expected.get("outcomes", {}).items():
        assert tasks[key].outcome == outcome, key
    for key, result in expected.get("results", {}).items():
        assert tasks[key].result == result
    for key, values in expected.get("values", {}).items():
        seen = {name: tasks[key].values[name] for name in values}
        assert {n: _seen(values[n], seen[n]) for n in values} == values
        assert not expected.get("only_values") or tasks[key].values.keys() == values.keys()
    for key, text in expected.get("errors", {}).items():
        _contains(str(tasks[key].error), text)
    for key, iterations in expected.get("iterations", {}).items():
        assert [[t.state, t.result] for t in tasks[key].iterations] == iterations
    for key, texts in expected.get("logs", {}).items():
        log = folder / tasks[key].attempts[-1].log
        assert log.stat().st_size < expected.get("log_limit", 1_000_000)
        _contains(log.read_text(), texts)
    for key, texts in expected.get("pages", {}).items():
        page = (folder / tasks[key].attempts[-1].page).read_text()
        assert len(page) < expected.get("page_limit", 100_000)
        _contains(page, texts)
    for key, child in expected.get("children", {}).items():
        inner = store.load(lakehouse, tasks[key].child_run_id)
        assert (inner.job_key, inner.parent) == (child["job"], record.run_id)
        _check(inner, child, lakehouse)
    if mark := expected.get("no_process"):
        listed = subprocess.run(["ps", "-wweo", "args"], capture_output=True, text=True).stdout
        assert mark not in listed
    assert (folder / "index.html").is_file()
    assert not (folder / "reserve").exists()


def _contains(text, wanted):
    for each in [wanted] if isinstance(wanted, str) else wanted:
        assert each in text


def _seen(wanted, value):
    """`wanted` itself when it is a pattern that the value matches, else the value."""
    if isinstance(wanted, str) and wanted.startswith("re:"):
        return wanted if re.fullmatch(wanted[3:], str(value)) else value
    return value
