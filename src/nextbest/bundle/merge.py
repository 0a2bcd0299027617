"""Merge two configurations: mappings deeply, sequences one after the other, scalars overwritten."""

from __future__ import annotations

from nextbest.bundle.diagnostics import error
from nextbest.bundle.graph import Diagnostic
from nextbest.bundle.yaml_source import Node


def merge(first: Node, second: Node, path: str, found: list[Diagnostic]) -> Node:
    """`first` overlaid with `second`, the order of keys as first seen.

    Null gives way to anything. Values of different kinds can't be merged: that is reported at
    both places, and the first one is kept.
    """
    if first.data is None or second.data is None:
        return second if first.data is None else first
    if type(first.data) is not type(second.data):
        summary = f"can't merge {first.kind()} with {second.kind()}"
        fix = f"it is a {first.kind()} at {first.location}: write the same kind in both places"
        found.append(error(summary, second.location, path, fix))
        return first
    if isinstance(first.data, dict):
        merged = dict(first.data)
        for key, value in second.data.items():
            below = f"{path}.{key}" if path else key
            merged[key] = merge(merged[key], value, below, found) if key in merged else value
        return first.holding(merged)
    if isinstance(first.data, list):
        return first.holding(first.data + second.data)
    return second


def merge_by_key(node: Node, key: str, path: str, found: list[Diagnostic]) -> Node:
    """A sequence of mappings where those with the same `key` are merged, in order of appearance."""
    merged: dict[str, Node] = {}
    for index, item in enumerate(node.items()):
        name = item.text(key)
        below = f"{path}[{index}]"
        merged[name] = merge(merged[name], item, below, found) if name in merged else item
    return node.holding(list(merged.values()))
