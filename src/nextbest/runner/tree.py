"""How a run is shown while it goes on: a live tree on a terminal, else a line per transition."""

from __future__ import annotations

import datetime as dt
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nextbest.runner import states
from nextbest.runner.duration import span
from nextbest.runner.journal import Observer
from nextbest.runner.record import RunRecord, TaskRecord, seconds

if TYPE_CHECKING:
    from rich.tree import Tree

MARKS = {
    states.PENDING: ("·", "dim"),
    states.RUNNING: ("▶", "cyan"),
    states.SUCCESS: ("✓", "green"),
    states.SUCCESS_WITH_FAILURES: ("✓", "yellow"),
    states.FAILED: ("✗", "red"),
    states.TIMEDOUT: ("⏱", "red"),
    states.CANCELED: ("■", "red"),
    states.KILLED: ("■", "red"),
    states.UPSTREAM_FAILED: ("⤬", "yellow"),
    states.EXCLUDED: ("○", "dim"),
    states.SKIPPED: ("○", "dim"),
    states.DISABLED: ("○", "dim"),
}


@contextmanager
def showing(progress: bool) -> Iterator[Observer]:
    """Show the runs that the observer hears of; nothing without `progress`."""
    if not progress:
        yield lambda record: None
    elif sys.stdout.isatty():
        with _live() as observe:
            yield observe
    else:
        yield _Lines().observe


class _Lines:
    """Prints each change of a task's state, once."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def observe(self, record: RunRecord) -> None:
        with self._lock:
            self._show((record.run_id, ""), record.job_key, record.state, record.start, record.end)
            for task in record.tasks:
                for each in (task, *task.iterations):
                    name = f"{record.job_key}/{each.key}"
                    self._show((record.run_id, each.key), name, each.state, each.start, each.end)

    def _show(
        self, at: tuple[str, str], name: str, state: str, start: str | None, end: str | None
    ) -> None:
        if self._seen.get(at, states.PENDING) == state:
            return
        self._seen[at] = state
        took = f"  {span(seconds(start, end))}" if start and end else ""
        clock = dt.datetime.now().strftime("%H:%M:%S")
        print(f"{clock} {MARKS[state][0]} {name} {state}{took}", flush=True)


@contextmanager
def _live() -> Iterator[Observer]:
    from rich.live import Live

    runs: dict[str, RunRecord] = {}

    def observe(record: RunRecord) -> None:
        runs[record.run_id] = record

    def render() -> Tree | str:
        known = dict(runs)
        return tree(next(iter(known.values())), known) if known else ""

    with Live(get_renderable=render, refresh_per_second=8, redirect_stdout=False):
        yield observe


def tree(record: RunRecord, runs: dict[str, RunRecord]) -> Tree:
    """A run, with the child runs that are among `runs` as branches."""
    from rich.tree import Tree

    title = f"{record.job_name} [{record.target}] {record.run_id}"
    top = Tree(_label(title, record.state, record.start, record.end), highlight=False)
    for task in record.tasks:
        _branch(top, task, runs)
    return top


def _branch(above: Tree, task: TaskRecord, runs: dict[str, RunRecord]) -> None:
    name = task.key if task.outcome is None else f"{task.key} = {task.outcome}"
    if len(task.attempts) > 1:
        name += f" (attempt {len(task.attempts)})"
    branch = above.add(_label(name, task.state, task.start, task.end))
    for each in task.iterations:
        _branch(branch, each, runs)
    child = runs.get(task.child_run_id or "")
    if child is not None:
        for each in child.tasks:
            _branch(branch, each, runs)


def _label(name: str, state: str, start: str | None, end: str | None) -> object:
    from rich.text import Text

    mark, style = MARKS[state]
    text = Text.assemble((f"{mark} ", style), name)
    if state not in (states.SUCCESS, states.RUNNING, states.PENDING):
        text.append(f" {state}", style)
    if start is not None:
        text.append(f"  {span(seconds(start, end))}", "dim")
    return text
