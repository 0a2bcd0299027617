"""Drift of a table over time: each window against the baseline and against the one before."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F
from pyspark.sql import types as T

from nextbest.errors import DataError
from nextbest.monitoring import statistics
from nextbest.monitoring.counting import CATEGORIES, FEW, Key, count
from nextbest.monitoring.profile import profile
from nextbest.monitoring.schemas import ALL_MODELS, TABLE, drift_schema
from nextbest.monitoring.statistics import Counts, Histogram
from nextbest.monitoring.windows import grouped, kinds

Sides = Mapping[Key, Histogram | Counts]


def drift(
    frame: DataFrame,
    baseline: DataFrame,
    *,
    timestamp: str,
    granularity: str,
    columns: Sequence[str],
    model_id: str,
    slices: Sequence[str] = (),
) -> DataFrame:
    """Drift of `columns` per window, model version ("*": all) and slice, as `drift_schema` says.

    BASELINE compares a window with the whole baseline of the same model version and slice,
    CONSECUTIVE with the latest earlier window in `frame`. Deltas are now minus then. A BASELINE
    row without a baseline has null statistics. Numbers are counted in bins cut at the baseline's
    percentiles, or exactly up to FEW distinct values; see `statistics` for the error. Raises
    DataError for columns that differ in type. Source: Databricks, "Data profiling metric tables".
    """
    columns = list(columns)
    found = kinds(frame, columns)
    if (other := kinds(baseline, columns)) != found:
        both = {**found.numeric, **found.categorical}, {**other.numeric, **other.categorical}
        wrong = [f"{c} is {both[0][c]}, {both[1][c]}" for c in columns if both[0][c] != both[1][c]]
        raise DataError("monitored table and its baseline differ in type: " + "; ".join(wrong))
    options = {
        "timestamp": timestamp, "granularity": granularity, "columns": columns,
        "model_id": model_id, "slices": slices,
    }  # fmt: skip
    profiled = _profiled(profile(frame, **options), model_id, windows=True)
    profiled |= _profiled(profile(baseline, **options, log_type="BASELINE"), model_id)
    edges = {name: _edges(profiled, name) for name in found.numeric}
    many = {name for name in found.categorical if _distinct(profiled, name) > CATEGORIES}
    sides = {}
    for rows, width in ((frame, granularity), (baseline, None)):
        part = grouped(rows, **{**options, "granularity": width}, all_models=None)
        sides |= _with_all_models(count(part, found, edges, many))
    return _frame(frame, list(_compared(profiled, sides, granularity)), model_id)


def _profiled(frame: DataFrame, model_id: str, *, windows: bool = False) -> dict[Key, Row]:
    """Profile rows by key; those of the baseline stand under no window."""
    start, end = (F.unix_micros(f"window.{name}").alias(f"__{name}") for name in ("start", "end"))
    found = {}
    for row in frame.select(start, end, *[F.col(name) for name in frame.columns]).collect():
        bounds = (row["__start"], row["__end"]) if windows else (None, None)
        key = (*bounds, row[model_id], row["slice_key"], row["slice_value"], row["column_name"])
        found[key] = row
    return found


def _distinct(profiled: Mapping[Key, Row], name: str) -> int:
    return max(
        (row["distinct_count"] for key, row in profiled.items() if key[5] == name), default=0
    )


def _edges(profiled: Mapping[Key, Row], name: str) -> list[float] | None:
    """Percentiles of the whole baseline; None: few values, each its own bin."""
    if _distinct(profiled, name) <= FEW:
        return None
    whole = profiled.get((None, None, ALL_MODELS, None, None, name))
    quantiles = (whole["quantiles"] if whole else None) or []
    return sorted({edge for edge in quantiles if math.isfinite(edge)})


def _with_all_models(sides: Sides) -> dict[Key, Histogram | Counts]:
    """Counts add up: those of all models are the sum of each model's."""
    found = dict(sides)
    for key, side in sides.items():
        total = (*key[:2], ALL_MODELS, *key[3:])
        found[total] = found[total] + side if total in found else side
    return found


def _compared(profiled: Mapping[Key, Row], sides: Sides, granularity: str) -> Iterator[tuple]:
    order = sorted((key for key in profiled if key[0] is not None), key=lambda key: key[0])
    latest: dict[Key, Key] = {}
    for key in order:
        base = (None, None, *key[2:])
        comparisons = [("BASELINE", base)]
        if before := latest.get(key[2:]):
            comparisons.append(("CONSECUTIVE", before))
        latest[key[2:]] = key
        for drift_type, other in comparisons:
            yield _row(profiled, sides, key, other, drift_type, granularity)


def _row(
    profiled: Mapping[Key, Row], sides: Sides, key: Key, other: Key, drift_type: str, width: str
) -> tuple:
    now, then = profiled[key], profiled.get(other)
    window_cmp = (then["__start"], then["__end"]) if then else (None, None)
    deltas = [
        None if then is None or now[name] is None or then[name] is None else now[name] - then[name]
        for name in ("count", "avg", "percent_null", "percent_zeros", "percent_distinct")
    ]
    changed = None
    if key[5] == TABLE and then is not None:
        filled, before = now["non_null_columns"], then["non_null_columns"]
        changed = (
            [name for name in filled if name not in before],
            [name for name in before if name not in filled],
        )
    return (
        *key[:2], width, *key[3:], now["data_type"], *window_cmp, drift_type, *deltas, changed,
        *_statistics(sides.get(key), sides.get(other)), key[2],
    )  # fmt: skip


def _statistics(now: Histogram | Counts | None, then: Histogram | Counts | None) -> tuple:
    """js, ks, wasserstein, psi, chi², tv, l∞; null where there is none or it can't be computed."""
    if isinstance(now, Histogram) and isinstance(then, Histogram):
        ks = _test(statistics.kolmogorov_smirnov(now, then))
        moved, psi = statistics.wasserstein(now, then), statistics.stability(now, then)
        return (None, ks, _known(moved), _known(psi), None, None, None)
    if isinstance(now, Counts) and isinstance(then, Counts):
        js, chi = statistics.jensen_shannon(now, then), statistics.chi_squared(now, then)
        tv, largest = statistics.total_variation(now, then), statistics.l_infinity(now, then)
        return (_known(js), None, None, None, _test(chi), _known(tv), _known(largest))
    return (None,) * 7


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _test(result: tuple[float, float]) -> tuple[float, float] | None:
    return result if all(map(math.isfinite, result)) else None


def _frame(frame: DataFrame, rows: list[tuple], model_id: str) -> DataFrame:
    schema = drift_schema(model_id)
    micros = T.LongType()
    fields: list[T.StructField] = []
    for field in schema.fields:
        if field.name in ("window", "window_cmp"):  # built below: no local time on the way
            fields += [T.StructField(f"{field.name}_{end}", micros) for end in ("start", "end")]
        elif field.name != "monitor_version":
            fields.append(field)
    flat = frame.sparkSession.createDataFrame(rows, T.StructType(fields))
    built = {"monitor_version": F.lit(0).cast("bigint").alias("monitor_version")}
    for name in ("window", "window_cmp"):
        start, end = (F.timestamp_micros(f"{name}_{side}") for side in ("start", "end"))
        window = F.struct(start.alias("start"), end.alias("end"))
        built[name] = F.when(F.col(f"{name}_start").isNotNull(), window).alias(name)
    return flat.select(*[built.get(name, F.col(name)) for name in schema.names])
