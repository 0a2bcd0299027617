"""The dashboard of the bundle: its queries run, its widgets show what these give."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from pathlib import Path

import pytest
import yaml
from metric_rows import ALERTS, RESPONSES, drift, profile

from nextbest.monitoring.decision_metrics import COLUMNS as COLUMNS_OF_OUTCOMES
from nextbest.monitoring.decision_metrics import SCHEMA as OUTCOMES
from nextbest.monitoring.schemas import drift_schema, profile_schema
from nextbest.monitoring.verdict import judge_drift
from nextbest.platforms.releases import COLUMNS, DONE, INTENDED, KINDS, PROMOTE, Step

ROOT = Path(__file__).parents[2]
BOARD = json.loads((ROOT / "dashboards/monitoring.lvdash.json").read_text(encoding="utf-8"))
DATASETS = {each["name"]: each for each in BOARD["datasets"]}
WIDGETS = [box["widget"] for page in BOARD["pages"] for box in page["layout"]]
SHOWING = [widget for widget in WIDGETS if "queries" in widget]
WIDE = 6  # columns of a page
THRESHOLD = 0.2
DAYS = (dt.datetime(2026, 3, 1), dt.datetime(2026, 3, 2))
BEFORE = [dt.datetime(2026, 2, day) for day in (26, 27, 28)]


def sql_of(name):
    return "".join(DATASETS[name]["queryLines"])


def fields_of(widget):
    """Names that the widget's queries give, with the dataset and the columns that each reads."""
    found = {}
    for query in widget["queries"]:
        for field in query["query"]["fields"]:
            read = re.findall(r"`([^`]+)`", field["expression"])
            found[field["name"]] = (query["query"]["datasetName"], read)
    return found


def encoded(part):
    """Every fieldName below a widget's encodings."""
    if isinstance(part, dict):
        own = [part["fieldName"]] if "fieldName" in part else []
        return own + [name for each in part.values() for name in encoded(each)]
    return [name for each in part for name in encoded(each)] if isinstance(part, list) else []


@pytest.mark.unit
def test_widgets_are_named_once_and_do_not_overlap():
    names = [widget["name"] for widget in WIDGETS]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[\w-]{1,60}", name) for name in names)
    for page in BOARD["pages"]:
        cells = [
            (x, y)
            for box in page["layout"]
            for at in [box["position"]]
            for x in range(at["x"], at["x"] + at["width"])
            for y in range(at["y"], at["y"] + at["height"])
        ]
        assert len(cells) == len(set(cells)), page["name"]
        assert max(x for x, _ in cells) < WIDE


@pytest.mark.unit
def test_what_is_drawn_is_asked_for():
    for widget in SHOWING:
        asked = fields_of(widget)
        drawn = encoded(widget["spec"]["encodings"])
        assert drawn, widget["name"]
        assert set(drawn) <= asked.keys(), widget["name"]
        assert {name for name, _ in asked.values()} <= DATASETS.keys()
    used = {name for widget in SHOWING for name, _ in fields_of(widget).values()}
    assert used == DATASETS.keys()


@pytest.mark.unit
def test_no_query_names_a_catalog_or_schema_and_the_threshold_is_the_bundles():
    for name, dataset in DATASETS.items():
        tables = re.findall(r"(?:FROM|JOIN)\s+([\w.`]+)", sql_of(name))
        assert tables, name
        assert not [table for table in tables if "." in table or "`" in table], name
        asked = set(re.findall(r":(\w+)", re.sub(r"'[^']*'", "", sql_of(name))))
        given = {each["keyword"]: each for each in dataset.get("parameters", ())}
        assert asked == given.keys(), name
        for each in given.values():
            (value,) = each["defaultSelection"]["values"]["values"]
            bundle = yaml.safe_load((ROOT / "databricks.yml").read_text(encoding="utf-8"))
            assert value["value"] == bundle["variables"]["drift_threshold"]["default"]


DRIFT = [
    drift(DAYS[0], "spend", psi=0.1), drift(DAYS[0], "channel", js=0.3, pvalue=0.5),
    drift(DAYS[0], ":table"), drift(DAYS[0], "spend", psi=9.0, model="3"),
    drift(DAYS[1], "spend", psi=0.5), drift(DAYS[1], "channel", js=0.3, pvalue=1e-9),
    drift(DAYS[1], "age"), drift(DAYS[1], "spend", psi=0.9, sliced=("region", "north")),
    drift(BEFORE[0], "spend", psi=0.5, pvalue=0.02), drift(BEFORE[0], "age", psi=0.1, pvalue=1e-9),
    drift(BEFORE[1], "spend", psi=0.5, pvalue=0.02, nulls=-1.0),  # of nulls KS knows nothing
    drift(BEFORE[1], "age", psi=0.5, pvalue=0.02, nulls=0.9),
    drift(BEFORE[2], "spend", psi=0.5, pvalue=1e-9, nulls=0.0), drift(BEFORE[2], "age", psi=0.0),
]  # fmt: skip
PROFILE = [
    profile(DAYS[1], "spend", avg=2.0, percent_null=1.0, distinct_count=7),
    profile(DAYS[0], "spend", "BASELINE", avg=1.0, percent_null=0.5),
    profile(DAYS[1], ":table", count=40), profile(DAYS[1], ":table", model="3", count=40),
]  # fmt: skip


