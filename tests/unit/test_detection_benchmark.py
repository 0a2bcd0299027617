"""What benchmarks/detection.py is made of: streams that change as told, limits that are held."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from nextbest.lifecycle import assessing
from nextbest.settings import windows_of

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
SEED, ROWS, TURN = 7, 20_000, 3


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("detection"):
            del sys.modules[name]


def streams():
    return importlib.import_module("detection_streams")


def day(kind, number):
    return streams().Synthetic(SEED, ROWS, kind, TURN).day(number)


@pytest.mark.parametrize("kind", ["mean", "variance", "shape", "category", "missingness", "label"])
def test_a_day_is_the_same_each_time_and_changes_from_its_turn_on(kind):
    pd.testing.assert_frame_equal(day(kind, TURN), day(kind, TURN))
    pd.testing.assert_frame_equal(day(kind, TURN - 1), day(None, TURN - 1))
    assert not day(kind, TURN).equals(day(None, TURN))


def test_each_kind_changes_what_it_says():
    calm = day(None, TURN)
    assert day("mean", TURN)["x0"].mean() == pytest.approx(calm["x0"].mean() + 0.5, abs=0.03)
    assert day("variance", TURN)["x1"].std() == pytest.approx(1.6, abs=0.05)
    shape = day("shape", TURN)["x2"]
    assert (shape.mean(), shape.std()) == pytest.approx((0, 1), abs=0.03)
    assert shape.kurtosis() < -1  # of a normal distribution it is 0
    assert (day("category", TURN)["plan"] == "pro").mean() == pytest.approx(0.2 + 0.8 / 3, abs=0.02)
    assert day("missingness", TURN)["x3"].isna().mean() == pytest.approx(0.18, abs=0.02)


def test_outcomes_follow_the_model_until_label_or_concept_change():
    def ratio(kind):
        frame = day(kind, TURN)
        return frame["responded"].sum() / frame["p_response"].sum()

    def auc_like(kind):
        frame = day(kind, TURN)
        return np.corrcoef(frame["p_response"], frame["responded"])[0, 1]

    assert ratio(None) == pytest.approx(1, abs=0.08)
    assert ratio("label") > 1.5
    assert auc_like("concept") < 0.5 * auc_like(None)
    pd.testing.assert_series_equal(
        day("concept", TURN)["p_response"], day(None, TURN)["p_response"]
    )


def test_a_season_is_of_weekends_and_always_was():
    made = streams().Synthetic(SEED, ROWS, "season", 100)
    raised = [made.day(number)["x4"].mean() > 0.4 for number in range(-7, 7)]
    assert raised == [False] * 5 + [True] * 2 + [False] * 5 + [True] * 2  # day 0 is a Monday


def test_ours_is_judged_with_what_the_bundle_and_notebook_07_say():
    ways, made = importlib.import_module("detection_ways"), streams()
    bundle = yaml.safe_load((ROOT / "databricks.yml").read_text(encoding="utf-8"))
    told = {name: each.get("default") for name, each in bundle["variables"].items()}
    assert float(told["drift_threshold"]) == ways.THRESHOLD
    assert windows_of(told["drift_windows"]) == (ways.WINDOWS, ways.OF)
    assert float(told["confidence"]) == ways.CONFIDENCE
    assert float(told["control_share"]) == made.CONTROL_SHARE
    assert ways.OUTCOME_DAYS == assessing.OUTCOME_DAYS


def test_limits_name_what_missed_them():
    table = importlib.import_module("detection_table")

    def found(kind, value, name="ours", days=100):
        return table.Found(table.Case("synthetic", 1, kind, "ours", 9, days), name, value, 0.0)

    outcomes = "ours, by outcomes"
    fine = [found("quiet", 1), found("season", 0), found("mean", 3), found("concept", 3, outcomes)]
    assert table.problems(fine) == []
    assert len(table.problems([found("quiet", 2), found("season", 1)])) == 2
    assert table.problems([found("mean", 0)]) == ["synthetic mean, seed 1: missed"]
    (late,) = table.problems([found("concept", 4, outcomes)])
    assert "window 4" in late
    (never,) = table.problems([found("concept", 0, outcomes)])
    assert "not seen" in never
