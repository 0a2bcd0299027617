"""The index tells each day's verdict from the tables alone, and draws columns over days."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from metric_tables import THRESHOLD, index_of, metric_tables

from nextbest.monitoring.history import by_day
from nextbest.monitoring.index_page import STEPS, UNKNOWN, index_page
from nextbest.monitoring.verdict import JS, PSI, judge_drift

pytestmark = pytest.mark.unit


def rows_of(text):
    body = text[text.rindex("<tbody>") :]
    return [re.sub(r"<[^>]+>", " ", row) for row in body.split("<tr>")[1:]]


def test_one_row_per_day_newest_first_with_the_verdict_of_that_day():
    tables = metric_tables(6, 30, 2)
    rows = rows_of(index_of(tables))
    assert [re.search(r"\d{4}-\d\d-\d\d", row)[0] for row in rows] == tables.days[::-1]
    for day, row in zip(tables.days[::-1], rows, strict=True):
        verdict = judge_drift(tables.drift[tables.drift["day"] == day], tables.columns, THRESHOLD)
        assert ("no drift" not in row) == verdict.drifted, day


def test_the_same_tables_give_the_same_page():
    assert index_of(metric_tables(6, 8)) == index_of(metric_tables(6, 8))


def test_days_link_to_their_pages_only_where_there_is_one():
    tables = metric_tables(3, 3)
    text = index_of(tables, pages={tables.days[0]: "first.html"})
    assert f'<a href="first.html">{tables.days[0]}</a>' in text
    assert "first.html#c-feature_" in text
    assert f"{tables.days[1]}.html" not in text


def test_a_column_without_a_value_has_not_passed():
    tables = metric_tables(3, 3)
    gone = (tables.drift["column_name"] == "feature_001") & (tables.drift["day"] == tables.days[1])
    tables = type(tables)(
        tables.drift[~gone], tables.profile, tables.baseline, tables.columns, tables.days
    )
    rows = rows_of(index_of(tables))
    assert ["(1 not computable)" in row for row in rows] == [False, True, False]
    assert "no drift" not in rows[1]


def test_the_heat_map_has_a_cell_for_each_column_and_day():
    tables = metric_tables(5, 7)
    text = index_of(tables)
    past = by_day(tables.drift, tables.days, THRESHOLD).to_numpy()
    for colour in (*"12345", UNKNOWN):
        paths = re.findall(rf'<path d="([^"]*)" stroke="var\(--h{colour}\)"', text)
        cells = sum(int(length) for path in paths for length in re.findall(r"h(\d+)", path))
        if colour == UNKNOWN:
            assert cells == np.isnan(past).sum()
        else:
            classes = np.searchsorted(STEPS, past, side="right") + 1
            assert cells == (classes == int(colour)).sum()


def test_no_day_is_a_page_too():
    nothing = pd.DataFrame()
    text = index_page(nothing, nothing, ["spend"], threshold=THRESHOLD, pages={})
    assert "no day has been monitored yet" in text


VALUES = st.none() | st.floats(0, 1)
CHANCES = st.none() | st.sampled_from([0.0, 1e-9, 1e-4, 1e-3]) | st.floats(0, 1)
NULLS = st.none() | st.sampled_from([-1.0, 0.0, 0.99, 1.0]) | st.floats(-100, 100)
LACKING = ["percent_null_delta", "ks_test", "chi_squared_test", JS, PSI]


def chance_of(pvalue):
    return None if pvalue is None else {"statistic": 1.0, "pvalue": pvalue}


@given(
    st.lists(st.tuples(st.sampled_from([PSI, JS]), VALUES, CHANCES, NULLS, st.integers(1, 2)),
             min_size=1, max_size=8),
    st.sets(st.sampled_from(LACKING)),
)  # fmt: skip
@example([(PSI, 0.5, 0.02, None, 1)], {JS, "percent_null_delta"})
@example([(PSI, 0.5, 0.02, -1.0, 1), (JS, 0.5, 0.02, -1.0, 1)], set())
@example([(PSI, 0.5, 0.02, 0.0, 2), (JS, None, None, None, 1)], set())
def test_severity_is_past_one_exactly_where_the_verdict_drifts(found, lacking):
    """Of one model version, or of two of which the other one is calm; whatever the table lacks."""
    rows = pd.DataFrame(
        [
            {
                "day": "d", "column_name": f"c{at}", "drift_type": "BASELINE", "slice_key": None,
                "model_version": str(version), "percent_null_delta": nulls,
                PSI: value if kind == PSI else None, JS: value if kind == JS else None,
                "ks_test": chance_of(chance) if kind == PSI else None,
                "chi_squared_test": chance_of(chance) if kind == JS else None,
            } | ({kind: 0.0} if version == 2 else {})
            for at, (kind, value, chance, nulls, versions) in enumerate(found)
            for version in range(1, versions + 1)
        ]
    )  # fmt: skip
    rows = rows.drop(columns=list(lacking))
    columns = list(rows["column_name"].unique())
    past = by_day(rows, ["d"], THRESHOLD)["d"]
    named = {each.column for each in judge_drift(rows, columns, THRESHOLD).findings}
    assert {name for name in columns if not past[name] < 1} == named


def test_of_two_versions_the_one_that_drifted_counts_not_the_larger_distance_of_chance():
    rows = pd.DataFrame(
        {
            "day": "d", "column_name": "c", "drift_type": "BASELINE", "slice_key": None,
            PSI: [0.9, 0.5], "ks_test": [chance_of(0.5), chance_of(1e-9)],
        }
    )  # fmt: skip
    assert judge_drift(rows, ["c"], THRESHOLD).findings[0].value == 0.5
    assert by_day(rows, ["d"], THRESHOLD).loc["c", "d"] == pytest.approx(0.5 / THRESHOLD)
