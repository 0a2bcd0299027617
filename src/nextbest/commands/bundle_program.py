"""The Databricks CLI: what only it does with a bundle, and the plan it makes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nextbest.errors import PlatformError, RunError

OLDEST = "0.270"  # the first that has `bundle plan`
NO_PROGRAM = (
    "the 'databricks' program is not installed: get the Databricks CLI from "
    "https://docs.databricks.com/dev-tools/cli/install, or run here with `dbb run JOB --local`, "
    "which needs none"
)
_GONE = ("delete", "recreate")
MEND = (
    "mend what it says and run this again, after a deploy that was killed with --force-lock (if no "
    "other one is under way)"
)


@dataclass(frozen=True)
class Change:
    """What a deploy would do with one resource, or with a part of it, such as its grants."""

    action: str  # create, update, update_id, resize, recreate, delete, skip
    group: str  # jobs, schemas, ...
    key: str
    part: str = ""
    gone: bool = False  # to be deleted, but no longer there

    @property
    def loses(self) -> bool:
        """Whether something that is there would be deleted."""
        return self.action in _GONE and not self.gone and not self.part

    def __str__(self) -> str:
        return f"{self.action:<8} {'.'.join(filter(None, (self.group, self.key, self.part)))}"


@dataclass(frozen=True)
class BundleProgram:
    """`databricks bundle …` for one target; what it prints goes to the terminal."""

    path: str
    root: Path
    options: tuple[str, ...]  # target and variables
    lock: tuple[str, ...]  # --force-lock, or nothing

    def plan(self) -> list[Change]:
        """Build the artifacts, and what a deploy would do; changes nothing in the workspace."""
        told = self._ask("plan")
        entries = (told.get("plan") or {}).items()
        return [_change(name, entry) for name, entry in sorted(entries)]

    def deployed(self) -> dict[tuple[str, str], str]:
        """(group, key) → id of all that belongs to the deployment."""
        told = self._ask("summary")
        return {
            (group, key): str(resource["id"])
            for group, resources in (told.get("resources") or {}).items()
            for key, resource in resources.items()
            if resource.get("id")
        }

    def deploy(self, approved: bool) -> int:
        """Deploy; its exit code."""
        return self._run("deploy", *_approval(approved), *self.lock)

    def destroy(self) -> int:
        """Delete all that belongs to the deployment, and its files; its exit code."""
        return self._run("destroy", *_approval(True), *self.lock)

    def bind(self, key: str, number: str) -> None:
        """Let the deployment have what is there already, by its id."""
        self._change("deployment", "bind", key, number, *_approval(True), *self.lock)

    def unbind(self, key: str) -> None:
        """Let the deployment forget a resource, which stays as it is."""
        self._change("deployment", "unbind", key, *self.lock)

    def _change(self, *words: str) -> None:
        code = self._run(*words)
        if code:
            raise RunError(f"`databricks bundle {' '.join(words)}` ended with {code}: {MEND}")

    def _run(self, *words: str) -> int:
        command = [self.path, "bundle", *words, *self.options]
        sys.stdout.flush()  # what was told before comes before
        return subprocess.run(command, cwd=self.root).returncode

    def _ask(self, name: str) -> Any:
        command = [self.path, "bundle", name, *self.options, "--output", "json"]
        sys.stdout.flush()
        done = subprocess.run(command, cwd=self.root, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise RunError(
                f"`databricks bundle {name}` ended with {done.returncode}, see above; it takes the "
                f"Databricks CLI {OLDEST} or newer (`databricks --version`)"
            )
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError as error:
            raise RunError(
                f"`databricks bundle {name}` told something else than JSON: get the Databricks "
                f"CLI {OLDEST} or newer (`databricks --version`)"
            ) from error


def find_program(
    root: Path, target: str, variables: Sequence[str], force_lock: bool
) -> BundleProgram:
    """The installed Databricks CLI, for a target; PlatformError that says how to get it."""
    path = shutil.which("databricks")
    if path is None:
        raise PlatformError(NO_PROGRAM)
    given = (part for variable in variables for part in ("--var", variable))
    lock = ("--force-lock",) if force_lock else ()
    return BundleProgram(path, root, ("--target", target, *given), lock)


def _change(name: str, entry: dict[str, Any]) -> Change:
    """`resources.schemas.nba_schema.grants` and what is to be done with it."""
    _, group, key, *part = name.split(".")
    gone = bool(entry.get("gone"))
    return Change(entry.get("action") or "skip", group, key, ".".join(part), gone)


def _approval(given: bool) -> tuple[str, ...]:
    return ("--auto-approve",) if given else ()
