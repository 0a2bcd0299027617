"""Inside a task's process: run one notebook and report what happens over a channel."""

from __future__ import annotations

import dataclasses
import faulthandler
import functools
import io
import json
import os
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from nextbest.platforms.local.tracking import keep_out
from nextbest.runner.dbutils import NotebookExit, RestartPython
from nextbest.runner.failure import Caught, describe
from nextbest.runner.interpreter import Interpreter, pending
from nextbest.runner.notebook_source import parse
from nextbest.runner.screen import Screen
from nextbest.runner.secrets import redact
from nextbest.runner.widgets import Widgets


def main(channel: Connection) -> int:
    """Run the notebook that the first message names; the exit code says nothing of its result.

    Reports events as JSON: `notebook` (its cells), `cell` (number, seconds, outputs), `value` (a
    task value), and last `end` (state, result, error) or `restart` (the cell to go on with).
    """
    try:
        spec = json.loads(channel.recv_bytes())
    except EOFError:  # canceled before it began
        return 0
    log = io.TextIOWrapper(
        os.fdopen(1, "wb", closefd=False), "utf-8", "backslashreplace", line_buffering=True
    )
    hidden = tuple(spec["hidden"])
    screen = Screen(log, hidden)
    sys.stdout = sys.stderr = screen
    faulthandler.enable(file=2)
    _settle(spec)
    if hidden:
        keep_out(Path(spec["lakehouse"]), lambda text: redact(text, hidden))
    caught = Caught()
    with caught:
        _report(channel, _run(spec, channel, screen))
    if caught.error is not None:  # nothing of the notebook, but what surrounds it
        failed = describe(caught.error, (), spec["notebook"], Path(spec["root"]))
        _report(channel, _ended("FAILED", failed))
    with Caught():
        log.flush()
    return 0


def _settle(spec: dict[str, Any]) -> None:
    """Environment, folder and import path of a notebook."""
    os.environ.update(spec["environment"])
    folder = str(Path(spec["notebook"]).parent)
    os.chdir(folder)
    sys.path.insert(0, folder)
    sys.argv = [spec["notebook"]]
    if "numpy" in sys.modules:  # or every fork would draw the same numbers
        sys.modules["numpy"].random.seed()


def _run(spec: dict[str, Any], channel: Connection, screen: Screen) -> dict[str, Any]:
    notebook, root = Path(spec["notebook"]), Path(spec["root"])
    cells = parse(notebook)
    _report(channel, {"event": "notebook", "cells": [dataclasses.asdict(cell) for cell in cells]})
    interpreter = Interpreter(
        notebook,
        Path(spec["lakehouse"]),
        Widgets(**spec["widgets"]),
        spec["values"],
        functools.partial(_report, channel),
        screen,
        functools.partial(_open_spark, Path(spec["lakehouse"]), tuple(spec["schemas"])),
    )
    for number, cell in pending(cells, spec["first_cell"]):
        began = time.monotonic()
        caught = Caught()
        with caught:
            interpreter.execute(cell)
        ending = None
        if isinstance(caught.error, NotebookExit):
            ending = {**_ended("SUCCESS"), "result": caught.error.value}
        elif isinstance(caught.error, RestartPython):
            state = interpreter.widgets.state()
            ending = {"event": "restart", "first_cell": number + 1, "widgets": state}
        elif caught.error is not None:
            place = f"{cell.file}:{cell.line}"
            failed = describe(caught.error, interpreter.files, place, root)
            screen.show({"kind": "error", "data": failed.trace})
            ending = _ended("FAILED", failed)
        outputs = screen.take()
        seconds = time.monotonic() - began
        _report(
            channel, {"event": "cell", "number": number, "seconds": seconds, "outputs": outputs}
        )
        if ending is not None:
            return ending
    return _ended("SUCCESS")


def _ended(state: str, failed: Any = None) -> dict[str, Any]:
    error = None
    if failed is not None:
        error = {"type": failed.type, "message": failed.message, "location": failed.location}
    return {"event": "end", "state": state, "result": None, "error": error}


def _report(channel: Connection, event: dict[str, Any]) -> None:
    channel.send_bytes(json.dumps(event).encode())


@functools.cache
def _open_spark(lakehouse: Path, schemas: tuple[str, ...]) -> Any:
    from nextbest.platforms.local.session import open_session

    return open_session(lakehouse, schemas)
