"""Kinds of fields, as Databricks converts them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nextbest.bundle import diagnose
from nextbest.bundle.schema import as_text, normalize
from nextbest.bundle.yaml_source import Node

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", "'60'", 60), ("int", "60.0", 60), ("int", "${var.x}", "${var.x}"),
        ("str", "5", "5"), ("str", "true", "true"), ("str", "0.10", "0.1"), ("str", "1.0", "1"),
        ("bool", "'yes'", True), ("bool", "off", False), ("float", "1", 1.0), ("float", "'2'", 2.0),
        ("[str]", "[1, ~, a]", ["1", "a"]), ("{str}", "{a: 1}", {"a": "1"}),
        ("any", "{a: [1]}", {"a": [1]}), ("[Task]", "${var.tasks}", "${var.tasks}"),
        ("QualityMonitor", "{snapshot: {}}", {"snapshot": {}}),
    ],
)  # fmt: skip
def test_conversion(kind: str, text: str, value: object, parse: Callable[[str], Node]):
    found: list = []
    assert normalize(parse(f"a: {text}").at("a"), kind, "a", found).plain() == value
    assert not found


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("int", "soon"), ("int", "1.5"), ("int", "[1]"), ("int", "true"), ("bool", "maybe"),
        ("bool", "1"), ("float", "x"), ("float", "true"), ("str", "[a]"), ("str", "{a: 1}"),
        ("[str]", "a"), ("[str]", "{a: 1}"), ("{str}", "[a]"), ("Task", "x"), ("Task", "[x]"),
    ],
)  # fmt: skip
def test_refused(kind: str, text: str, parse: Callable[[str], Node]):
    found: list = []
    assert normalize(parse(f"a: {text}").at("a"), kind, "a", found) is None
    assert [item.severity for item in found] == ["error"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (5, "5"), (0.1, "0.1"), (2.0, "2"), (None, "<nil>"), ("x", "x")],
)
def test_as_text(value: object, text: str):
    assert as_text(value) == text


def test_fields_that_only_hold_anchors_may_have_any_name(write: Callable[..., Path]):
    text = "bundle: {name: b}\nx-a: &a {q: 1}\nx-b:\n  - &b 1\n  - {c: &c 2}\nx-no: 1\n"
    _, found = diagnose(write(**{"databricks.yml": text}))
    assert [item.summary for item in found] == ["unknown field: x-no"]


def test_empty_optional_strings_and_nulls_are_absent(write: Callable[..., Path]):
    text = """
bundle: {name: b}
resources:
  jobs:
    etl:
      description: ""
      budget_policy_id: ~
      tags: {kept: ""}
      parameters: [{name: p, default: ""}]
      tasks:
        - task_key: a
          job_cluster_key: ""
          condition_task: {op: EQUAL_TO, left: "", right: "{{job.parameters.p}}"}
"""
    bundle, found = diagnose(write(**{"databricks.yml": text}))
    assert found == ()
    job = bundle.resources["jobs"]["etl"]
    assert set(job) == {"name", "tags", "parameters", "tasks", "max_concurrent_runs", "queue"}
    assert job["tags"] == {"kept": ""}
    assert job["parameters"] == [{"name": "p", "default": ""}]
    assert set(job["tasks"][0]) == {"task_key", "condition_task"}
