"""Every call that the adapters can make of a workspace is answered by the recorder, and told."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from workspace.routes import ROUTES
from workspace.server import Workspace

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
    assert made == {route.sdk.__qualname__ for route in ROUTES if route.client == "sdk"}


def test_the_guide_lists_every_call_with_its_test():
    rows = re.findall(
        r"^\| `(\w+ /\S+)` \| `([\w.]+)` .*\| `(\S+\.py)` \|$", GUIDE.read_text(), re.M
    )
    assert {(place, call) for place, call, _ in rows} == {
        (f"{route.method} {route.template}", route.sdk.__qualname__) for route in ROUTES
    }
    assert all((ROOT / "tests" / test).is_file() for _, _, test in rows)
