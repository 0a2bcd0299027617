"""An edit changes what it names, and not one other character."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nextbest.bundle.edits import applied
from nextbest.bundle.graph import Edit, Location
from nextbest.bundle.spans import Unclear

pytestmark = pytest.mark.unit


def _at(text: str, marked: str, number: int = 0) -> Location:
    """Where the `number`-th `marked` stands."""
    index = -1
    for _ in range(number + 1):
        index = text.index(marked, index + 1)
    before = text[:index]
    return Location("a.yml", before.count("\n") + 1, index - before.rfind("\n"))


@pytest.fixture
def edited() -> Callable[..., str]:
    """A text after an edit at a word of it."""

    def edit(text: str, marked: str, kind: str, old: str, new: str, *after: str) -> str:
        return applied(text, Edit(kind, _at(text, marked), old, new, after))

    return edit


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("nmae: a # nmae\n", "name: a # nmae\n"),
        ("'nmae':   nmae", "'name':   nmae"),
        ('{"nmae": 1, b: [nmae]}', '{"name": 1, b: [nmae]}'),
        ("b: 1\r\nnmae:\r\n- x\r\n", "b: 1\r\nname:\r\n- x\r\n"),
        ("é: ☃\nnmae: 1\n", "é: ☃\nname: 1\n"),
    ],
)
def test_key(text: str, changed: str, edited: Callable[..., str]):
    marked = next(each for each in ("'nmae'", '"nmae"', "nmae") if each in text)
    assert edited(text, marked, "key", "nmae", "name") == changed


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("zone:  UTCC # UTCC\n", "zone:  UTC # UTCC\n"),
        ("zone: 'UTCC'\n", "zone: 'UTC'\n"),
        ("zone: >-\n  UTCC\n\n# end\n", "zone: >-\n  UTC\n\n# end\n"),
        ("zone: ${UTCC}-UTCC.x UTCCC\n", None),
    ],
)
def test_value(text: str, changed: str | None, edited: Callable[..., str]):
    if changed is None:  # whole words only, each of them
        changed = "zone: ${UTC}-UTCC.x UTCCC\n"
    assert edited(text, "zone", "value", "UTCC", "UTC") == changed


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("s:\n  a: 1 # one\n  b: 2\nt: 3\n", "s:\n  a: 1 # one\n  n: 0\n  b: 2\nt: 3\n"),
        ("s:\n  c: 1\n  # of s\nt: 3", "s:\n  c: 1\n  n: 0\n  # of s\nt: 3"),
        ("s: {b: 1, a: 2}", "s: {b: 1, a: 2, n: 0}"),
        ("s: {}\n", "s: {n: 0}\n"),
        ("s:  # nothing yet\nt: 1\n", "s:  # nothing yet\n  n: 0\nt: 1\n"),
        ("s:\r\n  a:\r\n  b: 2\r\n", "s:\r\n  a:\r\n  n: 0\r\n  b: 2\r\n"),
        ("s:\n  a: |\n    text\n\n  b: 2\n", "s:\n  a: |\n    text\n  n: 0\n\n  b: 2\n"),
        ("s:\n  a:\n  - x # last\n", "s:\n  a:\n  - x # last\n  n: 0\n"),
        ("x: &x {q: 1}\ns:\n  a: *x\n", "x: &x {q: 1}\ns:\n  a: *x\n  n: 0\n"),
    ],
)
def test_entry(text: str, changed: str, edited: Callable[..., str]):
    assert edited(text, "s:", "entry", "n", "0", "z", "a") == changed


def test_entry_of_several_lines(edited: Callable[..., str]):
    text = "job:\n    name: a\n    tasks: []\n"
    changed = edited(text, "job", "entry", "parameters", "  - name: x\n    default: y\n", "name")
    assert changed == (
        "job:\n    name: a\n    parameters:\n      - name: x\n        default: y\n    tasks: []\n"
    )


@pytest.mark.parametrize(
    ("text", "below", "above"),
    [
        (
            "p:\n- { name: a, default: '1' } # one\n",
            "p:\n- { name: a, default: '1' } # one\n- { name: n, default: '${v}' }\n",
            "p:\n- { name: n, default: '${v}' }\n- { name: a, default: '1' } # one\n",
        ),
        (
            "p:\n  - name: a\n    default: x\n\nq: 1\n",
            "p:\n  - name: a\n    default: x\n  - name: n\n    default: ${v}\n\nq: 1\n",
            "p:\n  - name: n\n    default: ${v}\n  - name: a\n    default: x\n\nq: 1\n",
        ),
        (
            "p: [{name: a, default: x}]\n",
            'p: [{name: a, default: x}, {name: n, default: "${v}"}]\n',
            'p: [{name: n, default: "${v}"}, {name: a, default: x}]\n',
        ),
    ],
)
def test_parameter(text: str, below: str, above: str):
    at = _at(text, "{" if "{" in text else "name")
    assert applied(text, Edit("below", at, "n", "${v}")) == below
    assert applied(text, Edit("above", at, "n", "${v}")) == above


TASKS = """\
tasks:
  # the last one

  # needs b
  - task_key: a
    depends_on: [{task_key: b}]
    # max_retries: 3

  # first
  - task_key: b # second
    notebook_task:
      notebook_path: |
        x

  - task_key: c
