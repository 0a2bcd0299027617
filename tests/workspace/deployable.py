"""Our own bundle, a workspace to deploy it to, and a stand-in for the Databricks CLI."""

from __future__ import annotations

import copy
import json
import re
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workspace.faults import DROPPED
from workspace.server import TOKEN, Workspace

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("program.py")


@dataclass
class Death:
    """From one call on nothing is heard: of it (kind: DROPPED or LOST), nor of the rest."""

    kind: str
    call: int  # counts from 0
    seen: int = -1

    def strikes(self, method, path):
        if path.startswith("/.well-known/"):
            return False
        self.seen += 1
        if self.seen > self.call:
            self.kind = DROPPED
        return self.seen >= self.call


class Hurry:
    """A clock that nobody waits for: pauses only move it on."""

    def __init__(self):
        self.passed = 0.0

    def time(self):
        return time.time() + self.passed

    def sleep(self, seconds):
        self.passed += seconds


@dataclass(frozen=True)
class Deployable:
    """root: the bundle; state: where the stand-in keeps what it deployed; bin: where it lies."""

    root: Path
    state: Path
    bin: Path
    space: Workspace

    @property
    def environment(self) -> Mapping[str, str]:
        """What whoever deploys has set."""
        return {
            "DATABRICKS_HOST": self.space.url,
            "DATABRICKS_TOKEN": TOKEN,
            "DATABRICKS_CONFIG_FILE": str(self.root / "none"),
            "BUNDLE_STATE": str(self.state),
            "BUNDLE_VAR_service_principal": "11111111-2222-3333-4444-555555555555",
        }

    def asked(self):
        """What the Databricks CLI was called with, by now."""
        log = self.state / "asked.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def edit(self, file, old, new):
        """Change a file of the bundle."""
        text = (self.root / file).read_text()
        assert old in text
        (self.root / file).write_text(text.replace(old, new))

    def kept(self):
        """All that the workspace keeps and the CLI knows, with names in the place of ids."""
        kept = copy.deepcopy({name: dict(some) for name, some in self.space.kept.items() if some})
        kept.pop("numbers", None)
        jobs, experiments = kept.pop("jobs", {}), kept.pop("experiments", {})
        alerts = kept.pop("alerts", {})
        names = {str(key): job["name"] for key, job in jobs.items()} | experiments
        names |= {key: alert["display_name"] for key, alert in alerts.items()}
        for job in jobs.values():
            for task in job["settings"]["tasks"]:
                if "run_job_task" in task:
                    started = task["run_job_task"]
                    started["job_id"] = names[str(started["job_id"])]
        state = [json.loads(file.read_text()) for file in sorted(self.state.glob("*.json"))]
        known = [
            {name: names.get(str(each["id"]), each["id"]) for name, each in some.items()}
            for some in state
        ]
        told = {"jobs": sorted(jobs.values(), key=lambda job: job["name"]),
                "alerts": sorted(alerts.values(), key=lambda alert: alert["display_name"]),
                "experiments": sorted(experiments.values()), "known": known}  # fmt: skip
        return {**kept, **told}


def deployable(folder: Path) -> Deployable:
    """A copy of our bundle with a quick build, and an empty workspace; close its `space`."""
    root, state, programs = (folder / name for name in ("bundle", "state", "bin"))
    for each in (root, state, programs):
        each.mkdir(parents=True)
    for name in ("resources", "notebooks", "dashboards"):
        shutil.copytree(ROOT / name, root / name)
    text = (ROOT / "databricks.yml").read_text(encoding="utf-8")
    (build,) = re.findall(r"^    build: (.*)$", text, re.M)
    quick = "mkdir -p dist && touch dist/nextbest-0.1.0-py3-none-any.whl"
    (root / "databricks.yml").write_text(text.replace(build, quick), encoding="utf-8")
    program = programs / "databricks"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {PROGRAM} "$@"\n')
    program.chmod(0o755)
    return Deployable(root, state, programs, Workspace())
