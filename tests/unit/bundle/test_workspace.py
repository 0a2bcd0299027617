"""Users, paths and git details."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nextbest.bundle import load
from nextbest.bundle.workspace import git_details, short_name

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("user", "short"),
    [
        ("ana@acme.com", "ana"), ("Ana.Diaz@acme.com", "ana_diaz"), ("root", "root"),
        ("a--b..c@x", "a_b_c"), ("_x_@y", "x"), ("josé.ñ@x", "josé_ñ"), ("a1.b2@x", "a1_b2"),
    ],
)  # fmt: skip
def test_short_name(user: str, short: str):
    assert short_name(user) == short


def test_paths(write: Callable[..., Path], user: str):
    text = "bundle: {name: b}\nworkspace: {root_path: /Shared/x, artifact_path: /Volumes/a/b/c}\n"
    workspace = load(write(**{"databricks.yml": text}), None, None, user).config["workspace"]
    assert workspace["root_path"] == "/Workspace/Shared/x"
    assert workspace["file_path"] == "/Workspace/Shared/x/files"
    assert workspace["artifact_path"] == "/Volumes/a/b/c"


def test_git_details(write: Callable[..., Path]):
    root = write(
        **{
            ".git/HEAD": "ref: refs/heads/feature/x\n",
            ".git/packed-refs": "# pack-refs\nabc123 refs/heads/feature/x\n",
            ".git/config": '[core]\n\turl = no\n[remote "origin"]\n\turl = git@host:a/b.git\n',
            "below/databricks.yml": "bundle: {name: b}\nvariables:\n"
            "  b: {default: '${bundle.git.branch}'}\n"
            "  c: {default: '${bundle.git.commit}'}\n",
        }
    )
    assert git_details(root / "below") == {
        "branch": "feature/x",
        "actual_branch": "feature/x",
        "commit": "abc123",
        "origin_url": "git@host:a/b.git",
    }
    assert load(root / "below").variables == {"b": "feature/x", "c": "abc123"}


def test_a_written_branch_wins(write: Callable[..., Path]):
    text = "bundle: {name: b, git: {branch: main}}\n"
    root = write(**{".git/HEAD": "ref: refs/heads/x\n", "databricks.yml": text})
    git = load(root).config["bundle"]["git"]
    assert (git["branch"], git["actual_branch"]) == ("main", "x")


def test_without_git_the_details_are_empty(write: Callable[..., Path]):
    text = "bundle: {name: b}\nvariables:\n  b: {default: '<${bundle.git.origin_url}>'}\n"
    assert load(write(**{"databricks.yml": text})).variables == {"b": "<>"}
