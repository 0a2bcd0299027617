"""Widgets found in the source of notebooks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from nextbest.bundle.notebooks import HEADER, read_notebook

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("code", "required", "known"),
    [
        ('dbutils.widgets.get("a")', {"a"}, {"a"}),
        ('getArgument("a")', {"a"}, {"a"}),
        ('dbutils.widgets.getArgument("a", "1")', set(), {"a"}),
        ('dbutils.widgets.text("a", "1")', set(), {"a"}),
        ('dbutils.widgets.text("a", "")\ndbutils.widgets.get("a")', {"a"}, {"a"}),
        ('dbutils.widgets.get("a")\ndbutils.widgets.text("a", "1", "label")', set(), {"a"}),
        ('dbutils.widgets.dropdown(name="a", defaultValue="x", choices=["x"])', set(), {"a"}),
        ('dbutils.widgets.text("a", default())\ndbutils.widgets.get("a")', set(), {"a"}),
        ('def f():\n    return {"k": [dbutils.widgets.get("a")]}', {"a"}, {"a"}),
        ('dbutils.widgets.removeAll()\ndbutils.jobs.taskValues.set("a", 1)', set(), set()),
        ('# dbutils.widgets.get("a")\n"dbutils.widgets.get(b)"', set(), set()),
    ],
)
def test_widgets(code: str, required: set, known: set, write: Callable[..., Path]):
    root = write(**{"a.py": f"{HEADER}\n{code}\n"})
    notebook = read_notebook(root / "a.py", root)
    assert (set(notebook.required), notebook.known) == (required, known)
    assert not notebook.open_ended
    assert notebook.header


@pytest.mark.parametrize(
    "code",
    [
        "dbutils.widgets.get(name)", "dbutils.widgets.getAll()", "widgets = dbutils.widgets",
        "main(dbutils)", "Unknown.from_widgets(dbutils.widgets)", 'dbutils.widgets.get(f"{a}")',
    ],
)  # fmt: skip
def test_what_can_not_be_told_is_open_ended(code: str, write: Callable[..., Path]):
    root = write(**{"a.py": f"{HEADER}\n{code}\n"})
    assert read_notebook(root / "a.py", root).open_ended


def test_a_class_that_reads_its_fields(write: Callable[..., Path]):
    root = write(
        **{
            "a.py": f"{HEADER}\nfrom house.settings import Settings as S\n"
            "x = S.from_widgets(dbutils.widgets)\n",
            "src/house/settings.py": "class Settings:\n    a: str\n    b: int = 1\n    c = 2\n"
            "    d: ClassVar[int]\n",
        }
    )
    notebook = read_notebook(root / "a.py", root)
    assert (notebook.required, notebook.known) == ({"a": 3}, {"a", "b"})
    assert not notebook.open_ended


def test_run_brings_the_other_notebook_in(write: Callable[..., Path]):
    root = write(
        **{
            "a.py": f"{HEADER}\n# MAGIC %run ./below/b\n",
            "below/b.py": f'{HEADER}\n# MAGIC %run ../a\ndbutils.widgets.get("b")\n',
            "c.py": f"{HEADER}\n# MAGIC %run ./missing\n",
        }
    )
    assert set(read_notebook(root / "a.py", root).required) == {"b"}
    assert read_notebook(root / "c.py", root).open_ended


def test_ipynb(write: Callable[..., Path]):
    cells = [
        {"cell_type": "markdown", "source": ["dbutils.widgets.get('no')"]},
        {"cell_type": "code", "source": ["%pip install x\n", "dbutils.widgets.get('yes')"]},
        {"cell_type": "code", "source": ["%sql\n", "select ( 1"]},
        {"cell_type": "code", "source": "!ls\ngetArgument('too')"},
    ]
    root = write(**{"a.ipynb": json.dumps({"cells": cells})})
    notebook = read_notebook(root / "a.ipynb", root)
    assert set(notebook.required) == {"yes", "too"}
    assert notebook.problem is None


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.py", "x = ("), ("a.ipynb", "{"), ("a.ipynb", "[]"), ("a.ipynb", '{"cells": [1]}')],
)
def test_unreadable(name: str, text: str, write: Callable[..., Path]):
    root = write(**{name: text})
    assert read_notebook(root / name, root).problem is not None


def test_header(write: Callable[..., Path]):
    root = write(**{"a.py": "print()\n"})
    assert not read_notebook(root / "a.py", root).header
