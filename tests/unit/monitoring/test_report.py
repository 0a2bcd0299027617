"""The day's page stands alone, says the verdict first and takes no markup from the data."""

from __future__ import annotations

import datetime as dt
import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from metric_tables import THRESHOLD, metric_tables, report_of

from nextbest.monitoring.report import Response, Seen, page
from nextbest.monitoring.verdict import judge_drift

pytestmark = pytest.mark.unit
EVIL = "<script>alert('x')</script>"


class Reading(HTMLParser):
    """Tags with their attributes, and text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_verdict_first_then_what_is_done_then_columns_worst_first():
    told = [Response("version 4 is being trained", address="run.html"), Response(EVIL)]
    text = report_of(metric_tables(9, 12, 3), responses=told, links={"All days": "index.html"})
    read = Reading(text)
    assert read.open == []  # every element is closed
    places = [text.index(part) for part in (
        "Drift: 1 of 9 columns moved", "What is being done", "version 4", 'id="c-feature_000"',
        'id="c-feature_001"',
    )]  # fmt: skip
    assert places == sorted(places)
    opened = [at for tag, at in read.tags if tag == "details" and "col" in at.get("class", "")]
    assert [at["id"] for at in opened][0] == "c-feature_000"
    assert [("over" in at["class"]) for at in opened] == [True] + [False] * 8
    assert '<a href="run.html">version 4' in text
    assert EVIL not in text


def test_each_column_has_its_drift_over_days_and_its_distributions():
    read = Reading(report_of(metric_tables(6, 12)))
    labels = [at["aria-label"] for tag, at in read.tags if tag == "svg"]
    assert all(labels)
    for at in range(6):
        mine = [label for label in labels if f"feature_{at:03d}" in label]
        assert len([label for label in mine if "over 12 days" in label]) == 2
        assert len([label for label in mine if label.startswith("distribution")]) == 1
    classes = [at.get("class") for tag, at in read.tags if tag == "path"]
    assert classes.count("now") == classes.count("base") == classes.count("prev") == 4  # numbers
    bars = [at.get("class") for tag, at in read.tags if tag == "rect"]
    assert bars.count("f-now") == bars.count("f-base") == bars.count("f-prev") == 2 * 6


def test_slices_and_metrics_of_model_and_decisions():
    text = report_of(metric_tables(6, 12, 4))
    assert text.count("<summary>region = r") == 4
    assert "accuracy score" in text
    assert "f1 score, macro" in text
    assert text.count('class="band"') == 1  # of value with value_low and value_high
    assert "value low over" not in text


def test_what_comes_from_data_is_escaped_and_nothing_is_loaded():
    tables = metric_tables(3, 4, 1)
    for frame in (tables.drift, tables.profile, tables.baseline):
        frame["column_name"] = frame["column_name"].replace("feature_002", EVIL)
    tables.columns[2] = EVIL
    tables.drift["slice_value"] = tables.drift["slice_value"].replace("r0", EVIL)
    tables.profile["frequent_items"] = [[{"item": EVIL, "count": 4}]] * len(tables.profile)
    given = pd.DataFrame({"decision_id": [EVIL], "action_id": [EVIL]})
    text = report_of(tables, decisions=given, links={EVIL: f'"{EVIL}'})
    read = Reading(text)
    assert [tag for tag, _ in read.tags].count("script") == 1
    assert "alert" not in text[text.index("<script>") : text.index("</script>")]
    assert not [at for tag, at in read.tags if "src" in at or tag in ("link", "img", "iframe")]
    assert not re.search(r"@import|url\(|https?:", text)
    assert not [name for _, at in read.tags for name in at if name.startswith("on")]


def test_the_command_that_explains_a_decision():
    given = pd.DataFrame({"decision_id": ["d-1"], "action_id": ["offer"], "expected_value": [1.25]})
    text = report_of(metric_tables(3, 2), decisions=given, explained_by="dbb explain {} --local")
    assert "<code>dbb explain d-1 --local</code>" in text


def test_a_column_that_is_not_computable_comes_first_and_is_told():
    tables = metric_tables(4, 3)
    none = ["population_stability_index", "js_distance"]
    tables.drift.loc[tables.drift["column_name"] == "feature_003", none] = None
    text = report_of(tables)
    assert text.index('id="c-feature_003"') < text.index('id="c-feature_000"')
    assert "not computable, so not passed: feature_003" in text


def test_an_empty_day_has_a_page_too():
    nothing = pd.DataFrame()
    verdict = judge_drift(nothing, ["spend"], THRESHOLD)
    text = page(dt.date(2026, 3, 5), verdict, Seen(*[nothing] * 3), threshold=THRESHOLD)
    assert "no rows" in text
    assert "not computable" in text
    assert Reading(text).open == []
