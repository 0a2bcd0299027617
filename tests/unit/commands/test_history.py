"""The timeline and the page of a ledger, and that nothing in them is taken for markup."""

from __future__ import annotations

import dataclasses
import datetime as dt
from xml.etree import ElementTree

import pytest

from nextbest.commands.history import changes, what
from nextbest.commands.history_page import page, picture
from nextbest.platforms.releases import ABANDONED, DONE, INTENDED, Step

pytestmark = pytest.mark.unit

START = dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC)
SVG = "{http://www.w3.org/2000/svg}"


def change(sequence, version, action="promote", state=DONE, alias="champion", reason="fine"):
    intent = Step(
        "a.b.c", sequence, INTENDED, f"p{sequence}", START + dt.timedelta(days=sequence), "ada",
        action, version, alias, reason=reason,
    )  # fmt: skip
    return [intent] if state == INTENDED else [intent, dataclasses.replace(intent, state=state)]


STEPS = [
    *change(1, "1"), *change(2, "2", reason="<script>alert(1)</script>"),
    *change(3, "1", "roll back"), *change(4, "3", state=ABANDONED),
    *change(5, "3", alias="staging"), *change(6, "3", state=INTENDED),
]  # fmt: skip


def test_a_change_is_one_row_as_it_ended():
    assert [what(each) for each in changes(STEPS)] == [
        "promote", "promote", "roll back", "promote, given up", "promote", "promote, not ended",
    ]  # fmt: skip


def test_the_picture_has_a_bar_for_each_reign_and_a_cross_for_what_never_came():
    root = ElementTree.fromstring(picture(STEPS))
    bars = [each.text for each in root.iter(f"{SVG}text") if each.get("class") == "on"]
    assert bars == ["v1", "v2", "v1", "v3"]
    assert len(list(root.iter(f"{SVG}rect"))) == 4
    assert len([each for each in root.iter(f"{SVG}path") if each.get("class") == "no"]) == 2
    assert "↩" in picture(STEPS)


def test_bars_follow_each_other_without_a_gap():
    root = ElementTree.fromstring(picture(STEPS[:6]))
    bars = [(float(r.get("x")), float(r.get("width"))) for r in root.iter(f"{SVG}rect")]
    for (left, width), (after, _) in zip(bars, bars[1:], strict=False):
        assert left + width == pytest.approx(after - 1, abs=0.2)


def test_the_page_holds_every_change_and_no_markup_from_outside():
    text = page("a.b.<c>", STEPS)
    assert text.count("<tr>") == 1 + 6
    assert "<script>" not in text
    assert "a.b.&lt;c&gt;" in text
    assert "Nothing was promoted" in page("a.b.c", [])


def test_an_empty_ledger_and_a_single_moment_can_be_drawn():
    ElementTree.fromstring(picture([]))
    ElementTree.fromstring(picture(change(1, "1")))
