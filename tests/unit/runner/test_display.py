"""What a notebook shows."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.runner import display
from nextbest.runner.screen import Screen

pytestmark = pytest.mark.unit


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 20_000)), max_size=20))
def test_printed_keeps_both_ends(pieces):
    printed = display.Printed()
    for letter, count in pieces:
        printed.add(letter * count)
    text = "".join(letter * count for letter, count in pieces)
    kept, limit = printed.output()["data"], display._TEXT
    if len(text) <= 2 * limit:
        assert kept == text
    else:
        note = f"\n[... {len(text) - 2 * limit} characters: see the log ...]\n"
        assert kept == text[:limit] + note + text[-limit:]


def test_frames_become_tables_of_limited_length():
    shown = display.shown(pd.DataFrame({"n": range(5000), "t": "a<b"}))
    assert shown["kind"] == "html"
    assert shown["data"].count("<tr") <= display.ROWS + 3
    assert "a&lt;b" in shown["data"]
    wide = display.shown(pd.DataFrame({f"c{n}": ["x" * 45] * 5000 for n in range(50)}))
    assert len(wide["data"]) < display._BIG


def test_a_spark_frame_is_read_by_display_only():
    class Frame:
        rows = None

        def limit(self, rows):
            self.rows = rows
            return self

        def toPandas(self):
            return pd.DataFrame({"n": [self.rows]})

    assert f"<td>{display.ROWS}</td>" in display.shown(Frame())["data"]
    assert display.echoed(Frame())["kind"] == "text"


def test_screen_keeps_the_order_and_logs_texts():
    log = io.StringIO()
    screen = Screen(log)
    screen.write("one ")
    screen.write("two")
    screen.show({"kind": "html", "data": "<b>"})
    screen.show({"kind": "text", "data": "value"})
    screen.write("three")
    kinds = [(each["kind"], each["data"]) for each in screen.take()]
    assert kinds == [("text", "one two"), ("html", "<b>"), ("text", "value"), ("text", "three")]
    assert screen.take() == []
    assert log.getvalue() == "one twovalue\nthree"
