"""What the tests of the bundle reader share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nextbest.bundle.graph import Location
from nextbest.bundle.yaml_source import Node, read

USER = "Ana.Diaz@acme.com"


@pytest.fixture
def user() -> str:
    return USER


@pytest.fixture(scope="session")
def repository() -> Path:
    return Path(__file__).parents[3]


@pytest.fixture
def parse(tmp_path: Path) -> Callable[[str], Node]:
    """Read YAML text; fails the test when it can't be read."""

    def parse_text(text: str) -> Node:
        path = tmp_path / "text.yml"
        path.write_text(text, encoding="utf-8")
        found: list = []
        node = read(path, "text.yml", found)
        assert node is not None, found
        return node

    return parse_text


@pytest.fixture(scope="session")
def as_node() -> Callable[[object], Node]:
    """Plain values as nodes, all at one place."""
    place = Location("test.yml", 1)

    def convert(value: object) -> Node:
        if isinstance(value, dict):
            return Node({key: convert(item) for key, item in value.items()}, place)
        if isinstance(value, list):
            return Node([convert(item) for item in value], place)
        return Node(value, place)

    return convert
