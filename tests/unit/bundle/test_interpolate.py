"""Interpolation: laws, cycles, limits."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.bundle.graph import Location
from nextbest.bundle.interpolate import Missing, Path, interpolate
from nextbest.bundle.schema import as_text
from nextbest.bundle.yaml_source import Node

pytestmark = pytest.mark.unit

SCALARS = st.booleans() | st.integers(-99, 99) | st.text("ab {}$", max_size=4)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


def node(value: object) -> Node:
    place = Location("a.yml", 1)
    if isinstance(value, dict):
        return Node({key: node(item) for key, item in value.items()}, place)
    if isinstance(value, list):
        return Node([node(item) for item in value], place)
    return Node(value, place)


def lookup_in(values: dict[str, object]) -> Callable[[Path], Node | None]:
    def lookup(path: Path) -> Node | None:
        if path[0] != "var":
            return None
        below = node(values).at(*path[1:])
        if below is None:
            raise Missing(f"no {path}")
        return below

    return lookup


def resolved(value: object, values: dict[str, object]) -> tuple[object, list]:
    found: list = []
    return interpolate(node(value), lookup_in(values), "x", found).plain(), found


@given(VALUES)
def test_a_whole_reference_keeps_the_kind(value: object):
    assert resolved("${var.v}", {"v": value}) == (value, [])
    assert resolved({"a": ["${var.v}"]}, {"v": value}) == ({"a": [value]}, [])


@given(SCALARS, SCALARS, st.text("xyz", max_size=3))
def test_in_text_it_becomes_text(a: object, b: object, between: str):
    text = f"<${{var.a}}{between}${{var.b}}>"
    assert resolved(text, {"a": a, "b": b}) == (f"<{as_text(a)}{between}{as_text(b)}>", [])


@given(VALUES)
def test_what_holds_no_reference_stays(value: object):
    once, found = resolved(value, {})
    assert (once, found) == (value, [])


@given(st.dictionaries(st.sampled_from("pqrs"), VALUES, min_size=1))
def test_idempotent(values: dict):
    tree = {key: f"${{var.{key}}}" for key in values}
    once, _ = resolved(tree, values)
    assert resolved(once, values) == (once, [])


@given(st.permutations(range(6)), st.integers(0, 10**6))
def test_the_order_of_definition_does_not_matter(order: list[int], seed: int):
    choose = random.Random(seed)
    links = {0: "end"} | {i: f"{i}-${{var.v{choose.randrange(i)}}}" for i in range(1, 6)}
    values = {f"v{i}": links[i] for i in order}
    tree = {key: f"${{var.{key}}}" for key in values}
    straight, _ = resolved(tree, {f"v{i}": links[i] for i in range(6)})
    assert resolved(tree, values) == (straight, [])


def test_references_inside_of_what_was_referred_to():
    values = {"a": {"n": 1, "m": "${var.b.n}"}, "b": {"n": 2, "m": "${var.a.n}"}}
    assert resolved("${var.a}", values) == ({"n": 1, "m": 2}, [])
    assert resolved("${var.b}", values) == ({"n": 2, "m": 1}, [])


def test_unknown_namespaces_and_dynamic_references_stay():
    text = "${resources.jobs.a.id} {{job.id}} ${var.a}"
    assert resolved(text, {"a": 1}) == ("${resources.jobs.a.id} {{job.id}} 1", [])


def test_the_place_is_where_the_reference_stands():
    found: list = []
    values = {"a": {"b": 1}}
    here = Node("${var.a}", Location("here.yml", 7))
    value = interpolate(here, lookup_in(values), "x", found)
    assert str(value.location) == "here.yml:7"
    assert str(value.data["b"].location) == "a.yml:1"


@pytest.mark.parametrize(
    "values",
    [
        {"a": "${var.a}"},
        {"a": "${var.b}", "b": "${var.a}"},
        {"a": {"x": "${var.b}"}, "b": ["${var.a}"]},
    ],
)
def test_cycles_are_named_and_end(values: dict):
    _, found = resolved("${var.a}", values)
    assert [item.severity for item in found] == ["error"]
    assert "cycle: ${var.a} -> " in found[0].summary


def test_missing_is_reported_at_each_place():
    tree, found = resolved(["${var.x}", "-${var.x}-"], {})
    assert tree == ["${var.x}", "-${var.x}-"]
    assert [item.path for item in found] == ["x[0]", "x[1]"]


def test_long_chains_and_deep_values_are_refused():
    chain = {f"v{i}": f"${{var.v{i + 1}}}" for i in range(200)} | {"v200": "end"}
    assert "refer to each other" in resolved("${var.v0}", chain)[1][0].summary
    assert resolved("${var.v150}", chain) == ("end", [])
    deep = {f"v{i}": [[[[f"${{var.v{i + 1}}}"]]]] for i in range(60)} | {"v60": "end"}
    assert "nest deeper" in resolved("${var.v0}", deep)[1][0].summary


def test_growing_text_is_refused():
    values = {f"v{i}": f"${{var.v{i + 1}}}" * 9 for i in range(3)} | {"v3": "x" * 5000}
    assert "grows" in resolved("${var.v0}", values)[1][0].summary
