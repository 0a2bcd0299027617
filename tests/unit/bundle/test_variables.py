"""Where a variable's value comes from, and what is refused."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from nextbest.bundle import diagnose

pytestmark = pytest.mark.unit

SOURCES = ("flag", "environment", "file", "target", "root")  # in order of precedence


@pytest.mark.parametrize(
    "given", [set(some) for n in range(1, 6) for some in itertools.combinations(SOURCES, n)]
)
def test_precedence(given: set[str], write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch):
    root = "\n    default: root" if "root" in given else " {}"
    text = f"bundle:\n  name: b\nvariables:\n  x:{root}\ntargets:\n  dev:\n    default: true\n"
    if "target" in given:
        text += "    variables:\n      x: target\n"
    files = {"databricks.yml": text}
    if "file" in given:
        files[".databricks/bundle/dev/variable-overrides.json"] = json.dumps({"x": "file"})
    if "environment" in given:
        monkeypatch.setenv("BUNDLE_VAR_x", "environment")
    bundle, found = diagnose(write(**files), None, {"x": "flag"} if "flag" in given else {}, "ana")
    assert found == ()
    assert bundle.variables["x"] == next(source for source in SOURCES if source in given)


def _values(folder: Path, **flags: str) -> dict:
    bundle, found = diagnose(folder, None, flags, "ana")
    assert found == (), found
    return dict(bundle.variables)


def test_complex_values(write: Callable[..., Path]):
    folder = write(
        **{
            "databricks.yml": """
bundle: {name: b}
variables:
  workers: {default: 2}
  cluster:
    type: complex
    default:
      num_workers: ${var.workers}
      tags: {team: "${bundle.name}-${var.workers}"}
  inner: {default: "${var.cluster.tags.team}"}
""",
        }
    )
    assert _values(folder)["cluster"] == {"num_workers": 2, "tags": {"team": "b-2"}}
    assert _values(folder, workers="3")["cluster"]["num_workers"] == "3"
    assert _values(folder, workers="3")["inner"] == "b-3"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("x: short", "short"),
        ("x: {default: long}", "long"),
        ("x: {default: long, description: why}", "long"),
        ("x: {a: 1}", {"a": 1}),
        ("x: [1, 2]", [1, 2]),
        ("x: 5", 5),
        ("x: {lookup: {warehouse: shared}}", "shared"),
        ("x:", "root"),
    ],
)
def test_forms_of_a_target(written: str, expected: object, write: Callable[..., Path]):
    text = "bundle: {name: b}\nvariables:\n  x: {default: root}\ntargets:\n  dev:\n    variables:\n"
    assert _values(write(**{"databricks.yml": f"{text}      {written}\n"}))["x"] == expected


def test_a_complex_variable_is_taken_from_the_file(write: Callable[..., Path]):
    files = {
        "databricks.yml": "bundle: {name: b}\nvariables:\n  x: {type: complex, default: [1]}\n",
        ".databricks/bundle/default/variable-overrides.json": '{"x": {"a": "${bundle.target}"}}',
    }
    assert _values(write(**files))["x"] == {"a": "default"}


def test_a_reference_may_come_from_a_flag(write: Callable[..., Path]):
    text = "bundle: {name: b}\nvariables:\n  x: {default: 1}\n  y: {default: {a: 1}}\n"
    assert _values(write(**{"databricks.yml": text}), x="${var.y}")["x"] == {"a": 1}


@pytest.mark.parametrize(
    ("root", "target", "expected"),
    [
        ("{lookup: {warehouse: shared}}", "plain", "plain"),
        ("{default: plain}", "{lookup: {warehouse: shared}}", "shared"),
    ],
)
def test_a_target_replaces_a_default_by_a_lookup_and_back(
    root: str, target: str, expected: str, write: Callable[..., Path]
):
    text = f"bundle: {{name: b}}\nvariables: {{x: {root}}}\n"
    text += f"targets: {{dev: {{variables: {{x: {target}}}}}}}\n"
    assert _values(write(**{"databricks.yml": text}))["x"] == expected
