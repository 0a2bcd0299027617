"""Which widgets a notebook reads: found in its source, nothing is imported or run."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

HEADER = "# Databricks notebook source"
_DECLARE = ("text", "dropdown", "combobox", "multiselect")


class Notebook:
    """What a notebook asks of its parameters.

    `required` maps a widget that must be given to the line that reads it; `known` holds every
    widget it reads or declares. `open_ended` when not all names can be told from the source.
    `problem` is why it can't be read, as (line, reason).
    """

    def __init__(self) -> None:
        self.required: dict[str, int] = {}
        self.known: set[str] = set()
        self.open_ended = False
        self.header = True
        self.problem: tuple[int, str] | None = None


def read_notebook(path: Path, root: Path) -> Notebook:
    """Read one notebook (.py or .ipynb) of the bundle at `root`, with those it `%run`s."""
    notebook = Notebook()
    filled: set[str] = set()
    _read(path, root, notebook, filled, set())
    for name in filled:
        notebook.required.pop(name, None)
    return notebook


def _read(path: Path, root: Path, notebook: Notebook, filled: set[str], seen: set[Path]) -> None:
    seen.add(path)
    try:
        text = path.read_text(encoding="utf-8")
        code = _code_of_cells(text) if path.suffix == ".ipynb" else text
        tree = ast.parse(code)
    except SyntaxError as problem:
        notebook.problem = (problem.lineno or 1, f"not valid Python: {problem.msg}")
        return
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        notebook.problem = (1, f"can't be read: {problem}")
        return
    if path.suffix == ".py" and len(seen) == 1:
        notebook.header = text.startswith(HEADER)
    _Reader(tree, root, notebook, filled).read()
    for name in _run_names(text if path.suffix == ".py" else "\n".join(_run_lines(text))):
        base = path.parent / name
        files = [f for f in (base, base.with_name(base.name + ".py")) if f.is_file()]
        if not files:
            notebook.open_ended = True
        elif (inner := files[0].resolve()) not in seen:
            _read(inner, root, notebook, filled, seen)


def _run_names(text: str) -> list[str]:
    if "%run" not in text:  # nearly always
        return []
    pattern = r"^(?:# MAGIC )?%run\s+[\"']?([^\s\"']+)"
    return re.findall(pattern, text, re.MULTILINE)


def _cells(text: str) -> list[str]:
    import json  # only for .ipynb: keeps the start quick

    cells = json.loads(text)["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def _run_lines(text: str) -> list[str]:
    return [line for cell in _cells(text) for line in cell.splitlines() if line.startswith("%run")]


def _code_of_cells(text: str) -> str:
    """The Python cells of an .ipynb; cells of another language and magics become comments."""
    lines = []
    for cell in _cells(text):
        other = re.match(r"\s*%(?!run|pip|python)\w", cell) is not None
        for line in cell.splitlines():
            magic = other or line.lstrip().startswith(("%", "!"))
            lines.append(f"# {line}" if magic else line)
    return "\n".join(lines)


class _Reader:
    def __init__(self, tree: ast.Module, root: Path, notebook: Notebook, filled: set[str]) -> None:
        self.nodes = list(ast.walk(tree))
        self.root, self.notebook, self.filled = root, notebook, filled
        self.imports = {
            alias.asname or alias.name: (node.module, alias.name)
            for node in self.nodes
            if isinstance(node, ast.ImportFrom) and node.module and not node.level
            for alias in node.names
        }
        self.understood: set[int] = set()  # ids of nodes whose meaning is known

    def read(self) -> None:
        for node in self.nodes:
            if isinstance(node, ast.Call):
                self._call(node)
            elif isinstance(node, ast.Attribute) and _is_name(node.value, "dbutils"):
                self.understood.add(id(node.value))
        for node in self.nodes:
            if (_is_widgets(node) or _is_name(node, "dbutils")) and id(node) not in self.understood:
                self.notebook.open_ended = True

    def _call(self, call: ast.Call) -> None:
        function = call.func
        if _is_name(function, "getArgument"):
            self._widget("getArgument", call)
        elif isinstance(function, ast.Attribute) and _is_widgets(function.value):
            self.understood.add(id(function.value))
            self._widget(function.attr, call)
        elif isinstance(function, ast.Attribute) and function.attr == "from_widgets":
            owner, given = function.value, call.args[:1]
            if isinstance(owner, ast.Name) and given and _is_widgets(given[0]):
                fields = self._fields_of(owner.id)
                if fields is not None:
                    self.understood.add(id(given[0]))
                    self.notebook.known |= set(fields)
                    for name, has_default in fields.items():
                        if not has_default:
                            self.notebook.required.setdefault(name, call.lineno)

    def _widget(self, method: str, call: ast.Call) -> None:
        if method in ("remove", "removeAll"):
            return
        arguments = dict(zip(("name", "default"), call.args, strict=False))
        for keyword in call.keywords:
            place = {"name": "name", "defaultValue": "default", "optionalDefault": "default"}
            arguments[place.get(keyword.arg or "", "")] = keyword.value
        name = arguments.get("name")
        if not isinstance(name, ast.Constant) or not isinstance(name.value, str):
            self.notebook.open_ended = True
            return
        self.notebook.known.add(name.value)
        default = arguments.get("default")
        empty = default is None or (isinstance(default, ast.Constant) and not default.value)
        if not empty:
            self.filled.add(name.value)
        if method not in _DECLARE:
            self.notebook.required.setdefault(name.value, call.lineno)

    def _fields_of(self, name: str) -> dict[str, bool] | None:
        """Annotated fields of an imported class: name to whether it has a default."""
        if name not in self.imports:
            return None
        module, original = self.imports[name]
        for base in (self.root / "src", self.root):
            place = base.joinpath(*module.split("."))
            for file in (place.with_suffix(".py"), place / "__init__.py"):
                if file.is_file():
                    return _class_fields(file, original, file.stat().st_mtime_ns)
        return None


@lru_cache(maxsize=64)
def _class_fields(file: Path, name: str, _changed: int) -> dict[str, bool] | None:
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError):
        return None
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return {
                item.target.id: item.value is not None
                for item in node.body
                if isinstance(item, ast.AnnAssign)
                and isinstance(item.target, ast.Name)
                and "ClassVar" not in ast.unparse(item.annotation)
            }
    return None


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_widgets(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "widgets"
        and _is_name(node.value, "dbutils")
    )
