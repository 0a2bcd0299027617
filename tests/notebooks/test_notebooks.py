"""The numbered notebooks: thin, alike, and clear about what a person who opens one must give."""

from __future__ import annotations

import dataclasses
import re
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from nextbest.bundle import load
from nextbest.runner.notebook_source import parse
from nextbest.runner.process import ForkServer
from nextbest.runner.start import run_job
from nextbest.settings import Settings

ROOT = Path(__file__).parents[2]
RUN = (
    'dbutils.widgets.text("run", "none")  # by hand there is none\n',
    ', dbutils.widgets.get("run")',
)
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))


@pytest.mark.unit
def test_there_are_twelve_in_order():
    assert [path.name[:2] for path in NOTEBOOKS] == [f"{number:02}" for number in range(1, 13)]


@pytest.mark.unit
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_at_most_thirty_lines_of_code_and_says_what_it_does(path):
    lines = path.read_text().splitlines()
    assert lines[0] == "# Databricks notebook source"
    head = parse(path)[0]
    assert head.language == "md"
    assert all(f"- **{word}** " in head.source for word in ("Reads", "Writes", "Needs"))
    code = [line for line in lines if line.strip() and not line.startswith("#")]
    assert 0 < len(code) <= 30


@pytest.mark.unit
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_knocks_on_three_doors_only(path):
    imports = [
        line for line in path.read_text().splitlines() if line.startswith(("from", "import"))
    ]
    assert imports == [
        "import os",
        "import sys",
        "from nextbest import by_hand",
        "from nextbest.settings import Settings",
        "from nextbest import lifecycle",
    ]


@pytest.mark.unit
def test_notebooks_differ_in_their_head_and_in_what_they_call_only():
    called = re.compile(r"lifecycle\.(\w+)\(")
    cells = [[cell.source for cell in parse(path)[1:]] for path in NOTEBOOKS]
    for part in RUN:  # 07 alone is told which run it is, for the links of its page
        assert sum(part in "".join(each) for each in cells) == 1
        cells = [[cell.replace(part, "") for cell in each] for each in cells]
    calls = [called.findall("".join(each)) for each in cells]
    assert len({call for [call] in calls}) == len(NOTEBOOKS)
    assert len({called.sub("lifecycle.it(", "\0".join(each)) for each in cells}) == 1


@pytest.fixture(scope="module")
def opened_by_hand(tmp_path_factory):
    """Every notebook of a job that passes no parameter at all: a record, its folder."""
    root = tmp_path_factory.mktemp("by_hand") / "bundle"
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    shutil.copy(ROOT / "requirements.txt", root)
    tasks = "".join(
        f"        - task_key: {path.stem}\n"
        f"          notebook_task: {{notebook_path: notebooks/{path.name}}}\n"
        for path in NOTEBOOKS
    )
    (root / "databricks.yml").write_text(
        "bundle: {name: by_hand}\ntargets: {dev: {default: true}}\n"
        f"resources:\n  jobs:\n    all:\n      name: all\n      tasks:\n{tasks}"
    )
    lakehouse = root.parent / "lakehouse"
    with closing(ForkServer(["nextbest.runner.child"])) as server:
        record = run_job(
            load(root, None, {}, "tester"), "all",
            lakehouse=lakehouse, parameters={}, progress=False, server=server,
        )  # fmt: skip
    return record, lakehouse


@pytest.mark.integration
@pytest.mark.parametrize("name", [path.stem for path in NOTEBOOKS])
def test_with_no_parameters_it_says_which_are_missing_and_how_to_give_them(opened_by_hand, name):
    record, lakehouse = opened_by_hand
    task = record.task(name)
    assert (task.state, task.error.type) == ("FAILED", "SettingsError")
    for field in dataclasses.fields(Settings):
        assert re.search(rf"\b{field.name} \(", task.error.message), field.name
    assert "A job passes all of them" in task.error.message
    assert "a target in the widget 'target'" in task.error.message
    page = (lakehouse / "runs" / record.run_id / task.attempts[0].page).read_text()
    assert f"<h1>{name[:2]}" in page  # the head is rendered
    assert '<pre class="trace">' in page
    assert "not run" in page  # what comes after


@pytest.mark.integration
def test_with_no_parameters_nothing_is_written(opened_by_hand):
    _, lakehouse = opened_by_hand
    assert [path.name for path in lakehouse.iterdir()] == ["runs"]


def modules():
    return sorted((ROOT / "src").rglob("*.py"))


@pytest.mark.unit
def test_no_module_is_over_300_lines_and_the_median_is_at_most_120():
    lengths = sorted((len(path.read_text().splitlines()), path.name) for path in modules())
    assert lengths[-1][0] <= 300, lengths[-1]
    assert lengths[len(lengths) // 2][0] <= 120


@pytest.mark.unit
def test_no_module_has_a_name_that_says_nothing():
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager"}
    assert not [path for path in modules() if path.stem in vague]
