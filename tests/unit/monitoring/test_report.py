"""The page stands alone, says the verdict first and takes no markup from the data."""

from __future__ import annotations

import datetime as dt
from html.parser import HTMLParser

import pandas as pd
import pytest

from nextbest.monitoring.report import page
from nextbest.monitoring.verdict import judge_drift

pytestmark = pytest.mark.unit
EVIL = "<script>alert('x')</script>"


def _profile(mean):
    def row(name, **more):
        empty = dict.fromkeys(("slice_key", "avg", "quantiles", "frequent_items", "percent_null"))
        return {**empty, "column_name": name, "model_version": "*", "count": 10, **more}

    return pd.DataFrame(
        [
            row("spend", avg=mean, quantiles=[mean + i for i in range(101)], percent_null=1.0),
            row("action_id", frequent_items=[{"item": EVIL, "count": 4}]),
            row(":table"),
        ]
    )


def test_the_page_is_self_contained_and_escaped():
    drift = pd.DataFrame(
        {
            "column_name": ["spend", "action_id"],
            "drift_type": "BASELINE",
            "slice_key": None,
            "population_stability_index": [0.5, None],
            "js_distance": [None, 0.01],
        }
    )
    verdict = judge_drift(drift, ["spend", "action_id", EVIL], 0.2)
    text = page(dt.date(2026, 3, 5), verdict, drift, _profile(2.0), _profile(1.0))
    tags = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: tags.append((tag, dict(attributes)))
    parser.feed(text)
    assert "script" not in {tag for tag, _ in tags}
    assert not [at for _, at in tags if {"src", "href"} & at.keys()]
    assert "http" not in text
    assert "2026-03-05: Drift: 1 of 3" in text.split("</head>")[0]
    assert text.index("not computable") < text.index(">spend<") < text.index(">action_id<")
    assert "2 / 1" in text
    assert "40.0%" in text
    assert "prefers-color-scheme:dark" in text


def test_an_empty_day_has_a_page_too():
    nothing = pd.DataFrame()
    verdict = judge_drift(nothing, ["spend"], 0.2)
    assert "no rows were profiled" in page(dt.date(2026, 3, 5), verdict, *[nothing] * 3)
