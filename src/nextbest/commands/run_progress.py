"""How far a run in a workspace is: its tasks line by line, and what it waits for meanwhile."""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from nextbest.platforms.databricks.jobs import Look, Progress

TELL_SECONDS = 60  # after which the same wait is told once more, where there is no terminal
WAITING = frozenset({"PENDING", "QUEUED", "WAITING"})
UNTOLD = WAITING | {"BLOCKED", "TERMINATING"}  # states of a task that get no line


@contextmanager
def telling(number: int, job: str, *, tasks: bool) -> Iterator[Callable[[Progress], None]]:
    """Tell of each look at a run.

    Tasks that changed go to stdout (unless `tasks` is false), the run's page and what it waits for
    to stderr: on a terminal in one line that stays, elsewhere when that changes and each minute.
    """
    from rich.console import Console

    console, states = Console(stderr=True), dict[str, str]()
    with _line(console) if console.is_terminal else nullcontext(_lines()) as waiting:

        def seen(at: Progress) -> None:
            if not states:
                print(f"run {number} of {job}: {at.run.url}", file=sys.stderr, flush=True)
            for key, look in {"": at.run, **at.tasks}.items():
                if states.get(key) != look.state and key and tasks and look.state not in UNTOLD:
                    _tell(f"{job}/{key}", look.state)
                states[key] = look.state
            waiting(at, f"run {number} {_words(at)}")

        yield seen


@contextmanager
def _line(console: Console) -> Iterator[Callable[[Progress, str], None]]:
    """A line at the bottom of the terminal, with the time that passed."""
    from rich import progress

    bar = progress.Progress(
        progress.SpinnerColumn(),
        progress.TextColumn("{task.description}", markup=False),
        progress.TimeElapsedColumn(),
        console=console,
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # what goes to a file or a pipe stays there
    )
    line = bar.add_task("", total=None)
    with bar:
        yield lambda at, told: bar.update(line, description=told)


def _lines() -> Callable[[Progress, str], None]:
    """A line whenever the run waits for something else, and each minute."""
    said, since, last = "", 0.0, 0.0

    def waiting(at: Progress, told: str) -> None:
        nonlocal said, since, last
        looks, now = (at.run, *at.tasks.values()), time.monotonic()
        goes_on = any(each.state == "RUNNING" for each in at.tasks.values())
        if goes_on or not any(each.state in WAITING for each in looks):
            said = ""
        elif told != said:
            said, since, last = told, now, now
            print(told, file=sys.stderr, flush=True)
        elif now - last >= TELL_SECONDS:
            last = now
            print(f"{told}, {(now - since) / 60:.0f} min", file=sys.stderr, flush=True)

    return waiting


def _tell(name: str, state: str) -> None:
    from nextbest.runner.tree import MARKS

    clock = dt.datetime.now().strftime("%H:%M:%S")
    mark, _ = MARKS.get(state, MARKS["FAILED"])
    print(f"{clock} {mark} {name} {state}", flush=True)


def _words(at: Progress) -> str:
    """The run's state, and that of each task that goes on, or waits for no other one."""
    told = {key: look for key, look in at.tasks.items() if look.state in {*WAITING, "RUNNING"}}
    parts = [_state(at.run), *(f"{key} {_state(look)}" for key, look in told.items())]
    return "; ".join(parts)


def _state(look: Look) -> str:
    return f"{look.state} ({look.why})" if look.why else look.state
