"""YAML as Databricks reads it, with places."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from nextbest.bundle.yaml_source import Node, walk

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("-7", -7), ("010", 10), ("0x1F", 31), ("0o17", 15), ("0b11", 3), ("1_000", 1000),
        ("1.5", 1.5), (".5", 0.5), ("1e3", 1000.0), (".inf", math.inf), ("-.inf", -math.inf),
        ("true", True), ("False", False), ("yes", "yes"), ("on", "on"),
        ("2026-01-31", "2026-01-31"), ("1:30", "1:30"), ("'1'", "1"),
        ('"true"', "true"), ("~", None), ("null", None), ("", None),
        ("1.2.3", "1.2.3"), ("!!str 5", "5"), ("0x", "0x"), ("+", "+"), ("9" * 400, math.inf),
    ],
)  # fmt: skip
def test_scalars(text: str, value: object, parse: Callable[[str], Node]):
    read = parse(f"a: {text}\n").plain()["a"]
    assert read == value
    assert type(read) is type(value)


def test_places(parse: Callable[[str], Node]):
    node = parse("a:\n  b: 1\n  c:\n    - x\n    - y: 2\nd: &z\n  e: 1\nf: *z\n")
    assert {path: value.location.line for path, value in walk(node)} == {
        "a.b": 2, "a.c[0]": 4, "a.c[1].y": 5, "d.e": 7, "f.e": 7,
    }  # fmt: skip
    assert node.at("a").location.line == 1
    assert node.at("f").location.line == 8


def test_merge_keys(parse: Callable[[str], Node]):
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2}\nc:\n  z: 3\n  <<: [*a, *b]\n  x: 4\n"
    assert parse(text).plain()["c"] == {"x": 4, "y": 2, "z": 3}


def test_literal_text_of_what_is_no_string(parse: Callable[[str], Node]):
    node = parse("a: 007\nb: '007'\nc: ~\n")
    assert [item.literal for item in node.data.values()] == ["007", "", "~"]


def test_json_is_yaml(parse: Callable[[str], Node]):
    assert parse('{"a": [1, {"b": "\\u00e1"}]}').plain() == {"a": [1, {"b": "á"}]}


def test_at_stops_where_nothing_is(parse: Callable[[str], Node]):
    node = parse("a: {b: [1, ~]}\n")
    assert node.at("a", "b", 0).data == 1
    assert node.at("a", "b", 1) is None
    assert node.at("a", "b", 5) is None
    assert node.at("a", "x", "y") is None
    assert node.entries("a", "b") == {}
    assert node.items("a") == []
    assert node.text("a") == ""
