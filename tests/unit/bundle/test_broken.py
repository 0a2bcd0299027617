"""Every broken bundle is reported exactly: nothing missing, nothing more, never a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nextbest.bundle import diagnose, load
from nextbest.errors import BundleError

pytestmark = pytest.mark.unit

BROKEN = sorted((Path(__file__).parents[2] / "bundle" / "broken").iterdir())


def test_there_are_enough():
    assert len(BROKEN) >= 60


@pytest.mark.parametrize("folder", BROKEN, ids=lambda folder: folder.name)
def test_findings(folder: Path, user: str):
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    target, variables = expected.get("target"), expected.get("variables")
    bundle, found = diagnose(folder, target, variables, user)
    reported = [
        {
            "severity": item.severity,
            "summary": item.summary,
            "file": item.location.file if item.location else None,
            "line": item.location.line if item.location else None,
        }
        for item in found
    ]
    assert reported == expected["findings"]
    assert all(item.fix for item in found), "every finding says how to mend it"
    errors = [item for item in found if item.severity == "error"]
    assert (bundle is None) == bool(errors)
    if errors:
        with pytest.raises(BundleError) as refused:
            load(folder, target, variables, user)
        message = str(refused.value)
        assert "Traceback" not in message
        assert all(
            item.summary in message and str(item.location) in message
            for item in errors
            if item.location
        )