# end
"""
SORTED = """\
tasks:
  # the last one

  # first
  - task_key: b # second
    notebook_task:
      notebook_path: |
        x

  # needs b
  - task_key: a
    depends_on: [{task_key: b}]
    # max_retries: 3

  - task_key: c
# end
"""


def test_tasks_move_with_their_comments(edited: Callable[..., str]):
    assert edited(TASKS, "tasks", "order", "", "", "b", "a", "c") == SORTED
    windows = TASKS.replace("\n", "\r\n")
    assert edited(windows, "tasks", "order", "", "", "b", "a", "c") == SORTED.replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("tasks:\n- task_key: a\n- task_key: b", "tasks:\n- task_key: b\n- task_key: a"),
        (
            "tasks: [{task_key: a}, {x: 1, task_key: b}] # two",
            "tasks: [{x: 1, task_key: b}, {task_key: a}] # two",
        ),
    ],
)
def test_tasks_in_other_forms(text: str, changed: str, edited: Callable[..., str]):
    assert edited(text, "tasks", "order", "", "", "b", "a") == changed


@pytest.mark.parametrize(
    ("text", "marked", "kind", "old", "new", "after", "reason"),
    [
        ("nmae: 1\nname: 2", "nmae", "key", "nmae", "name", (), "'name' is there already"),
        ("z: ${var.z}", "z", "value", "UTCC", "UTC", (), "another place"),
        ("a: &a UTCC\nz: *a", "z", "value", "UTCC", "UTC", (), "at an anchor"),
        ("s: ${var.s}", "s", "entry", "n", "0", (), "not written out as a mapping"),
        ("s: {n: 1}", "s", "entry", "n", "0", (), "'n' is there already"),
        ("s: {m: 1}", "s", "entry", "n", "  - 1\n", (), "in braces"),
        ("tasks: ${var.t}", "tasks", "order", "", "", ("a",), "as a list"),
        ("tasks: [{task_key: a}]", "tasks", "order", "", "", ("a", "b"), "not all written here"),
        ("p:\n- {name: a}", "{", "below", "n", "v", (), "other fields"),
        ("p: []", "q", "below", "n", "v", (), "another place"),
    ],
)
def test_unclear(
    text: str, marked: str, kind: str, old: str, new: str, after: tuple, reason: str
):  # fmt: skip
    at = _at(text, marked) if marked in text else Location("a.yml", 99)
    with pytest.raises(Unclear, match=reason):
        applied(text, Edit(kind, at, old, new, after))
