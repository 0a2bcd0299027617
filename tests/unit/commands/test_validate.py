"""`dbb validate`: what it prints and how it exits."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from nextbest.commands.validate import validate
from nextbest.errors import BundleError

pytestmark = pytest.mark.unit

CLEAN = "bundle: {name: b}\nvariables: {x: {default: 1}}\n"
WARNED = CLEAN + "vairables: {}\n"
FAILED = WARNED + "targets: {dev: {mode: wrong}}\n"


def _args(**changed: object) -> argparse.Namespace:
    return argparse.Namespace(
        **{
            "target": None,
            "var": [],
            "strict": False,
            "json": False,
            "fix": False,
            "yes": False,
            "verbose": False,
            **changed,
        }
    )


@pytest.mark.parametrize(
    ("text", "strict", "code", "last"),
    [
        (CLEAN, False, 0, "default: 0 jobs, 0 tasks, 0 errors, 0 warnings"),
        (CLEAN, True, 0, "default: 0 jobs, 0 tasks, 0 errors, 0 warnings"),
        (WARNED, False, 0, "default: 0 jobs, 0 tasks, 0 errors, 1 warning"),
        (WARNED, True, 1, "default: 0 jobs, 0 tasks, 0 errors, 1 warning"),
        (FAILED, False, 2, "default target: 1 error, 1 warning"),
    ],
)
def test_exit_codes(
    text: str, strict: bool, code: int, last: str, write: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture,
):  # fmt: skip
    monkeypatch.chdir(write(**{"databricks.yml": text}))
    assert validate(_args(strict=strict)) == code
    assert capsys.readouterr().out.splitlines()[-1] == last


def test_report(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.chdir(write(**{"databricks.yml": WARNED}))
    validate(_args())
    assert capsys.readouterr().out.splitlines()[:3] == [
        "warning: unknown field: vairables",
        "  at  databricks.yml:3",
        "  fix did you mean 'variables'?",
    ]


def test_json(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.chdir(write(**{"databricks.yml": WARNED}))
    assert validate(_args(json=True, strict=True)) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["target"], report["jobs"], report["tasks"]) == ("default", 0, 0)
    assert report["findings"][0]["line"] == 3


def test_targets_and_variables_that_do_not_exist(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.chdir(write(**{"databricks.yml": CLEAN + "targets: {dev: {}, prod: {}}\n"}))
    assert validate(_args(target="prd")) == 2
    assert "did you mean 'prod'?" in capsys.readouterr().out
    assert validate(_args(target="dev", var=["y=1"])) == 2
    assert "variable 'y' is not defined" in capsys.readouterr().out


def test_outside_of_a_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BundleError, match="no databricks.yml"):
        validate(_args())
