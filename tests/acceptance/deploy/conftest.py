"""`dbb deploy` and `dbb destroy` in this process, with a stand-in for the Databricks CLI."""

from __future__ import annotations

import io

import pytest
from workspace.deployable import Hurry, deployable
from workspace.server import TOKEN

from nextbest.cli import main
from nextbest.commands import deploy


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Open workspaces, each with the bundle to deploy there; the newest is the one that is used."""
    hurry, all_of_them = Hurry(), []
    monkeypatch.setattr("databricks.sdk.clock.RealClock.sleep", lambda self, s: hurry.sleep(s))
    monkeypatch.setattr("databricks.sdk.clock.RealClock.time", lambda self: hurry.time())
    monkeypatch.setattr("mlflow.utils.rest_utils._time_sleep", hurry.sleep)
    monkeypatch.setattr(deploy, "PAUSE_SECONDS", 0)

    def open_one():
        one = deployable(tmp_path / str(len(all_of_them)))
        all_of_them.append(one)
        for name, value in one.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PATH", f"{one.bin}:/usr/bin:/bin")
        monkeypatch.chdir(one.root)
        return one

    yield open_one
    for one in all_of_them:
        one.space.close()


@pytest.fixture
def bundle(opened):
    """One bundle, and an empty workspace."""
    return opened()


@pytest.fixture
def dbb(capfd, monkeypatch):
    """Run dbb: words → (exit code, all that was printed, by the stand-in too)."""

    def run(words, answer=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        code = main(words.split())
        out, err = capfd.readouterr()
        assert TOKEN not in out + err
        return code, out + err

    return run
