"""The table of ways to break a release, as it stands in docs/guides/release-gates.md.

Made anew by: PYTHONPATH=tests .venv/bin/python -m mutations.table
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .holdouts import HOLDOUTS
from .versions import VERSIONS

GUIDE = Path(__file__).parents[2] / "docs/guides/release-gates.md"
BEGIN, END = "<!-- made by mutations.table: from here -->\n", "<!-- to here -->"


@dataclass(frozen=True)
class Mutation:
    """One way to break a contest: (contest, rows learned from) → contest, and who refuses it."""

    name: str
    what: str
    gate: str
    change: Callable


MUTATIONS = tuple(Mutation(*each) for each in (*VERSIONS, *HOLDOUTS))


def markdown():
    """One row for each mutation: what is broken, and the gate that refuses it."""
    rows = [f"| {number} | {each.what} | {each.gate} |" for number, each in enumerate(MUTATIONS, 1)]
    return "\n".join(["| | what is broken | refused by gate |", "| --- | --- | --- |", *rows, ""])


if __name__ == "__main__":
    text = GUIDE.read_text()
    before, rest = text.split(BEGIN)
    GUIDE.write_text(before + BEGIN + markdown() + END + rest.split(END)[1])
