"""The page of a verdict: what it draws, and that whatever is told is escaped."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser

import pytest

from nextbest.evaluation.release.calibrating import Bin
from nextbest.evaluation.release.page_plots import Row, calibration, forest, ticks

pytestmark = pytest.mark.unit


class Balanced(HTMLParser):
    """Remembers which tags are open."""

    def __init__(self):
        super().__init__()
        self.open, self.wrong = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("line", "circle", "meta"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def whole(markup):
    parser = Balanced()
    parser.feed(markup)
    return not parser.open and not parser.wrong


def test_a_forest_has_a_row_for_each_interval_and_marks_the_limit():
    rows = [Row("a<b", 0.1, -0.2, 0.4, "bad", limit=0.0), Row("c", 1.0, 0.5, 1.5, "good")]
    drawn = forest(rows, "lift", zero=True)
    assert whole(drawn)
    assert drawn.count("<circle") == 2
    assert drawn.count('class="limit"') == 1
    assert "a&lt;b" in drawn
    assert "+0.1" in drawn
    assert 'class="zero"' in drawn


def test_what_is_not_finite_is_not_drawn():
    assert forest([Row("a", math.nan, 0.0, 1.0)], "x") == ""
    assert forest([Row("a", 0.5, -math.inf, 1.0)], "x") == ""
    assert forest([], "x") == ""


def test_one_point_can_be_drawn():
    assert whole(forest([Row("a", 0.0, 0.0, 0.0)], "x"))
    assert whole(forest([Row("a", 5.0, 5.0, 5.0)], "x"))


def test_a_calibration_curve_stays_in_its_square():
    bins = [Bin(0.001, 0.0, 0.0, 0.002, 500), Bin(0.2, 0.3, 0.25, 0.35, 500)]
    drawn = calibration("response", bins)
    assert whole(drawn)
    assert drawn.count("<circle") == 2
    places = [float(each) for each in re.findall(r'c[xy]="([-\d.]+)"', drawn)]
    assert all(0 <= place <= 380 for place in places)


@pytest.mark.parametrize(("low", "high"), [(-0.3, 1.2), (0.8, 0.91), (0.0, 1e-3), (-5e4, 2e5)])
def test_ticks_are_round_and_within(low, high):
    found = ticks(low, high)
    assert 2 <= len(found) <= 8
    assert all(low <= tick <= high for tick in found)
    assert found == sorted(found)
