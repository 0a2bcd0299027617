"""Whatever is done to a good bundle, nothing but BundleError comes out."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nextbest.bundle import diagnose, load
from nextbest.errors import BundleError

pytestmark = pytest.mark.unit

GOOD = Path(__file__).parents[2] / "bundle" / "good"
SOURCES = ("development", "merged", "anchors", "calls")
WORDS = st.sampled_from(
    [
        "${var.catalog}", "${var.a}", "${resources.jobs.etl.id}", "${bundle.name}", "${var}",
        "${x.y}", "${resources.jobs}", "${resources.jobs.etl}", "${workspace}", "{{",
        "{{job.parameters.x}}",
        "{{tasks}}", "{{job.}}", "{{input}}", "", "load", "../..", "/", "\x00", "é",
        "a.b.c", "*.yml",
    ]
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS
KEYS = st.sampled_from(
    [
        "bundle", "variables", "default", "resources", "jobs", "etl", "tasks", "task_key",
        "targets", "depends_on", "notebook_task", "notebook_path", "base_parameters",
        "for_each_task", "task",
        "condition_task", "run_job_task", "job_id", "parameters", "name", "schedule", "include",
        "workspace", "presets", "tags", "run_as", "mode", "type", "lookup", "git", "x",
    ]
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def _places(value: object, path: tuple = ()) -> list[tuple]:
    found = [path]
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value) if isinstance(value, list) else ()
    )
    for key, item in items:
        found += _places(item, (*path, key))
    return found


def _changed(value: object, path: tuple, change: str, new: object) -> object:
    """A copy of `value` with the place at `path` replaced, removed, or added to."""
    if not path:
        if change == "add" and isinstance(value, dict) and isinstance(new, dict):
            return {**value, **new}
        return [*value, new] if change == "add" and isinstance(value, list) else new
    copy = dict(value) if isinstance(value, dict) else list(value)
    if len(path) == 1 and change == "remove":
        del copy[path[0]]
    else:
        copy[path[0]] = _changed(copy[path[0]], path[1:], change, new)
    return copy


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutations_of_values(data: st.DataObject, tmp_path: Path):
    name = data.draw(st.sampled_from(SOURCES))
    folder = tmp_path / name
    if not folder.exists():
        shutil.copytree(GOOD / name, folder)
    file = data.draw(st.sampled_from(sorted((GOOD / name).rglob("*.yml"))))
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    for _ in range(data.draw(st.integers(1, 3))):
        places = _places(config)
        path = places[data.draw(st.integers(0, len(places) - 1))]
        config = _changed(
            config, path, data.draw(st.sampled_from(("set", "add", "remove"))), data.draw(VALUES)
        )
    changed = folder / file.relative_to(GOOD / name)
    changed.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    try:
        _reads(folder, data.draw(st.sampled_from([None, "dev", "prod", "plain"])))
    finally:
        shutil.copy(file, changed)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutations_of_text(data: st.DataObject, tmp_path: Path):
    text = (GOOD / "anchors" / "databricks.yml").read_bytes()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    new = data.draw(
        st.binary(max_size=6) | st.sampled_from([b"*x", b"&x ", b"{", b"[", b"<<: ", b"- "])
    )
    (tmp_path / "databricks.yml").write_bytes(text[:start] + new + text[end:])
    _reads(tmp_path, None)


def _reads(folder: Path, target: str | None) -> None:
    bundle, found = diagnose(folder, target, {}, "ana")
    assert (bundle is None) == any(item.severity == "error" for item in found)
    if bundle is None:
        with pytest.raises(BundleError):
            load(folder, target, {}, "ana")
