"""Profiling by our own code: a day is folded once, metrics are made of what was kept of days.

Which days to fold is told by a version per day: how many rows it has, of which model versions, and
what is watched. A day
whose version changed (rows came late) is folded anew, and its windows are written again. Sketches
are written after the metrics: killed anywhere, a rerun does all of it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from nextbest import tables
from nextbest.errors import DataError
from nextbest.monitoring import folding, windows
from nextbest.monitoring.folding import Parts
from nextbest.monitoring.windows import EPOCH, MICROS
from nextbest.platforms import MetricTables, Monitor
from nextbest.platforms.profiled import DAY, WHOLE, baseline_parts, day_parts, day_versions

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from nextbest.platforms.sketch_table import SketchTable

LATE_DAYS = 30  # so far back rows may come late
GONE = "no rows"
_DAY = dt.timedelta(days=1) // MICROS
Span = tuple[int, int]  # µs since 1970, the end is outside


def refresh(spark: SparkSession, monitor: Monitor, day: dt.date, names: MetricTables) -> None:
    """Write profile_metrics and drift_metrics of the windows of `day`, and of days with late rows.

    Raises DataError naming the table and the day when its window is empty, when rows have no
    model version, or when the baseline has no row of a version that the window has.
    """
    from nextbest.platforms.sketch_table import SketchTable

    log, kept = tables.read(spark, monitor.table), SketchTable(spark, str(names.sketches))
    wide = monitor.granularity or DAY
    fine = wide if windows.shorter_than_a_day(wide) else DAY
    today = _span(_instant(day), wide)
    from_, back = _span(today[0] - 1, wide)[0], _instant(day) - LATE_DAYS * _DAY
    there = day_versions(monitor, log, (min(from_, back), today[1]), day)
    stored = kept.versions("INPUT", fine)
    if not any(today[0] <= _at(batch) < today[1] for batch in there):
        rows = f"row with {monitor.timestamp}" if monitor.timestamp else "row"
        raise DataError(
            f"table {monitor.table} has no {rows} in the {wide} window of {day}: run "
            "inference_job for that day first"
        )
    late = {batch for batch, version in there.items() if stored.get(batch, version) != version}
    if monitor.timestamp:  # days that lost all their rows; a snapshot's rows are today's
        since = {batch for batch in stored if back <= _at(batch) < today[1]}
        late |= since - set(there)
        there |= dict.fromkeys(since - set(there), GONE)
    needed = {batch for batch in there if from_ <= _at(batch) and batch not in stored}
    folding_now = sorted(late | needed | ({day.isoformat()} & {*there}))
    folded = {batch: day_parts(monitor, log, batch, fine) for batch in folding_now}
    # A late day's window, and the one after it, which is compared with it.
    changed = {_span(_at(batch), wide) for batch in late | ({day.isoformat()} - {*stored})}
    changed |= {_span(end, wide) for _, end in changed}
    written = {today, *(span for span in changed if _stored(span, stored))}
    reach = _span(min(start for start, _ in written) - 1, wide)[0], max(end for _, end in written)
    others = [batch for batch in stored if reach[0] <= _at(batch) < reach[1]]
    parts = _added(kept.parts("INPUT", fine, {*others} - {*folded}), *folded.values())
    if wide != fine:
        parts = folding.rewindowed(parts, wide)
    _write(spark, monitor, parts, written, names, kept, day)
    kept.replace("INPUT", fine, folded, there)


def _write(
    spark: SparkSession,
    monitor: Monitor,
    parts: Parts,
    written: Collection[Span],
    names: MetricTables,
    kept: SketchTable,
    day: dt.date,
) -> None:
    from nextbest.monitoring.drift import drift_rows
    from nextbest.monitoring.metric_frames import drift_frame, profile_frame
    from nextbest.monitoring.profile import profile_rows
    from nextbest.monitoring.schemas import DRIFT_KEY, PROFILE_KEY

    wide = monitor.granularity or DAY
    starts = sorted(
        {group.start for group in parts if any(a <= group.start < b for a, b in written)}
    )
    base, fresh, versions = _baselines(spark, monitor, parts, starts, kept, day)
    parts = folding.with_all_models(parts) if monitor.model_id else parts
    profiles, drifts = [], []
    for start in starts:
        window = {group: part for group, part in parts.items() if group.start == start}
        before = int(windows.starts(np.array([start - 1]), wide)[0])
        recent = {group: part for group, part in parts.items() if group.start == before}
        against = None if base is None else _against(monitor, window, base)
        profiles += profile_rows(window, monitor.granularity)
        found = drift_rows({**recent, **window}, against, wide)
        drifts += [row for row in found if row["start"] == start]
        if against is not None and start == starts[-1]:
            profiles += profile_rows(against, monitor.granularity, "BASELINE")
    # Keys are unique by construction: each is what the metrics were grouped by.
    key = (monitor.model_id,) if monitor.model_id else ()
    for frame, table, of in (
        (profile_frame(spark, profiles, monitor.model_id), names.profile, PROFILE_KEY),
        (drift_frame(spark, drifts, monitor.model_id), names.drift, DRIFT_KEY),
    ):
        tables.merge(frame, table, (*of, *key), unique=True)
    if fresh:
        kept.replace("BASELINE", WHOLE, fresh, versions)


def _baselines(
    spark: SparkSession,
    monitor: Monitor,
    parts: Parts,
    starts: Collection[int],
    kept: SketchTable,
    day: dt.date,
) -> tuple[Parts | None, dict[str, Parts], dict[str, str]]:
    """Of each model version of the windows; DataError for a version that has none."""
    if monitor.baseline is None:
        return None, {}, {}
    models = {group.model for group in parts if group.start in set(starts)}
    log = tables.read(spark, monitor.table)
    found, fresh, versions = baseline_parts(monitor, log, kept, models)
    known = {group.model for group in found}
    if missing := sorted(str(model) for model in models if model not in known):
        of = f"of {monitor.model_id} {', '.join(missing)}" if monitor.model_id else "at all"
        raise DataError(
            f"baseline table {monitor.baseline} has no row {of}, which {monitor.table} has on "
            f"{day}: run training_job, which writes the baseline of the version it registers"
        )
    return found, fresh, versions


def _against(monitor: Monitor, window: Parts, base: Parts) -> Parts:
    """The baseline of the models that the window has, and of all of them together."""
    models = {group.model for group in window}
    found = {group: part for group, part in base.items() if group.model in models}
    return folding.with_all_models(found) if monitor.model_id else found


def _added(*several: Parts) -> Parts:
    """Parts of different days: each stands alone, its window is its day or within it."""
    return {group: part for parts in several for group, part in parts.items()}


def _stored(span: Span, stored: Collection[str]) -> bool:
    return any(span[0] <= _at(batch) < span[1] for batch in stored)


def _span(instant: int, granularity: str) -> Span:
    """The window around an instant; of windows shorter than a day, the day."""
    width = DAY if windows.shorter_than_a_day(granularity) else granularity
    start = int(windows.starts(np.array([instant]), width)[0])
    return start, windows.end(start, width)


def _at(batch: str) -> int:
    return _instant(dt.date.fromisoformat(batch))


def _instant(day: dt.date) -> int:
    return (dt.datetime(day.year, day.month, day.day) - EPOCH) // MICROS
