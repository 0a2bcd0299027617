"""The monitors port over Databricks data profiling: created or updated, refreshed, awaited.

Written against databricks-sdk's `quality_monitors`, which Databricks calls deprecated in favour of
`data_quality` and still serves; not yet run against a workspace.
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Any

from nextbest.errors import PlatformError
from nextbest.platforms import MetricTables, Monitor
from nextbest.platforms.databricks.asking import ask, look
from nextbest.platforms.databricks.waiting import wait

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.catalog import MonitorRefreshInfo

POLL_SECONDS = 15
PATIENCE_SECONDS = 3600


class DatabricksMonitors:
    """Monitors of the workspace; their metric tables carry the watched table's name."""

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._workspace = workspace

    def refresh(self, monitor: Monitor, day: dt.date) -> None:
        """Create the monitor or update it, then recompute its metrics and wait for them.

        Raises PlatformError when the refresh fails, naming its id and message, and when the
        workspace refuses, naming the table and the right that it needs.
        """
        self._declare(monitor)
        monitors, table = self._workspace.quality_monitors, monitor.table
        what, right = f"refresh of the monitor of {table}", f"MANAGE on {table}"
        started = ask(lambda: monitors.run_refresh(table), what, right, just_made=True)
        number = started.refresh_id
        ended = wait(
            started,
            lambda: ask(lambda: monitors.get_refresh(table, number), what, right, just_made=True),
            _state,
            lambda state: state not in ("PENDING", "RUNNING"),
            what,
            POLL_SECONDS,
            PATIENCE_SECONDS,
        )
        if _state(ended) != "SUCCESS":
            raise PlatformError(
                f"monitor of {table}: refresh {number} is {_state(ended)} "
                f"({ended.message or 'no message'}); see the table's Quality tab"
            )

    def make_first(self, monitor: Monitor) -> None:
        """Create the monitor where its table has none yet."""
        if not self.there(monitor.table):
            self._create(monitor)

    def can_watch(self, monitor: Monitor) -> bool:
        """Whether the tables are there: the watched one and what it is compared with."""
        tables = self._workspace.tables
        for table in (monitor.table, monitor.baseline):
            right = f"SELECT or BROWSE on {table}"
            found = look(partial(tables.exists, table), f"table {table}", right)
            if found is None or not found.table_exists:
                return False
        return True

    def there(self, table: str) -> bool:
        """Whether the table has a monitor."""
        monitors, right = self._workspace.quality_monitors, f"MANAGE and SELECT on {table}"
        return look(lambda: monitors.get(table), f"monitor of {table}", right) is not None

    def _declare(self, monitor: Monitor) -> None:
        """Create the monitor, or update the one that is there, whoever made it."""
        monitors, table = self._workspace.quality_monitors, monitor.table
        if not self.there(table) and self._create(monitor):
            return
        told, right = _told(monitor), _right(monitor)
        ask(lambda: monitors.update(table_name=table, **told), f"monitor of {table}", right)

    def _create(self, monitor: Monitor) -> bool:
        """Whether it was created now: not by another in between, or by our own lost request."""
        from databricks.sdk.errors import ResourceConflict

        monitors, table = self._workspace.quality_monitors, monitor.table
        me = ask(self._workspace.current_user.me, "who asks", "a valid token")
        folder = f"/Workspace/Users/{me.user_name}/monitors"
        told = _told(monitor)
        try:
            ask(
                lambda: monitors.create(table_name=table, assets_dir=folder, **told),
                f"monitor of {table}",
                _right(monitor),
                passing=(ResourceConflict,),
            )
        except ResourceConflict:
            return False
        return True

    def tables(self, monitor: Monitor) -> MetricTables:
        """The metric tables that Databricks writes beside the watched table."""
        return MetricTables(f"{monitor.table}_profile_metrics", f"{monitor.table}_drift_metrics")


def _state(refresh: MonitorRefreshInfo) -> str:
    return refresh.state.value if refresh.state else "in no state"


def _told(monitor: Monitor) -> dict[str, Any]:
    from databricks.sdk.service.catalog import (
        MonitorInferenceLog,
        MonitorInferenceLogProblemType,
        MonitorSnapshot,
        MonitorTimeSeries,
    )

    told: dict[str, Any] = {
        "output_schema_name": monitor.table.rpartition(".")[0],
        "baseline_table_name": monitor.baseline,
        "slicing_exprs": list(monitor.slices),
    }
    if monitor.timestamp is None or monitor.granularity is None:
        return {**told, "snapshot": MonitorSnapshot()}
    if monitor.model_id is None or monitor.prediction is None:
        series = MonitorTimeSeries(monitor.timestamp, [monitor.granularity])
        return {**told, "time_series": series}
    # Not a time series: only an inference log is told apart by model version.
    log = MonitorInferenceLog(
        problem_type=MonitorInferenceLogProblemType.PROBLEM_TYPE_REGRESSION,
        timestamp_col=monitor.timestamp,
        granularities=[monitor.granularity],
        prediction_col=monitor.prediction,
        model_id_col=monitor.model_id,
    )
    return {**told, "inference_log": log}


def _right(monitor: Monitor) -> str:
    schema = monitor.table.rpartition(".")[0]
    return f"MANAGE and SELECT on {monitor.table}, USE SCHEMA and CREATE TABLE on {schema}"
