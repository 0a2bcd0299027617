"""dbb as a user types it: the installed program in a folder with a bundle."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from workspace.server import TOKEN, Workspace

from nextbest.commands import deploy

ROOT = Path(__file__).parents[2]
STAND_IN = ROOT / "tests/workspace/program.py"

DBB = Path(sys.executable).with_name("dbb")
# Notebooks here need no engine: nothing heavy has to be imported before the first one starts.
LIGHT = {"NEXTBEST_PRELOAD": "nextbest.runner.child"}


@dataclass(frozen=True)
class Project:
    """A folder with a bundle, and the program to type there."""

    root: Path
    environment: dict

    def dbb(self, *arguments, **changes):
        """Run dbb to its end."""
        return subprocess.run(
            [DBB, *arguments],
            cwd=self.root,
            env={**self.environment, **changes},
            capture_output=True,
            text=True,
        )

    def start(self, *arguments, **options):
        """Start dbb and go on."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        command = [DBB, *arguments]
        return subprocess.Popen(
            command, cwd=self.root, env=self.environment, text=True, **pipes, **options
        )

    @property
    def lakehouse(self):
        """Where tables and runs are."""
        return self.root / ".lakehouse"

    def records(self):
        """All run records, oldest first."""
        paths = sorted(self.lakehouse.glob("runs/*/run.json"))
        return [json.loads(path.read_text()) for path in paths]


@pytest.fixture
def project(tmp_path):
    """Make a project from the YAML of its jobs and its notebooks."""

    def make(jobs, notebooks, resources="", **changes):
        (tmp_path / "databricks.yml").write_text(
            "bundle: {name: project}\ntargets:\n  dev: {default: true}\n  prod: {}\n"
            f"resources:\n{resources}  jobs:\n{jobs}"
        )
        for name, body in notebooks.items():
            (tmp_path / name).write_text(f"# Databricks notebook source\n{body}")
        known = {k: v for k, v in os.environ.items() if not k.startswith("NEXTBEST_")}
        return Project(tmp_path, {**known, **LIGHT, **changes})

    return make


@dataclass(frozen=True)
class Deployed:
    """A copy of our bundle, a workspace to deploy it to, and a stand-in for the Databricks CLI."""

    space: Workspace
    root: Path
    state: Path

    def asked(self):
        """What the Databricks CLI was called with."""
        log = self.state / "asked.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


@pytest.fixture
def deployed(tmp_path, monkeypatch):
    """Our own bundle, ready to be deployed to an empty workspace; nothing waits."""
    root, state, program = tmp_path / "bundle", tmp_path / "state", tmp_path / "bin" / "databricks"
    for folder in (root, state, program.parent):
        folder.mkdir()
    for name in ("resources", "notebooks"):
        shutil.copytree(ROOT / name, root / name)
    text = (ROOT / "databricks.yml").read_text()
    (build,) = re.findall(r"^    build: (.*)$", text, re.M)
    (root / "databricks.yml").write_text(text.replace(build, "mkdir -p dist; touch dist/a.whl"))
    (root / "requirements.txt").write_text("")
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {STAND_IN} "$@"\n')
    program.chmod(0o755)
    space = Workspace()
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.setenv("BUNDLE_STATE", str(state))
    monkeypatch.setenv("DATABRICKS_HOST", space.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setattr("databricks.sdk.clock.RealClock.sleep", lambda self, seconds: None)
    monkeypatch.setattr(deploy, "PAUSE_SECONDS", 0)
    monkeypatch.chdir(root)
    yield Deployed(space, root, state)
    space.close()
