"""%sql cells."""

from __future__ import annotations

import pytest

from nextbest.runner.sql import parameters, statements

pytestmark = pytest.mark.unit


def test_statements_split_outside_of_quotes_and_comments():
    text = "SELECT ';' AS a, \"x;y\" -- not; here\n; /* nor; here */ SELECT `a;b`;\n ; "
    assert statements(text) == ["SELECT ';' AS a, \"x;y\"", "SELECT `a;b`"]
    assert statements("SELECT 'it''s; \\' fine'") == ["SELECT 'it''s; \\' fine'"]


def test_only_named_widgets_are_passed():
    text = "SELECT :day, ':no', a::date, x:path, `:neither`, :unknown"
    widgets = {"day": "1", "no": "2", "date": "3", "path": "4", "neither": "5", "other": "6"}
    assert parameters(text, widgets) == {"day": "1"}
