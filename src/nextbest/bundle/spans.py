"""Where the parts of a YAML text begin and end, as characters."""

from __future__ import annotations

import yaml


class Unclear(Exception):
    """A place in a file is not as an edit supposes; the message says why."""


def newline_of(text: str) -> str:
    """How the lines of a file end."""
    return "\r\n" if "\r\n" in text else "\n"


def line_at(text: str, index: int) -> tuple[int, int]:
    """Begin and end of the line around a character, without its line break."""
    end = text.find("\n", index)
    end = len(text) if end < 0 else end
    if text[end - 1 : end] == "\r" and end > index:
        end -= 1
    return text.rfind("\n", 0, index) + 1, end


def end_of(text: str, node: yaml.Node, key: yaml.Node | None) -> int:
    """Where the last character of a value stands: before comments and empty lines that follow.

    `key` is the value's key, if it has one: a null or an alias ends where the line of the key does.
    """
    start = node.start_mark.index
    if key is not None and (start < key.end_mark.index or start == node.end_mark.index):
        return line_at(text, key.end_mark.index)[1]
    if isinstance(node, yaml.ScalarNode):
        end = node.end_mark.index
        return len(text[:end].rstrip()) if node.style in ("|", ">") else end
    if node.flow_style or not node.value:
        return node.end_mark.index
    last = node.value[-1]
    below_key, below = last if isinstance(node, yaml.MappingNode) else (None, last)
    if below_key is None and below.start_mark.index < start:
        raise Unclear("it ends with an alias")
    return end_of(text, below, below_key)
