"""`dbb compare-models` as a user types it, on two versions that the real bundle has trained."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lakehouses import SMALL, assert_same, tables

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("compare")]

ROOT = Path(__file__).parents[2]
DBB = Path(sys.executable).with_name("dbb")


def run(lakehouse, job, **params):
    given = ",".join(f"{key}={value}" for key, value in {**SMALL, **params}.items())
    words = [DBB, "run", job, "--local", "--lakehouse", lakehouse, "--params", given]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def compare(lakehouse, *words):
    command = [DBB, "compare-models", *words, "--local", "--lakehouse", lakehouse]
    return subprocess.run(command, cwd=lakehouse.parent / "bundle", capture_output=True, text=True)


@pytest.fixture(scope="module")
def two_versions(tmp_path_factory):
    """A lakehouse with two versions, of two seeds, and what the validation of the second said."""
    folder = tmp_path_factory.mktemp("two")
    lakehouse = folder / "lakehouse"
    run(lakehouse, "lifecycle_job")
    shutil.copytree(ROOT / "resources", folder / "bundle" / "resources")
    shutil.copytree(ROOT / "dashboards", folder / "bundle" / "dashboards")
    shutil.copytree(ROOT / "notebooks", folder / "bundle" / "notebooks")
    for name in ("databricks.yml", "requirements.txt"):
        shutil.copy(ROOT / name, folder / "bundle" / name)
    return lakehouse, run(lakehouse, "training_job", seed="11", exploration="0.3")


def test_two_versions_are_compared_as_their_validation_did(two_versions):
    lakehouse, told = two_versions
    page, rows = (lakehouse.parent / "bundle" / name for name in ("compare-1-2.html", "told.csv"))
    done = compare(lakehouse, ":1", "@champion", "--format", "json", "--visualization",
                   "--export", "told.csv", "--datasets", "holdout,newest")  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    value = found["datasets"][0]["compared"][0]
    over = value["difference"]
    lift = f"{over['value']:+.4f} [{over['low']:+.4f}, {over['high']:+.4f}]"
    assert f"lift over champion: {lift}" in told
    assert found["recommendation"]["action"] in ("promote", "keep", "gather more evidence")
    assert page.read_text().count("<svg") > 6
    assert "compare-1-2.html" in done.stderr
    assert rows.read_text().startswith("dataset,")
    assert [each["name"] for each in found["datasets"]] == ["holdout", "newest"]


def test_comparing_changes_nothing(two_versions):
    lakehouse, _ = two_versions
    before = tables(lakehouse)
    done = compare(lakehouse, ":2", ":1", "--recommendation", "--metrics", "value,capture")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "recommendation: " in done.stdout
    assert "capture (response)" in done.stdout
    assert_same(before, tables(lakehouse))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([":1", ":7"], "has no version 7; it has 1, 2"),
        ([":1", "@chamption"], "did you mean @champion?"),
        ([":1", ":2", "--metrics", "valeu"], "did you mean value?"),
        ([":1", "@champion", "--datasets", "holdot"], "did you mean holdout?"),
        ([":1", ":1"], "name two versions"),
        ([":1", ":2", "--confidence", "2", "--export", "a.pdf"], "--confidence is 2.0"),
    ],
)
def test_a_wrong_word_is_told_without_a_traceback(two_versions, words, told):
    done = compare(two_versions[0], *words)
    assert done.returncode == 2, done.stdout + done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_version_whose_model_is_broken_is_told(two_versions):
    lakehouse, _ = two_versions
    files = list(lakehouse.rglob("python_model.pkl"))
    kept = [file.read_bytes() for file in files]
    for file in files:
        file.write_bytes(b"no pickle")
    done = compare(lakehouse, ":1", ":2")
    for file, content in zip(files, kept, strict=True):
        file.write_bytes(content)
    assert done.returncode == 1
    assert "can't be loaded" in done.stderr
    assert "Traceback" not in done.stderr
