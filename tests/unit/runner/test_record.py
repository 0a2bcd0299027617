"""Records and where they are kept."""

from __future__ import annotations

import dataclasses
import json

import pytest

from nextbest.errors import PlatformError, RunError, UsageError
from nextbest.runner import secrets, states, store
from nextbest.runner.record import (
    Attempt,
    RunRecord,
    TaskError,
    TaskRecord,
    from_json,
    now,
    seconds,
    to_json,
)

pytestmark = pytest.mark.unit


def record(run_id="20260131-080000-000-aaaa", **changes):
    error = TaskError("ValueError", "no", "n.py:3")
    attempt = Attempt(1, "r.t.1", states.FAILED, now(), now(), "tasks/t.1.log", None, error)
    inner = TaskRecord("t[0]", "notebook", input={"a": 1}, values={"k": [1]}, attempts=(attempt,))
    task = TaskRecord("t", "for_each", states.FAILED, iterations=(inner,), error=error)
    one = RunRecord(run_id, "j", "J", "b", "dev", {"a": "é"}, states.RUNNING, now(), 1, (task,))
    return dataclasses.replace(one, **changes)


def keep(lakehouse, each):
    folder = store.create(lakehouse, each.run_id)
    folder.write("run.json", to_json(each))
    return folder


def test_json_there_and_back():
    one = record()
    assert from_json(to_json(one), "x") == one


def test_another_version_or_broken_json_is_refused():
    values = dataclasses.asdict(record())
    with pytest.raises(RunError, match="another version of dbb: 99"):
        from_json(json.dumps({**values, "version": 99}), "x/run.json")
    for text in ("{", "{}", "[]", json.dumps({**values, "surplus": 1})):
        with pytest.raises(RunError, match="x/run.json"):
            from_json(text, "x/run.json")


def test_a_run_whose_process_is_gone_is_shown_as_killed(tmp_path):
    one = record()
    folder = keep(tmp_path, one)
    assert store.load(tmp_path, one.run_id).state == states.RUNNING
    assert store.going_on(tmp_path, "j", "dev") == [one.run_id]
    assert store.going_on(tmp_path, "j", "prod") == store.going_on(tmp_path, "i", "dev") == []
    with pytest.raises(RunError, match="still going on"):
        store.reopen(tmp_path, one.run_id)
    folder.close()
    assert store.load(tmp_path, one.run_id).state == states.KILLED
    assert store.going_on(tmp_path, "j", "dev") == []
    store.reopen(tmp_path, one.run_id).close()


def test_find_by_prefix(tmp_path):
    for run_id in ("20260131-a", "20260131-b", "20260201-c"):
        keep(tmp_path, record(run_id)).close()
    assert store.find(tmp_path, "202602") == "20260201-c"
    with pytest.raises(UsageError, match="begins several runs"):
        store.find(tmp_path, "20260131")
    with pytest.raises(UsageError, match="no run 'x'; the last one is 20260201-c"):
        store.find(tmp_path, "x")
    with pytest.raises(UsageError, match="none was made"):
        store.find(tmp_path / "empty", "x")


def test_the_reserve_is_there_while_running_and_gone_after(tmp_path):
    folder = keep(tmp_path, record())
    assert (folder.path / "reserve").stat().st_size == store.RESERVE
    folder.close()
    assert not (folder.path / "reserve").exists()


def test_a_lakehouse_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(PlatformError, match="file/lakehouse/runs can't be written"),
        store.gate(tmp_path / "file" / "lakehouse"),
    ):
        pass


def test_ids_sort_by_time():
    ids = [store.new_run_id() for _ in range(50)]
    assert [each[:19] for each in ids] == sorted(each[:19] for each in ids)
    assert len(set(ids)) == 50


def test_seconds():
    assert seconds(None, None) == 0
    assert seconds("2026-01-31T00:00:00.000+00:00", "2026-01-31T00:01:00.500+00:00") == 60.5


def test_redact_every_text_longest_first():
    hidden = secrets.known({"NEXTBEST_SECRET_A_B": "abc", "NEXTBEST_SECRET_A_C": "abcd", "X": "q"})
    assert secrets.redact({"abcd": ["xabc", 1, None]}, hidden) == {
        "[REDACTED]": ["x[REDACTED]", 1, None]
    }
    assert secrets.redact("q", hidden) == "q"
