"""Executes the cells of a notebook in one namespace, as the notebook's kernel would."""

from __future__ import annotations

import ast
import linecache
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from nextbest.errors import UsageError
from nextbest.runner import display, shell
from nextbest.runner.dbutils import DbUtils, Emit, NotebookExit, RestartPython
from nextbest.runner.notebook_source import Cell, parse
from nextbest.runner.screen import Screen
from nextbest.runner.sql import parameters, statements
from nextbest.runner.widgets import Widgets

_SPARK = re.compile(r"\bspark\b")


class Interpreter:
    """One notebook's namespace: `spark` (when its source asks for it), `dbutils`, `display`."""

    def __init__(
        self,
        notebook: Path,
        lakehouse: Path,
        widgets: Widgets,
        known: Mapping[str, Mapping[str, Any]] | None,
        emit: Emit,
        screen: Screen,
        open_spark: Callable[[], Any],
    ) -> None:
        self.files: set[str] = set()
        self._folders = [notebook.parent]  # of the notebook and of those it includes
        self._lakehouse = lakehouse
        self._emit = emit
        self._screen = screen
        self._open_spark = open_spark
        self._known = known
        self.widgets = widgets
        module = ModuleType("__main__")  # pickled functions look their module up by this name
        sys.modules["__main__"] = module
        self._names = module.__dict__
        self._names.update(
            dbutils=DbUtils(lakehouse, widgets, known, emit, self._run_apart),
            display=lambda value: screen.show(display.shown(value, screen.hidden)),
            displayHTML=lambda text: screen.show(display.markup(text)),
        )

    def execute(self, cell: Cell) -> None:
        """Run one cell; whatever it raises goes to the caller."""
        self.files.add(cell.file)
        if "spark" not in self._names and _asks_for_spark(cell):
            self._names["spark"] = self._open_spark()
        if cell.language == "python":
            self._python(cell)
        elif cell.language == "sql":
            self._sql(cell)
        elif cell.language == "run":
            self._include(cell)
        elif cell.language == "pip":
            shell.pip(cell.source)
        elif cell.language == "sh":
            shell.sh(cell.source)
        for figure in display.open_figures():
            self._screen.show(figure)

    def _python(self, cell: Cell) -> None:
        linecache.cache.setdefault(cell.file, _lines(cell))
        tree = ast.parse("\n" * (cell.line - 1) + cell.source, cell.file)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, cell.file, "exec", dont_inherit=True), self._names)
        if last is not None:
            value = eval(
                compile(ast.Expression(last.value), cell.file, "eval", dont_inherit=True),
                self._names,
            )
            if value is not None:
                self._screen.show(display.echoed(value, self._screen.hidden))

    def _sql(self, cell: Cell) -> None:
        spark, values = self._names["spark"], self.widgets.getAll()
        frames = [
            spark.sql(statement, args=parameters(statement, values))
            for statement in statements(cell.source)
        ]
        for last in frames[-1:]:
            self._names["_sqldf"] = last
            self._screen.show(display.shown(last, self._screen.hidden))

    def _include(self, cell: Cell) -> None:
        path = self._find(cell.source.strip().strip("\"'"), f"{cell.file}:{cell.line}")
        if str(path) in self.files:
            raise UsageError(f"{cell.file}:{cell.line}: %run {path.name} would include itself")
        self._folders.append(path.parent)
        for each in parse(path):
            self.execute(each)
        self._folders.pop()
        self.files.discard(str(path))  # it may be included once more, one after the other

    def _find(self, name: str, place: str) -> Path:
        path = self._folders[-1] / name
        found = [p for p in (path, Path(f"{path}.py"), Path(f"{path}.ipynb")) if p.is_file()]
        if not found:
            raise UsageError(f"{place}: there is no notebook {path} (.py, .ipynb)")
        return found[0].resolve()

    def _run_apart(self, name: str, timeout: int, arguments: Mapping[str, str]) -> str:
        """`dbutils.notebook.run`: a namespace and widgets of its own, the same engine."""
        path = self._find(name, "dbutils.notebook.run")
        caller, main, folder = self, sys.modules["__main__"], os.getcwd()
        inner = Interpreter(
            path,
            self._lakehouse,
            Widgets({key: str(value) for key, value in arguments.items()}, {}),
            None,
            self._emit,
            self._screen,
            lambda: caller._names.setdefault("spark", caller._open_spark()),
        )
        if "spark" in self._names:
            inner._names["spark"] = self._names["spark"]
        try:
            os.chdir(path.parent)
            with _limit(timeout, name):
                for cell in parse(path):
                    inner.execute(cell)
        except NotebookExit as ended:
            return ended.value
        except RestartPython:
            raise UsageError(f"{name}: restartPython() can't be run by notebook.run") from None
        finally:
            self.files |= inner.files
            sys.modules["__main__"] = main
            os.chdir(folder)
        return ""


def _asks_for_spark(cell: Cell) -> bool:
    return cell.language == "sql" or (
        cell.language == "python" and _SPARK.search(cell.source) is not None
    )


def _lines(cell: Cell) -> tuple[int, None, list[str], str]:
    """What tracebacks show of a cell: the file's own lines, or the cell's (.ipynb)."""
    path = Path(cell.file)
    text = path.read_text(encoding="utf-8") if path.is_file() else cell.source
    return len(text), None, text.splitlines(keepends=True), cell.file


@contextmanager
def _limit(seconds: int, name: str) -> Any:
    """Raise TimeoutError in the block when it lasts longer; 0 is no limit."""

    if not seconds:
        yield
        return
    if threading.current_thread() is not threading.main_thread():
        raise UsageError(f"notebook.run({name}) has a timeout: that needs the main thread, here")

    def expire(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"notebook {name} took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def pending(cells: Sequence[Cell], first: int) -> Sequence[tuple[int, Cell]]:
    """The cells from `first` on, with their numbers."""
    return list(enumerate(cells))[first:]
