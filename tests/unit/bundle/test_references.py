"""The syntax of references."""

from __future__ import annotations

import time

import pytest

from nextbest.bundle.references import is_reference, is_unresolved, references

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("${var.x}", ("var", "x")),
        ("${var.a-b_c.d2}", ("var", "a-b_c", "d2")),
        ("${var.a--_b}", ("var", "a--_b")),
        ("${var.list[0][12].name}", ("var", "list", 0, 12, "name")),
        ("${a[0]}", ("a", 0)),
        ("${var.año.変数}", ("var", "año", "変数")),
    ],
)
def test_one_reference(text: str, path: tuple):
    assert [item.path for item in references(text)] == [path]
    assert is_reference(text)
    assert not is_reference(text + " ")
    assert is_unresolved(f"a {text}")


@pytest.mark.parametrize(
    "text",
    [
        "${var.}", "${.x}", "${var.x_}", "${var.-x}", "${var.1x}", "${1.x}", "${var x}", "$var.x",
        "${var.x", "{var.x}", "${}", "${var.x[a]}", "${a[0].b}", "${var.e\u0301x}", "${var.🙂}",
        "${var.\u2167x}", "${var.\uff19x}", "{{job.id}}",
    ],
)  # fmt: skip
def test_no_reference(text: str):
    assert references(text) == ()
    assert not is_unresolved(text)


def test_several():
    found = references("${a.b}-${c.d}${a.b}")
    assert [item.name for item in found] == ["a.b", "c.d", "a.b"]
    assert not is_reference("${a.b}${c.d}")


def test_matching_takes_linear_time():
    start = time.process_time()
    assert references("${" + "a" * 50_000 + "!}") == ()
    assert references("${" + "a-" * 20_000 + "!}") == ()
    assert time.process_time() - start < 1
