"""Merging: laws that hold for every configuration."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.bundle.graph import Location
from nextbest.bundle.merge import merge, merge_by_key
from nextbest.bundle.yaml_source import Node

pytestmark = pytest.mark.unit

SCALARS = st.none() | st.booleans() | st.integers() | st.text("abc", max_size=3)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=12,
)


def node(value: object, file: str = "a.yml") -> Node:
    place = Location(file, 1)
    if isinstance(value, dict):
        return Node({key: node(item, file) for key, item in value.items()}, place)
    if isinstance(value, list):
        return Node([node(item, file) for item in value], place)
    return Node(value, place)


def merged(first: object, second: object) -> tuple[object, int]:
    found: list = []
    return merge(node(first), node(second, "b.yml"), "", found).plain(), len(found)


@given(VALUES)
def test_null_is_the_identity_on_both_sides(value: object):
    assert merged(value, None) == (value, 0)
    assert merged(None, value) == (value, 0)


@given(VALUES)
def test_an_empty_mapping_or_sequence_changes_nothing(value: object):
    empty = {dict: {}, list: []}.get(type(value))
    if empty is not None:
        assert merged(value, empty) == (value, 0)
        assert merged(empty, value) == (value, 0)


@given(VALUES, VALUES, VALUES)
def test_associative_where_nothing_conflicts(a: object, b: object, c: object):
    left, conflicts = merged(a, b)
    left, more = merged(left, c)
    right, others = merged(b, c)
    right, last = merged(a, right)
    if not conflicts + more + others + last:
        assert left == right


@given(st.lists(VALUES, max_size=4), st.lists(VALUES, max_size=4))
def test_sequences_follow_each_other(a: list, b: list):
    assert merged(a, b) == (a + b, 0)


@given(VALUES, VALUES)
def test_kinds(a: object, b: object):
    value, conflicts = merged(a, b)
    if a is None or b is None:
        assert conflicts == 0
    elif type(a) is not type(b):
        assert (value, conflicts) == (a, 1)
    elif not isinstance(a, dict | list):
        assert (value, conflicts) == (b, 0)
    else:
        assert type(value) is type(a)


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers()),
    st.dictionaries(st.sampled_from("abcd"), st.integers()),
)
def test_keys_keep_their_first_place(a: dict, b: dict):
    value, _ = merged(a, b)
    assert list(value) == [*a, *(key for key in b if key not in a)]
    assert value == {**a, **b}


def test_places():
    found: list = []
    both = merge(node({"a": 1, "b": [1]}), node({"a": 2, "b": [2]}, "b.yml"), "", found)
    assert both.location.file == "a.yml"
    assert both.data["a"].location.file == "b.yml"
    assert [item.location.file for item in both.data["b"].data] == ["a.yml", "b.yml"]


def test_a_conflict_names_both_places():
    found: list = []
    merge(node({"x": {"a": 1}}), node({"x": {"a": [1]}}, "b.yml"), "", found)
    assert found[0].summary == "can't merge integer with sequence"
    assert found[0].path == "x.a"
    assert str(found[0].location) == "b.yml:1"
    assert "a.yml:1" in found[0].fix


def test_merge_by_key_merges_deeply_in_order_of_appearance():
    found: list = []
    tasks = [
        {"task_key": "b", "libraries": [1]},
        {"task_key": "a"},
        {"task_key": "b", "libraries": [2], "max_retries": 1},
    ]
    assert merge_by_key(node(tasks), "task_key", "tasks", found).plain() == [
        {"task_key": "b", "libraries": [1, 2], "max_retries": 1},
        {"task_key": "a"},
    ]
    assert not found
