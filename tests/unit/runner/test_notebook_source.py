"""Notebooks as cells."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.errors import UsageError
from nextbest.runner.notebook_source import FIRST_LINE, parse

pytestmark = pytest.mark.unit


def notebook(folder, body, name="n.py"):
    path = folder / name
    path.write_text(f"{FIRST_LINE}\n{body}")
    return path


def test_cells_keep_their_lines(tmp_path):
    path = notebook(
        tmp_path,
        "# MAGIC %md\n# MAGIC # T\n# MAGIC\n# MAGIC text\n\n# COMMAND ----------\n\n"
        "# DBTITLE 1,Named\n\nx = 1\n\n# COMMAND ----------\n# MAGIC %sql SELECT 1\n"
        "# COMMAND ----------\n# MAGIC %pip install a\n# MAGIC %pip install b\nimport a\n",
    )
    seen = [(c.language, c.source, c.line, c.title) for c in parse(path)]
    assert seen == [
        ("md", "# T\n\ntext", 3, ""),
        ("python", "x = 1", 11, "Named"),
        ("sql", "SELECT 1", 14, ""),
        ("pip", "install a", 16, ""),
        ("pip", "install b", 17, ""),
        ("python", "import a", 18, ""),
    ]


@given(st.lists(st.lists(st.sampled_from(["x = 1", "", "  y()", "# note"]), max_size=4)))
def test_python_cells_point_at_their_own_lines(tmp_path_factory, cells):
    body = "\n# COMMAND ----------\n".join("\n".join(cell) for cell in cells)
    path = notebook(tmp_path_factory.mktemp("n"), body)
    lines = path.read_text().splitlines()
    for cell in parse(path):
        for offset, line in enumerate(cell.source.splitlines()):
            assert lines[cell.line - 1 + offset].rstrip() == line.rstrip()


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("# MAGIC %scala\n# MAGIC x", "n.py:3: %scala can't run locally"),
        ("# MAGIC %run ./a\n# MAGIC %run ./b", "n.py:2: %run stands alone"),
        ("# MAGIC %run", "n.py:2: %run stands alone"),
    ],
)
def test_what_cannot_run_is_named(tmp_path, body, complaint):
    with pytest.raises(UsageError, match="n.py") as refused:
        parse(notebook(tmp_path, body))
    assert complaint in str(refused.value)


def test_first_line_makes_the_notebook(tmp_path):
    (tmp_path / "plain.py").write_text("print(1)\n")
    with pytest.raises(UsageError, match="plain.py:1: the first line"):
        parse(tmp_path / "plain.py")


def test_jupyter(tmp_path):
    cells = [("markdown", "# T"), ("code", "%md\ntext"), ("code", "!ls\nx = 1"), ("code", "\n")]
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": k, "source": [s]} for k, s in cells]}))
    seen = [(c.language, c.source, c.file.rpartition("#")[2], c.line) for c in parse(path)]
    assert seen == [
        ("md", "# T", "cell1", 1),
        ("md", "text", "cell2", 2),
        ("sh", "ls", "cell3", 1),
        ("python", "x = 1", "cell3", 2),
    ]
    path.write_text("{")
    with pytest.raises(UsageError, match="is no .ipynb file"):
        parse(path)
