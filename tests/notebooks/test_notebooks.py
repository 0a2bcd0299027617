"""The numbered notebooks stay what the house plan says: thin."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))


def test_there_are_eight_in_order():
    assert [path.name[:2] for path in NOTEBOOKS] == [f"0{number}" for number in range(1, 9)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_at_most_thirty_lines_of_code_and_says_what_it_does(path):
    lines = path.read_text().splitlines()
    assert lines[0] == "# Databricks notebook source"
    assert lines[1] == "# MAGIC %md"
    code = [line for line in lines if line.strip() and not line.startswith("#")]
    assert 0 < len(code) <= 30


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_knocks_on_two_doors_only(path):
    imports = [
        line for line in path.read_text().splitlines() if line.startswith(("from", "import"))
    ]
    assert imports == [
        "from nextbest import lifecycle",
        "from nextbest.settings import Settings",
    ]


def modules():
    return sorted((ROOT / "src").rglob("*.py"))


def test_no_module_is_over_300_lines_and_the_median_is_at_most_120():
    lengths = sorted((len(path.read_text().splitlines()), path.name) for path in modules())
    assert lengths[-1][0] <= 300, lengths[-1]
    assert lengths[len(lengths) // 2][0] <= 120


def test_no_module_has_a_name_that_says_nothing():
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager"}
    assert not [path for path in modules() if path.stem in vague]
