"""Monitors of our own: the metric tables that Databricks data profiling would write.

On a laptop, and on Databricks with the setting `profiling=own`.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from nextbest import tables
from nextbest.errors import DataError
from nextbest.platforms import MetricTables, Monitor

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

WATCHED = "recommendations"  # a table of this name leaves its prefix to the metric tables


class OwnMonitors:
    """The Monitors port: profiles and drift are computed here and merged into two tables."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark

    def tables(self, monitor: Monitor) -> MetricTables:
        """`<schema>.<prefix>profile_metrics` and `…drift_metrics` beside the watched table."""
        schema, _, name = monitor.table.rpartition(".")
        prefix = name.removesuffix(WATCHED) if name.endswith(WATCHED) else f"{name}_"
        return MetricTables(f"{schema}.{prefix}profile_metrics", f"{schema}.{prefix}drift_metrics")

    def refresh(self, monitor: Monitor, day: dt.date) -> None:
        """Profile the window of `day` and its baseline, and compare it with both its pasts.

        A rerun replaces its rows. Raises DataError naming the table and the day when the window
        is empty or when the baseline has no row of a model version that the window has.
        """
        from pyspark.sql import functions as F

        from nextbest.monitoring.drift import drift
        from nextbest.monitoring.profile import profile
        from nextbest.monitoring.schemas import DRIFT_KEY, PROFILE_KEY
        from nextbest.monitoring.windows import window_of

        start, end = window_of(day, monitor.granularity)
        before, _ = window_of((start - dt.timedelta(microseconds=1)).date(), monitor.granularity)
        log = tables.read(self._spark, monitor.table)
        now = log.where(_within(monitor.timestamp, start, end))
        models = self._models(monitor, now, day)
        baseline = tables.read(self._spark, monitor.baseline).where(
            F.col(monitor.model_id).cast("string").isin(models)
        )
        self._refuse_unmatched(monitor, baseline, models, day)
        options = {
            "timestamp": monitor.timestamp,
            "granularity": monitor.granularity,
            "columns": monitor.columns,
            "model_id": monitor.model_id,
            "slices": monitor.slices,
        }
        profiles = profile(now, **options).unionByName(
            profile(baseline, **options, log_type="BASELINE")
        )
        recent = log.where(_within(monitor.timestamp, before, end))
        drifts = drift(recent, baseline, **options).where(F.col("window.start") == _at(start))
        names = self.tables(monitor)
        # Keys are unique by construction: each is what the metrics were grouped by.
        for frame, table, key in (
            (profiles, names.profile, PROFILE_KEY),
            (drifts, names.drift, DRIFT_KEY),
        ):
            tables.merge(frame, table, (*key, monitor.model_id), unique=True)

    def _models(self, monitor: Monitor, now: DataFrame, day: dt.date) -> list[str]:
        from pyspark.sql import functions as F

        found = now.select(F.col(monitor.model_id).cast("string").alias("m")).distinct().collect()
        if not found:
            raise DataError(
                f"table {monitor.table} has no row with {monitor.timestamp} in the "
                f"{monitor.granularity} window of {day}: run inference_job for that day first"
            )
        if any(row["m"] is None for row in found):
            raise DataError(
                f"table {monitor.table} has rows without {monitor.model_id} on {day}: "
                "they can't be compared with the baseline of the model that made them"
            )
        return sorted(row["m"] for row in found)

    def _refuse_unmatched(
        self, monitor: Monitor, baseline: DataFrame, models: list[str], day: dt.date
    ) -> None:
        known = {str(row[0]) for row in baseline.select(monitor.model_id).distinct().collect()}
        if missing := [model for model in models if model not in known]:
            raise DataError(
                f"baseline table {monitor.baseline} has no row of {monitor.model_id} "
                f"{', '.join(missing)}, which {monitor.table} has on {day}: run training_job, "
                "which writes the baseline of the version it registers"
            )


def _within(timestamp: str, start: dt.datetime, end: dt.datetime) -> Column:
    from pyspark.sql import functions as F

    return (F.col(timestamp) >= _at(start)) & (F.col(timestamp) < _at(end))


def _at(instant: dt.datetime) -> Column:
    from pyspark.sql import functions as F

    return F.lit(instant.strftime("%Y-%m-%d %H:%M:%S")).cast("timestamp")