LEDGER = ", ".join(f"{name} {KINDS.get(name, 'string')}" for name in COLUMNS)


def came(day, matured, **given):
    """A row of decision_metrics."""
    row = {"model": "m", "model_version": "*", "day": dt.date(2026, 3, day), "matured": matured}
    return tuple((row | given).get(name) for name in COLUMNS_OF_OUTCOMES)


def step(state):
    """A row of the ledger: version 3 becomes champion in the place of 2."""
    return Step("m", 1, state, "p1", DAYS[1], "me", PROMOTE, "3", "champion",
                previous_version="2", reason="it won", evidence="{}")  # fmt: skip


@pytest.fixture(scope="module")
def rows(spark):
    """The rows that each dataset gives over tables with the documented columns."""
    day = dt.date(2026, 3, 2)
    tables = {
        "recommendations_drift_metrics": (DRIFT, drift_schema("model_version")),
        "recommendations_profile_metrics": (PROFILE, profile_schema("model_version")),
        "promotions": ([dataclasses.astuple(step(state)) for state in (INTENDED, DONE)], LEDGER),
        "responses": ([("m", day, "3", True, "retrain", "drift", "Drift: 3 of 3", "retrain",
                        50.0, "[]", "/page", None)], RESPONSES),
        "decision_metrics": ([came(1, 9, lift=0.5), came(2, 0)], OUTCOMES),
        "alerts": ([("a1", "m", day, "3", "drift", "spend", "high", 0.5, 0.2, "t", "new", "a1",
                     True),
                    ("a2", "m", day, "3", "drift", "age", "high", 0.5, 0.2, "t", "new", "a2",
                     False)], ALERTS),
    }  # fmt: skip
    for name, (given, schema) in tables.items():
        spark.createDataFrame(given, schema).createOrReplaceTempView(name)
    found = {}
    for name, dataset in DATASETS.items():
        given = {"threshold": THRESHOLD} if dataset.get("parameters") else {}
        found[name] = spark.sql(sql_of(name), args=given).toPandas()
    yield found
    for name in tables:
        spark.catalog.dropTempView(name)


@pytest.mark.integration
def test_each_field_of_a_widget_is_a_column_of_its_dataset(rows):
    for widget in SHOWING:
        for name, (dataset, read) in fields_of(widget).items():
            if not name.endswith("_associativity"):  # what a filter counts by
                assert read, name
                assert set(read) <= set(rows[dataset].columns), (widget["name"], name)
        for query in widget["queries"]:
            assert len(rows[query["query"]["datasetName"]]), widget["name"]


@pytest.mark.integration
def test_days_have_the_verdict_of_our_own_code(rows, spark):
    days = rows["days"].set_index("day")
    everything = spark.createDataFrame(DRIFT, drift_schema("model_version")).toPandas()
    everyone = everything[everything["model_version"] == "*"]
    watched = {DAYS[0]: ["spend", "channel"], DAYS[1]: ["spend", "channel", "age"]}
    for day, columns in (watched | dict.fromkeys(BEFORE, ["spend", "age"])).items():
        mine = everyone[[window["start"] == day for window in everyone["window"]]]
        verdict = judge_drift(mine, columns, THRESHOLD)
        told = days.loc[day.date()]
        assert (told["verdict"] == "drift") == verdict.drifted
        assert told["past_threshold"] + told["not_computable"] == len(verdict.findings)
        assert told["columns"] == len(columns)
    assert [days.loc[day.date(), "past_threshold"] for day in BEFORE] == [0, 1, 1]


@pytest.mark.integration
def test_the_last_day_by_column_and_by_slice(rows):
    columns = rows["columns_of_last_day"].set_index("column_name")
    assert list(columns.index) == ["age", "spend", "channel"]  # not computable comes first
    assert columns.loc["spend", ["mean_now", "mean_baseline", "severity"]].tolist() == [2, 1, 2.5]
    (sliced,) = rows["slices_of_last_day"].to_dict("records")
    assert (sliced["slice_value"], sliced["severity"]) == ("north", 4.5)
    assert len(rows["columns_by_day"]) == 11
    assert rows["decisions"][["model_version", "decisions"]].values.tolist() == [["3", 40]]
    assert rows["alerts"]["subject"].tolist() == ["spend"]


@pytest.mark.integration
def test_a_release_is_listed_once_when_it_is_done(rows):
    assert list(rows["promotions"]["version"]) == ["3"]


def test_days_without_outcomes_are_not_shown(rows):
    assert rows["outcomes"][["day", "lift"]].values.tolist() == [[dt.date(2026, 3, 1), 0.5]]
