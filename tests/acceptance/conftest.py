"""dbb as a user types it: the installed program in a folder with a bundle."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

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


@pytest.fixture(scope="session")
def make_project():
    """Make a project in a folder from the YAML of its jobs and its notebooks."""

    def make(folder, jobs, notebooks, resources="", **changes):
        (folder / "databricks.yml").write_text(
            "bundle: {name: project}\ntargets:\n  dev: {default: true}\n  prod: {}\n"
            f"resources:\n{resources}  jobs:\n{jobs}"
        )
        for name, body in notebooks.items():
            (folder / name).write_text(f"# Databricks notebook source\n{body}")
        known = {k: v for k, v in os.environ.items() if not k.startswith("NEXTBEST_")}
        return Project(folder, {**known, **LIGHT, **changes})

    return make


@pytest.fixture
def project(make_project, tmp_path):
    """Make a project in a folder of the test's own."""
    return functools.partial(make_project, tmp_path)
