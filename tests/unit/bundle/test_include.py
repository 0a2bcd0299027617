"""Finding the root and reading the files it includes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nextbest.bundle import diagnose, find_root, load
from nextbest.errors import BundleError

pytestmark = pytest.mark.unit


def test_find_root(write: Callable[..., Path]):
    root = write(**{"databricks.yml": "", "a/b/c.txt": ""})
    assert find_root(root / "a" / "b") == root
    assert find_root(root) == root


def test_no_root(tmp_path: Path):
    with pytest.raises(BundleError, match=r"no databricks\.yml in .* or above"):
        find_root(tmp_path)


def test_order_first_occurrence_and_once(write: Callable[..., Path]):
    def one(value: str) -> str:
        return f"variables:\n  x:\n    default: {value}\n"

    root = write(
        **{
            "databricks.yml": "bundle: {name: b}\ninclude: [z.yml, '*.yml', sub/*.y*ml]\n",
            "z.yml": one("z"),
            "b.yml": one("b"),
            "a.yml": one("a"),
            "sub/.hidden.yaml": one("hidden"),
            "sub/deeper/no.yml": one("no"),
        }
    )
    assert load(root).variables["x"] == "hidden"
    (root / "sub" / ".hidden.yaml").unlink()
    assert load(root).variables["x"] == "b"  # z.yml came first and is not read again


def test_both_root_files(write: Callable[..., Path]):
    root = write(**{"databricks.yml": "bundle: {name: b}", "databricks.yaml": "bundle: {name: b}"})
    bundle, found = diagnose(root)
    assert bundle is None
    assert "both exist" in found[0].summary


def test_the_other_name(write: Callable[..., Path]):
    root = write(**{"databricks.yaml": "bundle: {name: b}"})
    assert load(root).name == "b"


def test_a_folder_without_a_bundle(tmp_path: Path):
    bundle, found = diagnose(tmp_path)
    assert bundle is None
    assert found[0].fix


def test_a_json_file_may_be_included(write: Callable[..., Path]):
    root = write(
        **{
            "databricks.yml": "bundle: {name: b}\ninclude: [x.json]\n",
            "x.json": '{"variables": {"x": {"default": "json"}}}',
        }
    )
    assert load(root).variables == {"x": "json"}
