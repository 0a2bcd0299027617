"""One answer per window: quiet on noise, loud on drift, and never quiet by ignorance."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from nextbest.monitoring import statistics
from nextbest.monitoring.history import with_severity
from nextbest.monitoring.points import Points
from nextbest.monitoring.statistics import (
    Counts,
    Numbers,
    chi_squared,
    jensen_shannon,
    stability,
)  # fmt: skip
from nextbest.monitoring.verdict import JS, NOT_COMPUTABLE, PSI, judge_drift, matching

pytestmark = pytest.mark.unit


def _numbers(rows, missing=0):
    values = np.array(list(rows), dtype=float)
    counts = np.array(list(rows.values()), dtype=np.int64)
    return Numbers(Points(values, counts, np.zeros(len(values), bool)), missing)


def _rows(**values):
    return pd.DataFrame(
        [
            {
                "column_name": name,
                "drift_type": "BASELINE",
                "slice_key": None,
                PSI: psi,
                JS: js,
            }
            for name, (psi, js) in values.items()
        ]
    )


def test_each_kind_has_its_threshold_and_the_worst_comes_first():
    rows = _rows(spend=(0.25, None), segment=(None, 0.5), calm=(0.1, None), steady=(None, 0.1))
    verdict = judge_drift(rows, ["spend", "segment", "calm", "steady"], 0.2)
    assert verdict.drifted
    found = [(f.column, f.statistic, f.value, f.threshold) for f in verdict.findings]
    assert found == [("segment", JS, 0.5, matching(0.2)), ("spend", PSI, 0.25, 0.2)]
    assert "2 of 4" in verdict.text
    assert not judge_drift(rows, ["calm", "steady"], 0.2).drifted
    assert judge_drift(rows, ["calm"], 0.1).drifted  # at the threshold


@pytest.mark.parametrize("value", [None, math.nan, pd.NA])
def test_what_can_not_be_computed_has_not_passed(value):
    verdict = judge_drift(_rows(a=(0.0, None), b=(value, value)), ["a", "b", "gone"], 0.2)
    assert verdict.drifted
    assert {(f.column, f.statistic) for f in verdict.findings} == {
        ("b", NOT_COMPUTABLE),
        ("gone", NOT_COMPUTABLE),
    }
    assert all(math.isnan(f.value) for f in verdict.findings)


@pytest.mark.parametrize(("kept", "other"), [(PSI, JS), (JS, PSI)])
def test_a_statistic_that_the_rows_lack_is_null(kept, other):
    rows = _rows(a=(0.1, 0.1), b=(0.5, 0.5)).drop(columns=other)
    assert [f.column for f in judge_drift(rows, ["a", "b"], 0.2).findings] == ["b"]
    assert with_severity(rows, 0.2)["statistic"].tolist() == [kept, kept]
    neither = rows.drop(columns=kept)
    assert {f.statistic for f in judge_drift(neither, ["a"], 0.2).findings} == {NOT_COMPUTABLE}
    assert with_severity(neither, 0.2)["severity"].isna().all()


def test_an_empty_window_or_no_baseline_is_drift():
    assert judge_drift(pd.DataFrame(), ["a"], 0.2).drifted
    consecutive = _rows(a=(0.0, None)).assign(drift_type="CONSECUTIVE")
    assert judge_drift(consecutive, ["a"], 0.2).findings[0].statistic == NOT_COMPUTABLE


def test_the_worst_model_version_counts():
    rows = pd.concat([_rows(a=(0.0, None)), _rows(a=(0.3, None)), _rows(b=(0.0, None))])
    assert [f.value for f in judge_drift(rows, ["a", "b"], 0.2).findings] == [0.3]
    unknown = pd.concat([_rows(a=(0.0, None)), _rows(a=(None, None))])
    assert judge_drift(unknown, ["a"], 0.2).findings[0].statistic == NOT_COMPUTABLE


@pytest.mark.parametrize(("columns", "threshold"), [([], 0.2), (["a"], 0.0), (["a"], math.nan)])
def test_nothing_to_judge_is_refused(columns, threshold):
    with pytest.raises(ValueError, match="threshold"):
        judge_drift(_rows(a=(0.0, None)), columns, threshold)


def test_the_thresholds_correspond_for_small_differences():
    base, now = {"a": 50_000, "b": 50_000}, {"a": 52_000, "b": 48_000}
    numbers = [_numbers({0.0: n["a"], 1.0: n["b"]}) for n in (now, base)]
    index = statistics.stability(*numbers)
    distance = statistics.jensen_shannon(statistics.Counts(now), statistics.Counts(base))
    assert distance == pytest.approx(matching(index), rel=1e-3)


def test_windows_of_noise_are_quiet():
    names = [f"x{number}" for number in range(30)]
    for seed in range(10):
        random = np.random.default_rng(seed)
        found = {}
        for number, name in enumerate(names):
            if number % 3:  # rows over the hundred bins of a baseline's percentiles
                sides = [random.multinomial(n, [0.01] * 100) for n in (20_000, 40_000)]
                now, base = (
                    _numbers({float(i): int(n) for i, n in enumerate(side)}) for side in sides
                )
                found[name] = (statistics.stability(now, base), None)
            else:
                sides = [random.multinomial(n, [0.05] * 20) for n in (20_000, 40_000)]
                now, base = (
                    statistics.Counts({str(i): int(n) for i, n in enumerate(side)})
                    for side in sides
                )
                found[name] = (None, statistics.jensen_shannon(now, base))
        assert not judge_drift(_rows(**found), names, 0.2).drifted
        assert max(psi or 0 for psi, _ in found.values()) < 0.01


def test_many_categories_in_few_rows_are_no_drift_by_chance():
    rng = np.random.default_rng(20261121)
    items = [f"item {k}" for k in range(80)]
    for _ in range(50):
        now, base = (
            Counts(dict(zip(items, rng.multinomial(n, np.full(80, 1 / 80)).tolist(), strict=True)))
            for n in (200, 40_000)
        )
        statistic, pvalue = chi_squared(now, base)
        row = {
            "column_name": "item", "drift_type": "BASELINE", "slice_key": None, PSI: None,
            JS: jensen_shannon(now, base),
            "chi_squared_test": {"statistic": statistic, "pvalue": pvalue},
        }  # fmt: skip
        assert row[JS] > matching(0.2)  # so far apart are they by chance alone
        assert not judge_drift(pd.DataFrame([row]), ["item"], 0.2).drifted
        row["chi_squared_test"] = {"statistic": statistic, "pvalue": 1e-9}
        assert judge_drift(pd.DataFrame([row]), ["item"], 0.2).drifted


def test_a_column_that_never_has_a_value_is_stable():
    assert stability(_numbers({}, 100), _numbers({}, 1000)) == 0.0
    assert np.isnan(stability(_numbers({}, 0), _numbers({}, 1000)))
    assert stability(_numbers({1.0: 100}), _numbers({}, 1000)) > 1


def _days(*values, pvalue=0.0):
    """One number `a`, a window a day."""
    parts = [_rows(a=(value, None)).assign(day=day) for day, value in enumerate(values)]
    rows = pd.concat(parts, ignore_index=True)
    rows["window"] = [{"start": day, "end": day + 1} for day in rows["day"]]
    return rows.assign(ks_test=[{"statistic": 0.1, "pvalue": pvalue}] * len(rows))


@pytest.mark.parametrize(
    ("values", "drifted", "watched"),
    [
        ((0.0, 0.0, 0.5), False, ["a"]),  # only now
        ((0.5, 0.0, 0.5), True, []),
        ((0.5, 0.5, 0.0), False, []),  # it came back
        ((0.5,), True, []),  # there are no other windows yet
        ((0.5, 0.5, 0.5, 0.0, 0.0, 0.5), False, ["a"]),  # a weekend of three days ago
        ((0.0, 0.0, math.nan), True, []),  # ignorance is not waited for
    ],
)
def test_drift_must_last(values, drifted, watched):
    verdict = judge_drift(
        _days(*values).sample(frac=1, random_state=1), ["a"], 0.2, windows=2, of=3
    )
    assert (verdict.drifted, [each.column for each in verdict.watched]) == (drifted, watched)
    assert ("Watched" in verdict.text) == bool(watched)


def test_a_distance_that_chance_explains_is_none():
    assert judge_drift(_days(0.5, pvalue=1e-9), ["a"], 0.2).drifted
    calm = _days(0.5, pvalue=0.02)
    assert not judge_drift(calm, ["a"], 0.2).drifted
    assert judge_drift(calm.assign(percent_null_delta=-16.0), ["a"], 0.2).drifted  # KS is blind
    assert not judge_drift(calm.assign(percent_null_delta=0.3), ["a"], 0.2).drifted


@pytest.mark.parametrize(("windows", "of"), [(0, 1), (3, 2)])
def test_more_windows_than_there_are_is_refused(windows, of):
    with pytest.raises(ValueError, match="windows"):
        judge_drift(_days(0.0), ["a"], 0.2, windows=windows, of=of)
