"""What a notebook's exception becomes: a type, a message, a place and a readable traceback."""

from __future__ import annotations

import traceback
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType


class Caught:
    """Holds whatever ends the block: a notebook may raise anything, and all of it is reported."""

    def __init__(self) -> None:
        self.error: BaseException | None = None

    def __enter__(self) -> Caught:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> bool:
        self.error = error
        return True


@dataclass(frozen=True)
class Failure:
    """An exception as the record keeps it; `location` is file:line of the notebook."""

    type: str
    message: str
    location: str
    trace: str


def describe(error: BaseException, files: Collection[str], cell: str, root: Path) -> Failure:
    """Describe an exception: the deepest line in one of the notebooks' `files` is its place.

    `cell` is the place to name when no line of a notebook was reached.
    """
    at = error.__traceback__
    while at is not None and at.tb_frame.f_code.co_filename not in files:
        at = at.tb_next
    frames = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(at)
        if frame.f_code.co_filename in files
    ]
    place = f"{frames[-1][0]}:{frames[-1][1]}" if frames else cell
    if isinstance(error, SyntaxError) and error.filename in files:
        place = f"{error.filename}:{error.lineno}"
    kind = type(error).__name__
    message = str(error).strip()
    if isinstance(error, SystemExit):
        message = f"{error.code}; a notebook ends early with dbutils.notebook.exit(value)"
    trace = "".join(traceback.format_exception(type(error), error, at))
    return Failure(kind, message, relative(place, root), trace)


def relative(place: str, root: Path) -> str:
    """A place of a file below `root`, without it."""
    prefix = f"{root}/"
    return place.removeprefix(prefix)
