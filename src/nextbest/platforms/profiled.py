"""What is there to profile: days of a log and baselines, each with the version of its content."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Collection
from typing import TYPE_CHECKING

from nextbest import tables
from nextbest.errors import DataError
from nextbest.monitoring.drift import refuse_other_kinds
from nextbest.monitoring.folding import Parts
from nextbest.monitoring.sketching import label_cells, sketched
from nextbest.monitoring.stored import FORMAT
from nextbest.monitoring.windows import EPOCH, MICROS
from nextbest.platforms import Monitor

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from nextbest.platforms.sketch_table import SketchTable

DAY = "1 day"
WHOLE = "whole"  # stands for the granularity of a baseline, which is one window
_DAY = dt.timedelta(days=1) // MICROS
_PRIME = 2_147_483_647


def day_versions(
    monitor: Monitor, log: DataFrame, span: tuple[int, int], day: dt.date
) -> dict[str, str]:
    """Days (ISO dates) with rows in the span (µs since 1970), each with its version.

    It reads timestamps, model versions, and how many labels have come: rows of which anything else
    was changed aren't noticed. A snapshot has its rows on `day`. DataError for labels that can't be
    compared with predictions.
    """
    from pyspark.sql import functions as F

    if monitor.labels:
        label_cells(monitor.labels, dict(log.dtypes))
    watched = _digest(monitor, log)
    if monitor.timestamp is None:
        rows = log.count()
        return {day.isoformat(): f"{watched}:{rows}"} if rows else {}
    at = F.expr(f"unix_micros(CAST({tables.sql_name(monitor.timestamp)} AS TIMESTAMP))")
    number = F.floor(at / F.lit(_DAY)).alias("number")
    told = [F.count(F.lit(1)).alias("rows")]
    if monitor.model_id:  # another version may have decided a day again, for as many
        told.append(F.sum(F.crc32(F.col(monitor.model_id).cast("string"))).alias("models"))
    if monitor.label:
        told.append(F.count(tables.column(monitor.label)).alias("labels"))
    counted = log.where((at >= span[0]) & (at < span[1])).groupBy(number)
    return {
        (EPOCH + row["number"] * _DAY * MICROS)
        .date()
        .isoformat(): ":".join([watched, *(str(count) for count in row[1:])])
        for row in counted.agg(*told).collect()
    }


def day_parts(monitor: Monitor, log: DataFrame, day: str, granularity: str) -> Parts:
    """The parts of one day (ISO date). DataError for rows without a model version."""
    from pyspark.sql import functions as F

    start = (dt.datetime.fromisoformat(day) - EPOCH) // MICROS
    told = {"columns": monitor.columns, "slices": monitor.slices}
    if monitor.timestamp is None:
        parts = sketched(log, **told)
        return {
            group._replace(start=start, end=start + _DAY): part for group, part in parts.items()
        }
    at = F.expr(f"unix_micros(CAST({tables.sql_name(monitor.timestamp)} AS TIMESTAMP))")
    rows = log.where((at >= start) & (at < start + _DAY))
    parts = sketched(
        rows,
        timestamp=monitor.timestamp,
        granularity=granularity,
        model_id=monitor.model_id,
        labels=monitor.labels,
        **told,
    )
    if monitor.model_id and any(group.model is None for group in parts):
        raise DataError(
            f"table {monitor.table} has rows without {monitor.model_id} on {day}: "
            "they can't be compared with the baseline of the model that made them"
        )
    return parts


def baseline_parts(
    monitor: Monitor, log: DataFrame, kept: SketchTable, models: Collection[str | None]
) -> tuple[Parts, dict[str, Parts], dict[str, str]]:
    """The baseline of each model: all parts; those folded now, by batch; versions of batches.

    Its version is a checksum over the watched columns: what didn't change isn't folded again.
    """
    from pyspark.sql import functions as F

    baseline = tables.read(log.sparkSession, str(monitor.baseline))
    refuse_other_kinds(log, baseline, monitor.columns)
    model = F.col(monitor.model_id).cast("string") if monitor.model_id else F.lit("")
    told = [tables.sql_name(name) for name in monitor.columns]
    if monitor.timestamp:
        told.append(tables.sql_name(monitor.timestamp))
    labels = monitor.labels
    if labels and not {labels.prediction, labels.label} <= {*baseline.columns}:
        labels = None
    if labels:
        told += [tables.sql_name(name) for name in (labels.prediction, labels.label)]
    checked = baseline.groupBy(model.alias("batch")).agg(
        F.count(F.lit(1)).alias("rows"),
        F.sum(F.expr(f"pmod(xxhash64({', '.join(told)}), {_PRIME})")).alias("sum"),
    )
    watched = _digest(monitor, baseline)
    versions = {row["batch"]: f"{watched}:{row['rows']}:{row['sum']}" for row in checked.collect()}
    wanted = [each if each is not None else "" for each in models]
    stored = kept.versions("BASELINE", WHOLE)
    fresh = [each for each in wanted if each in versions and stored.get(each) != versions[each]]
    folded = {}
    if fresh:
        rows = baseline.where(model.isin(fresh)) if monitor.model_id else baseline
        found = sketched(
            rows,
            columns=monitor.columns,
            timestamp=monitor.timestamp,
            model_id=monitor.model_id,
            slices=monitor.slices,
            labels=labels,
        )
        for group, part in found.items():
            folded.setdefault(group.model or "", {})[group] = part
    old = [each for each in wanted if each in versions and each not in fresh]
    every = dict(kept.parts("BASELINE", WHOLE, old))
    for parts in folded.values():
        every |= parts
    return every, folded, versions


def _digest(monitor: Monitor, frame: DataFrame) -> str:
    """Of what is watched and how it is stored: another one means to fold anew."""
    types = dict(frame.dtypes)
    watched: tuple = (
        FORMAT,
        [(name, types.get(name)) for name in monitor.columns],
        monitor.slices,
        monitor.timestamp,
        monitor.model_id,
    )
    if monitor.labels:  # only then: without labels nothing is to be folded anew
        watched += (monitor.labels,)
    return f"{zlib.crc32(repr(watched).encode()):08x}"
