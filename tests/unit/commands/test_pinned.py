"""Pins are held to pyproject.toml without a resolver, and as `packaging` compares versions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from nextbest.commands.pinned import _allows, check_pins

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
PROJECT = """
[project]
dependencies = ["Rich_Text[all]>=13.7,<15 ; python_version > '3'", "numpy>=2"]
[tool.nextbest]
runtime = ["numpy"]
"""
VERSIONS = st.lists(st.integers(0, 12), min_size=1, max_size=4).map(
    lambda parts: ".".join(map(str, parts))
)
SIGNS = st.sampled_from([">=", "<=", "==", "!=", ">", "<", "~="])


def test_this_project():
    assert check_pins(ROOT).found == []


@pytest.mark.parametrize(
    ("run", "everything", "summaries"),
    [
        ("rich-text==14.1\n", "numpy==2.1\nrich-text==14.1\n", []),
        (
            "rich-text==13.6 # old\n",
            "numpy==2.1\nrich-text==13.6\n",
            [
                f"{name} pins rich-text 13.6, but pyproject.toml asks for "
                "'Rich_Text[all]>=13.7,<15 ; python_version > '3''"
                for name in ("requirements-dev.txt", "requirements.txt")
            ],
        ),
        (
            "",
            "rich-text==14.1\n",
            [
                "requirements.txt has no pin of rich-text, which pyproject.toml asks for",
                "requirements-dev.txt has no pin of numpy, which pyproject.toml asks for",
            ],
        ),
        (
            "rich-text==14.2\nnumpy==2.1\n",
            "numpy==2.1\nrich-text==14.1\n",
            [
                "requirements.txt pins rich-text 14.2, but requirements-dev.txt 14.1",
                "requirements.txt pins numpy, which the ML runtime brings",
            ],
        ),
        (
            "rich-text==14.1rc1\n",  # `packaging` judges it
            "numpy==2.0.0 ; python_version < '3.12'\nnumpy==1.9 ; python_version >= '3.12'\n"
            "rich-text==14.1rc1\n",
            ["requirements-dev.txt pins numpy 1.9, but pyproject.toml asks for 'numpy>=2'"],
        ),
    ],
)
def test_pins(run: str, everything: str, summaries: list[str], write: Callable[..., Path]):
    root = write(
        **{"pyproject.toml": PROJECT, "requirements.txt": run, "requirements-dev.txt": everything}
    )
    found = check_pins(root).found
    assert sorted(item.summary for item in found) == sorted(summaries)
    assert all("sync_requirements" in item.fix and item.location for item in found)


def test_a_project_that_cannot_be_read_or_has_no_pins(write: Callable[..., Path]):
    root = write(**{"pyproject.toml": "[project\n", "requirements.txt": ""})
    assert check_pins(root).found == []
    write(**{"requirements-dev.txt": ""})
    (finding,) = check_pins(root).found
    assert finding.summary.startswith("pyproject.toml is not valid TOML")


@given(version=VERSIONS, clauses=st.lists(st.tuples(SIGNS, VERSIONS), max_size=3))
def test_as_packaging_compares(version: str, clauses: list[tuple[str, str]]):
    clauses = [(sign, bound) for sign, bound in clauses if sign != "~=" or "." in bound]
    specifier = ",".join(sign + bound for sign, bound in clauses)
    assert _allows(f"name {specifier}", version) == SpecifierSet(specifier).contains(version)
