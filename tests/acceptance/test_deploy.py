"""`dbb deploy` with a stand-in for the Databricks CLI, against the recording workspace."""

from __future__ import annotations

import json

import pytest

from nextbest.cli import main

pytestmark = pytest.mark.integration


def test_first(deployed, capsys):
    code = main(["deploy", "-t", "prod"])
    print(capsys.readouterr().out)
    print(json.dumps({k: v for k, v in deployed.space.kept.items() if k != "jobs"}, indent=1))
    print(len(deployed.space.transcript))
    assert code == 0
    assert main(["deploy", "-t", "prod"]) == 0
    print(capsys.readouterr().out)
    assert 0
