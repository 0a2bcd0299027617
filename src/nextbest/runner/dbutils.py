"""`dbutils` of a local notebook: the parts Databricks documents and a job may rely on."""

from __future__ import annotations

import json
from collections import namedtuple
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from nextbest.runner import secrets
from nextbest.runner.fs import Files
from nextbest.runner.widgets import Widgets

MAX_VALUE = 48 * 1024  # bytes of JSON per task value

SecretMetadata = namedtuple("SecretMetadata", ["key"])
Emit = Callable[[dict[str, Any]], None]


class NotebookExit(BaseException):
    """Ends the notebook with a result; no `except Exception` of the notebook can swallow it."""

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self.value = value


class RestartPython(BaseException):
    """Ends the process; the task goes on with the next cell in a fresh one."""


class TaskValues:
    """`dbutils.jobs.taskValues`: small values handed to later tasks.

    `known` maps ended tasks to their values; None stands for a notebook outside of a job.
    """

    def __init__(self, known: Mapping[str, Mapping[str, Any]] | None, emit: Emit) -> None:
        self._known = known
        self._emit = emit

    def set(self, key: str, value: Any) -> None:
        """Keep a value; raises TypeError when it is no JSON, ValueError when over 48 KiB."""
        if not isinstance(key, str):
            raise TypeError(f"the key of a task value is a string, not {key!r}")
        try:
            text = json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise TypeError(f"task value '{key}' can't be written as JSON: {error}") from error
        if len(text.encode()) > MAX_VALUE:
            raise ValueError(
                f"task value '{key}' has {len(text.encode())} bytes of JSON, the limit is "
                f"{MAX_VALUE}: write it to a table or a volume and pass its name"
            )
        if self._known is not None:
            self._emit({"event": "value", "key": key, "value": json.loads(text)})

    def get(self, taskKey: str, key: str, default: Any = None, debugValue: Any = None) -> Any:
        """A value of an earlier task; unknown ones raise ValueError unless a default is given.

        Outside of a job it is `debugValue`, and TypeError without one.
        """
        if self._known is None:
            if debugValue is None:
                raise TypeError("outside of a job taskValues.get needs debugValue")
            return debugValue
        values = self._known.get(taskKey)
        if values is not None and key in values:
            return values[key]
        if default is not None:
            return default
        missing = f"no task '{taskKey}' ran before" if values is None else f"it set no '{key}'"
        raise ValueError(f"task value '{key}' of task '{taskKey}': {missing}; pass a default")


class Notebook:
    """`dbutils.notebook`."""

    def __init__(self, run: Callable[[str, int, Mapping[str, str]], str]) -> None:
        self._run = run

    def exit(self, value: Any = "") -> None:
        """End the notebook with a result, as text."""
        raise NotebookExit(str(value))

    def run(
        self, path: str, timeout_seconds: int = 0, arguments: Mapping[str, str] | None = None
    ) -> str:
        """Run another notebook by itself; what it exits with."""
        return self._run(path, timeout_seconds, arguments or {})


class Secrets:
    """`dbutils.secrets`, from NEXTBEST_SECRET_<SCOPE>_<KEY>."""

    def get(self, scope: str, key: str) -> str:
        """The secret as text."""
        return secrets.get(scope, key)

    def getBytes(self, scope: str, key: str) -> bytes:
        """The secret as bytes."""
        return secrets.get(scope, key).encode()

    def list(self, scope: str) -> list[SecretMetadata]:
        """Keys of a scope."""
        return [SecretMetadata(key) for key in secrets.keys(scope)]


class Library:
    """`dbutils.library`."""

    def restartPython(self) -> None:
        """Lose all Python state; the notebook goes on with its next cell."""
        raise RestartPython


class DbUtils:
    """What a notebook knows as `dbutils`."""

    def __init__(
        self,
        lakehouse: Path,
        widgets: Widgets,
        known: Mapping[str, Mapping[str, Any]] | None,
        emit: Emit,
        run: Callable[[str, int, Mapping[str, str]], str],
    ) -> None:
        self.widgets = widgets
        self.jobs = SimpleNamespace(taskValues=TaskValues(known, emit))
        self.notebook = Notebook(run)
        self.fs = Files(lakehouse)
        self.secrets = Secrets()
        self.library = Library()
