"""How many rows are read, on stderr, once a command takes longer than a moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 2.0  # seconds without a progress bar


@contextmanager
def progress(what: str = "rows read") -> Iterator[Callable[[int], None]]:
    """Tell on stderr how many rows (or what else) are read, from the third second on."""
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.completed:,.0f} " + what), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("", total=None)
    start = time.monotonic()
    shown = False

    def seen(count: int) -> None:
        nonlocal shown
        bar.advance(task, count)
        if not shown and time.monotonic() - start > PATIENCE:
            shown = True
            bar.start()

    try:
        yield seen
    finally:
        if shown:
            bar.stop()
