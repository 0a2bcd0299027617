"""Drift of a table over time: each window against the baseline and against the one before."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nextbest.errors import DataError
from nextbest.monitoring import folding, statistics, unshared
from nextbest.monitoring.folding import Group, Part, Parts
from nextbest.monitoring.points import Points, merged
from nextbest.monitoring.profile import TABLE, bounds, filled, measured
from nextbest.monitoring.sketches import CategorySketch, NumberSketch, Sketch
from nextbest.monitoring.sketching import is_number, kinds, sketched
from nextbest.monitoring.statistics import Counts, Numbers

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

DELTAS = ("count", "avg", "percent_null", "percent_zeros", "percent_distinct")


def drift(
    frame: DataFrame,
    baseline: DataFrame | None = None,
    *,
    timestamp: str,
    granularity: str,
    columns: Sequence[str],
    model_id: str | None = None,
    slices: Sequence[str] = (),
) -> DataFrame:
    """Drift of `columns` per window, model version ("*": all) and slice, as `drift_schema` says.

    BASELINE compares a window with the whole baseline of the same model version and slice,
    CONSECUTIVE with the latest earlier window in `frame`. Deltas are now minus then. A BASELINE
    row without a baseline has null statistics. Raises DataError for columns that are numeric on
    one side and not on the other. Source: Databricks, "Data profiling metric tables".
    """
    from nextbest.monitoring.metric_frames import drift_frame

    told = {"columns": columns, "timestamp": timestamp, "model_id": model_id, "slices": slices}
    if baseline is not None:
        refuse_other_kinds(frame, baseline, columns)
    parts = sketched(frame, granularity=granularity, **told)
    base = sketched(baseline, granularity=None, **told) if baseline is not None else None
    if model_id:
        parts = folding.with_all_models(parts)
        base = folding.with_all_models(base) if base is not None else None
    rows = list(drift_rows(parts, base, granularity))
    return drift_frame(frame.sparkSession, rows, model_id)


def refuse_other_kinds(frame: DataFrame, baseline: DataFrame, columns: Sequence[str]) -> None:
    """DataError for columns that are numeric in one table and text in the other."""
    both = kinds(frame.dtypes, columns), kinds(baseline.dtypes, columns)
    wrong = [
        f"{name} is {both[0][name]}, {both[1][name]}"
        for name in columns
        if is_number(both[0][name]) != is_number(both[1][name])
    ]
    if wrong:
        raise DataError("monitored table and its baseline differ in type: " + "; ".join(wrong))


def drift_rows(parts: Parts, baseline: Parts | None, granularity: str) -> Iterator[dict[str, Any]]:
    """Rows of drift_metrics; `baseline`: parts in no window, None where there is none to expect.

    Windows as `start`, `end`, `start_cmp`, `end_cmp` in µs since 1970, `model` apart.
    """
    latest: dict[Group, Group] = {}
    for group in sorted(parts, key=lambda group: group.start or 0):
        whose = group._replace(start=None, end=None)
        if baseline is not None:
            yield from _compared(
                group, parts[group], whose, baseline.get(whose), "BASELINE", granularity
            )
        if whose in latest:
            before = latest[whose]
            yield from _compared(
                group, parts[group], before, parts[before], "CONSECUTIVE", granularity
            )
        latest[whose] = group


def distances(now: Sketch | None, then: Sketch | None) -> dict[str, Any]:
    """The statistics of drift_metrics; null where one is missing or can't be computed.

    Beyond `items.MOST` categories all but the test's p-value are lower bounds: see `items` and
    `unshared`.
    """
    if isinstance(now, NumberSketch) and isinstance(then, NumberSketch):
        sides = [Numbers(side.points, side.nulls + side.nans) for side in (now, then)]
        return {
            "ks_test": _test(statistics.kolmogorov_smirnov(*map(_ordered, (now, then)))),
            "wasserstein_distance": _known(statistics.wasserstein(*sides)),
            "population_stability_index": _known(statistics.stability(*sides)),
        }
    if isinstance(now, CategorySketch) and isinstance(then, CategorySketch):
        exact = now.items.exact and then.items.exact
        counts = _counts(now, exact), _counts(then, exact)
        own = None if exact else unshared.as_counts(now, then)
        ways = [counts] if own is None else [counts, own]
        gap = statistics.l_infinity(*counts) if exact else unshared.largest_gap(now, then)
        return {
            "js_distance": _known(max(statistics.jensen_shannon(*way) for way in ways)),
            "chi_squared_test": _test(statistics.chi_squared(*counts)),
            "tv_distance": _known(max(statistics.total_variation(*way) for way in ways)),
            "l_infinity_distance": _known(gap),
        }
    return {}


def _ordered(side: NumberSketch) -> Numbers:
    """The numbers with NaN above them all, as engines sort it: what turned NaN has moved."""
    top = Points(np.array([np.inf]), np.array([side.nans]), np.array([False]))
    return Numbers(merged([side.points, top], most=None) if side.nans else side.points, side.nulls)


def _compared(
    group: Group, now: Part, other: Group, then: Part | None, drift_type: str, granularity: str
) -> Iterator[dict[str, Any]]:
    start, end = bounds(other, then) if then else (None, None)
    told = {
        "start": group.start, "end": group.end, "granularity": granularity, "monitor_version": 0,
        "slice_key": group.slice_key, "slice_value": group.slice_value, "model": group.model,
        "start_cmp": start, "end_cmp": end, "drift_type": drift_type,
    }  # fmt: skip
    row = {**told, "column_name": TABLE}
    if then is not None:
        here, before = filled(now), filled(then)
        row["count_delta"] = now.rows - then.rows
        row["non_null_columns_delta"] = {
            "added": [name for name in here if name not in before],
            "missing": [name for name in before if name not in here],
        }
    yield row
    for name, sketch in now.columns.items():
        other_sketch = then.columns.get(name) if then else None
        yield {
            **told,
            "column_name": name,
            "data_type": sketch.data_type,
            **_deltas(sketch, other_sketch),
            **distances(sketch, other_sketch),
        }


def _deltas(now: Sketch, then: Sketch | None) -> dict[str, Any]:
    if then is None:
        return {}
    here, before = measured(now), measured(then)
    found = {}
    for name in DELTAS:
        if here.get(name) is not None and before.get(name) is not None:
            difference = here[name] - before[name]
            found[f"{name}_delta"] = None if difference != difference else difference
    return found


def _counts(sketch: CategorySketch, exact: bool) -> Counts:
    if exact:
        rows = dict(zip(sketch.items.names.tolist(), sketch.items.rows.tolist(), strict=True))
    else:
        rows = {f"hash {at}": int(count) for at, count in enumerate(sketch.items.hashed())}
    return Counts({**rows, None: sketch.nulls})


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _test(result: tuple[float, float]) -> dict[str, float] | None:
    found = np.isfinite(result).all()
    return dict(zip(("statistic", "pvalue"), result, strict=True)) if found else None
