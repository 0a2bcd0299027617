"""Monitors of our own: the metric tables that Databricks data profiling would write.

On a laptop, and on Databricks with the setting `profiling=own`.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from nextbest.platforms import MetricTables, Monitor

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

WATCHED = "recommendations"  # a table of this name leaves its prefix to the metric tables


class OwnMonitors:
    """The Monitors port: profiles and drift are computed here and merged into two tables.

    whole_names: name them as Databricks does, so that its dashboard and grants fit them.
    """

    def __init__(self, spark: SparkSession, *, whole_names: bool = False) -> None:
        self._spark = spark
        self._whole_names = whole_names

    def tables(self, monitor: Monitor) -> MetricTables:
        """`<schema>.<prefix>profile_metrics`, `…drift_metrics` beside the watched table.

        And `…profile_sketches`, of which both are made.
        """
        schema, _, name = monitor.table.rpartition(".")
        short = name.endswith(WATCHED) and not self._whole_names
        prefix = name.removesuffix(WATCHED) if short else f"{name}_"
        kinds = ("profile_metrics", "drift_metrics", "profile_sketches")
        return MetricTables(*(f"{schema}.{prefix}{kind}" for kind in kinds))

    def refresh(self, monitor: Monitor, day: dt.date) -> None:
        """Profile the windows of `day` and its baseline, and compare them with both their pasts.

        A rerun replaces its rows; rows that came late for earlier days are counted in. Raises
        DataError as `platforms.profiling.refresh` does.
        """
        from nextbest.platforms import profiling

        profiling.refresh(self._spark, monitor, day, self.tables(monitor))
