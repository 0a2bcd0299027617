"""Tasks in another order: whole blocks of lines, each with the comments that belong to it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import yaml

from nextbest.bundle.spans import Unclear, end_of, line_at

_EMPTY_LINES = re.compile(r"(?:[ \t]*\r?\n)*")


def in_order(text: str, tasks: yaml.Node, keys: Sequence[str]) -> str:
    """The text with the elements of the sequence `tasks` in the order of their task keys.

    Comments right above a task, and deeper ones below it, move with it; empty lines between tasks
    stay where they are. Raises Unclear when the tasks are not one block of lines.
    """
    if not isinstance(tasks, yaml.SequenceNode):
        raise Unclear("it is not written out as a list")
    elements = {_task_key(node): node for node in tasks.value}
    if sorted(elements) != sorted(keys) or len(elements) != len(tasks.value):
        raise Unclear("its tasks are not all written here")
    if not tasks.flow_style:
        return _blocks_in_order(text, tasks, keys)
    changed = text
    for there, key in reversed(list(zip(tasks.value, keys, strict=True))):
        moved = text[elements[key].start_mark.index : elements[key].end_mark.index]
        changed = changed[: there.start_mark.index] + moved + changed[there.end_mark.index :]
    return changed


def _task_key(task: yaml.Node) -> str:
    fields = task.value if isinstance(task, yaml.MappingNode) else []
    return next((value.value for key, value in fields if key.value == "task_key"), "")


def _blocks_in_order(text: str, tasks: yaml.Node, keys: Sequence[str]) -> str:
    starts = [line_at(text, node.start_mark.index)[0] for node in tasks.value]
    dashes = {
        text[start : node.start_mark.index] for start, node in zip(starts, tasks.value, strict=True)
    }
    if len(dashes) != 1 or not re.fullmatch(r" *- +", dash := dashes.pop()):
        raise Unclear("its tasks do not begin lines in the same way")
    begin = _above(text, starts[0], dash.index("-"))
    head, blocks, gaps = text[:begin], {}, []
    for node in tasks.value:
        end = _below(text, line_at(text, end_of(text, node, None))[1], dash.index("-"))
        blocks[_task_key(node)] = text[begin:end]
        gap = _EMPTY_LINES.match(text, end)
        gaps.append(gap[0] if gap else "")
        begin = end + len(gaps[-1])
    gaps[-1] = text[end:]
    return head + "".join(blocks[key] + gap for key, gap in zip(keys, gaps, strict=True))


def _above(text: str, start: int, column: int) -> int:
    """Where the comments begin that stand right above the line at `start`, in the same column."""
    while start:
        line = text.rfind("\n", 0, start - 1) + 1
        if not text.startswith(" " * column + "#", line):
            break
        start = line
    return start


def _below(text: str, end: int, column: int) -> int:
    """Where the comments end that follow the line up to `end`, further in than `column`."""
    while deeper := re.compile(rf"\r?\n {{{column + 1},}}#[^\r\n]*").match(text, end):
        end = deeper.end()
    return end
