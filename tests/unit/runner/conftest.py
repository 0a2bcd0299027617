"""What the runner's tests share: a fork server that preloads next to nothing, and bundles."""

from __future__ import annotations

from pathlib import Path

import pytest

from nextbest.bundle import load
from nextbest.runner.process import ForkServer
from nextbest.runner.start import run_job

RUNS = Path(__file__).parents[2] / "bundle" / "runs"


@pytest.fixture(scope="session")
def light_server():
    """A fork server for notebooks that need no engine."""
    server = ForkServer(["nextbest.runner.child"])
    yield server
    server.close()


@pytest.fixture
def run_bundle(light_server, tmp_path):
    """Run a job of a bundle folder; the record."""

    def run(root, job="main", lakehouse=None, **options):
        bundle = load(root, None, {}, "tester")
        options = {"parameters": {}, "progress": False, "server": light_server, **options}
        return run_job(bundle, job, lakehouse=lakehouse or tmp_path / "lakehouse", **options)

    return run


@pytest.fixture
def write_bundle(tmp_path):
    """Write a small bundle with one job `main`; its folder."""

    def write(tasks, notebooks, extra=""):
        root = tmp_path / "bundle"
        root.mkdir(exist_ok=True)
        (root / "databricks.yml").write_text(
            "bundle: {name: small}\ntargets: {dev: {default: true}}\nresources:\n  jobs:\n"
            f"    main:\n      name: main\n{extra}      tasks:\n{tasks}"
        )
        for name, body in notebooks.items():
            (root / name).write_text("# Databricks notebook source\n" + body)
        return root

    return write
