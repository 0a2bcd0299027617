"""Every call that the adapters can make of a workspace is answered by the recorder, and told."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from workspace.routes import ROUTES
from workspace.scenarios import OF_THE_CLI
from workspace.server import ANSWERED, Workspace

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
ADAPTERS = sorted((ROOT / "src/nextbest/platforms/databricks").glob("*.py"))
GUIDE = ROOT / "docs/guides/databricks.md"


def services_of(tree, client):
    """What stands for a service: `….jobs`, and names that one was assigned to."""
    known = {name for name in dir(type(client)) if not name.startswith("_")}
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            (target,) = node.targets
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=True))
            for to, what in pairs:
                if isinstance(what, ast.Attribute) and what.attr in known:
                    names[getattr(to, "id", "")] = what.attr
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        if isinstance(node.value, ast.Attribute) and node.value.attr in known:
            yield getattr(client, node.value.attr), node.attr
        elif isinstance(node.value, ast.Name) and node.value.id in names:
            yield getattr(client, names[node.value.id]), node.attr


def calls():
    """The SDK's methods that the adapters name."""
    space = Workspace()
    client = space.client()
    space.close()
    found = set()
    for file in ADAPTERS:
        for api, name in services_of(ast.parse(file.read_text(encoding="utf-8")), client):
            kinds = [kind.__name__ for kind in type(api).__mro__ if kind.__name__.endswith("API")]
            # What waits only gets, again and again.
            if kinds and hasattr(api, name) and not name.startswith("wait_"):
                found.add(f"{kinds[0]}.{name}")
    return found


def test_the_recorder_answers_every_call():
    made = calls()
    assert made >= {"JobsAPI.run_now", "QualityMonitorsAPI.update", "GrantsAPI.get_effective"}
    assert not made & OF_THE_CLI
    asked = {route.sdk.__qualname__ for route in ROUTES if route.client == "sdk"}
    assert made | OF_THE_CLI == asked


ROWS = re.findall(
    r"^\| `(\w+ /\S+)` \| `([\w.]+)` .*\| `(\S+\.py)` \|$", GUIDE.read_text("utf-8"), re.M
)
# Holds its calls of MLflow to its own transcript (test_every_call_of_mlflow_stands_in_…).
BY_ITSELF = "acceptance/test_lifecycle_on_databricks.py"


def test_the_guide_lists_every_call_with_its_test():
    assert {(place, call) for place, call, _ in ROWS} == {
        (f"{route.method} {route.template}", route.sdk.__qualname__)
        for route in ROUTES
        if route.sdk.__qualname__ not in OF_THE_CLI
    }
    assert all((ROOT / "tests" / test).is_file() for _, _, test in ROWS)
    of_mlflow = {f"{each.method} {each.template}" for each in ROUTES if each.client == "mlflow"}
    assert {place for place, _, test in ROWS if test == BY_ITSELF} <= of_mlflow


@pytest.mark.slow
@pytest.mark.parametrize("test", sorted({test for _, _, test in ROWS} - {BY_ITSELF}))
def test_each_call_stands_in_the_transcript_of_the_test_that_is_named(test, tmp_path):
    log = tmp_path / "answered"
    words = [sys.executable, "-m", "pytest", "-n0", "-m", "not slow", ROOT / "tests" / test]
    if test.endswith("test_faults.py"):
        words += ["-k", "secrets"]  # of the thousand others each has a test of its own
    done = subprocess.run(
        words, cwd=ROOT, env={**os.environ, ANSWERED: str(log)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:]
    answered = set(log.read_text().splitlines())
    assert [place for place, _, named in ROWS if named == test and place not in answered] == []
