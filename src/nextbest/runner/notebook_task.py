"""One attempt of a notebook task: its process, its log, its page, and how it ended."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nextbest.bundle.graph import NotebookTask, Task
from nextbest.errors import PlatformError
from nextbest.runner import page, process, redacted, secrets, states
from nextbest.runner.context import Done, Place, Run, task_run_id
from nextbest.runner.failure import relative
from nextbest.runner.log import ends
from nextbest.runner.process import Ending
from nextbest.runner.record import TaskError
from nextbest.runner.references import Scope, substitute


class _Events:
    """Collects what a task's process reports."""

    def __init__(self, place: Place, hidden: tuple[str, ...]) -> None:
        self.cells: list[dict[str, Any]] = []
        self.shown: dict[int, dict[str, Any]] = {}
        self.last: dict[str, Any] | None = None  # `end` or `restart`
        self._place = place
        self._hidden = hidden

    def __call__(self, event: dict[str, Any]) -> None:
        if event["event"] == "notebook":
            self.cells = [{**c, "source": self._clean(c["source"])} for c in event["cells"]]
        elif event["event"] == "cell":
            shown = [{**each, "data": self._clean(each["data"])} for each in event["outputs"]]
            self.shown[event["number"]] = {**event, "outputs": shown}
        elif event["event"] == "value":
            values = self._clean({event["key"]: event["value"]})
            self._place.change(lambda t: replace(t, values={**t.values, **values}))
        elif event["event"] == "end":
            error = event["error"] and {k: self._clean(text) for k, text in event["error"].items()}
            self.last = {**event, "result": self._clean(event["result"]), "error": error}
        else:
            self.last = event

    def _clean(self, value: Any) -> Any:
        return secrets.redact(value, self._hidden)


def run_notebook(run: Run, task: Task, place: Place, scope: Scope) -> Done:
    """Run a notebook in a process of its own; waits for a free slot first."""
    spec = task.spec
    assert isinstance(spec, NotebookTask)
    passed = {key: substitute(text, scope) for key, text in spec.base_parameters.items()}
    passed |= scope.parameters or {}  # job parameters win over a task's own
    place.change(lambda t: replace(t, parameters=passed, values={}, result=None))
    while not run.shared.slots.acquire(timeout=0.1):
        if run.cancel.is_set():
            return _canceled(run)
    try:
        return _run(run, task, place, scope, passed)
    finally:
        run.shared.slots.release()


def _run(run: Run, task: Task, place: Place, scope: Scope, passed: Mapping[str, str]) -> Done:
    shared = run.shared
    spec = task.spec
    assert isinstance(spec, NotebookTask)
    name = f"tasks/{task_run_id(place.get()).removeprefix(scope.run_id + '.')}"
    folder = run.journal.folder
    log = folder.path / f"{name}.log"
    events = _Events(place, shared.hidden)
    message: dict[str, Any] = {
        "notebook": str(spec.path.resolve()),
        "root": str(shared.bundle.root.resolve()),
        "lakehouse": str(shared.lakehouse),
        "schemas": shared.schemas,
        "environment": dict(shared.environment),
        "widgets": {"passed": dict(passed), "declared": {}},
        "hidden": shared.hidden,
        "values": {key: dict(ended.values) for key, ended in scope.tasks.items()},
        "first_cell": 0,
    }
    while True:
        events.last = None
        ending, problem = process.run(
            shared.server, message, log, shared.hidden, task.timeout_seconds, run.cancel, events
        )
        if ending.how != "exit" or events.last is None or events.last["event"] != "restart":
            break
        message |= {key: events.last[key] for key in ("first_cell", "widgets")}
    done = replace(_done(run, task, events, ending), log=f"{name}.log")
    text = page.notebook(
        redacted.task(place.get(), shared.hidden),
        spec.path.name,
        done.state,
        done.error,
        (done.changes or {}).get("result"),
        events.cells,
        events.shown,
        ends(log),
        problem,
    )
    try:
        folder.write(f"{name}.html", text)
    except PlatformError as error:
        # A failure of the task's own is the better news; a success without its page is none.
        problem_too = TaskError("PlatformError", str(error))
        return done if done.error else replace(done, state=states.FAILED, error=problem_too)
    return replace(done, page=f"{name}.html")


def _done(run: Run, task: Task, events: _Events, ending: Ending) -> Done:
    if ending.how == "cancel":
        return _canceled(run)
    if ending.how == "timeout":
        message = (
            f"stopped after {task.timeout_seconds} s, its timeout_seconds ({task.location}), "
            f"{_whereabouts(run, events)}"
        )
        return Done(states.TIMEDOUT, TaskError("Timeout", message, _place(run, events)))
    if events.last is None:
        return Done(states.FAILED, _died(run, events, ending.code))
    if events.last["error"] is not None:
        return Done(states.FAILED, TaskError(**events.last["error"]))
    return Done(states.SUCCESS, changes={"result": events.last["result"]})


def _canceled(run: Run) -> Done:
    return Done(states.CANCELED, TaskError("Canceled", run.cancel.reason), retry=False)


def _died(run: Run, events: _Events, code: int | None) -> TaskError:
    if code is not None and code < 0:
        how = f"was killed by {signal.Signals(-code).name}"
        if -code == signal.SIGKILL:
            how += " (the machine may have run out of memory)"
    else:
        how = f"ended with code {code} by itself (os._exit?)"
    if code is None:
        how = "was lost: the process that started it has ended (killed?)"
    message = f"the notebook's process {how}, {_whereabouts(run, events)}; see the log"
    return TaskError("ProcessEnded", message, _place(run, events))


def _present_cell(events: _Events) -> dict[str, Any] | None:
    left = [cell for number, cell in enumerate(events.cells) if number not in events.shown]
    return left[0] if left else None


def _place(run: Run, events: _Events) -> str:
    cell = _present_cell(events)
    root = run.shared.bundle.root.resolve()
    return "" if cell is None else relative(f"{cell['file']}:{cell['line']}", root)


def _whereabouts(run: Run, events: _Events) -> str:
    where = _place(run, events)
    return f"in the cell at {where}" if where else "outside of the notebook's cells"
