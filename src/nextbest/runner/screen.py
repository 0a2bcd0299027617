"""Where a cell's prints and displays go: to the log, and in order into the notebook's page."""

from __future__ import annotations

import io
from typing import TextIO

from nextbest.runner.display import Output, Printed


class Screen(io.TextIOBase):
    """Stands in for sys.stdout and sys.stderr while a cell runs."""

    def __init__(self, log: TextIO, hidden: tuple[str, ...] = ()) -> None:
        self.hidden = hidden
        self._log = log
        self._pieces: list[Printed | Output] = []

    @property
    def encoding(self) -> str:
        """What the log is written in."""
        return "utf-8"

    def fileno(self) -> int:
        """The log's descriptor."""
        return self._log.fileno()

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str) -> int:
        """Print to the log and to the page."""
        if not self._pieces or not isinstance(self._pieces[-1], Printed):
            self._pieces.append(Printed(self.hidden))
        self._pieces[-1].add(text)
        return self._log.write(text)

    def flush(self) -> None:
        """Flush the log."""
        self._log.flush()

    def show(self, output: Output) -> None:
        """Put a table, a plot or a text on the page; texts go to the log too."""
        self._pieces.append(output)
        if output["kind"] in ("text", "error"):
            self._log.write(output["data"] + "\n")

    def take(self) -> list[Output]:
        """What was shown since the last time."""
        taken = [each.output() if isinstance(each, Printed) else each for each in self._pieces]
        self._pieces = []
        return taken
