"""The monitors port over Databricks data profiling: created or updated, refreshed, awaited.

Written against databricks-sdk's `quality_monitors`; not yet run against a workspace.
"""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING

from nextbest.errors import PlatformError
from nextbest.platforms import MetricTables, Monitor
from nextbest.platforms.databricks.asking import ask

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

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
        from databricks.sdk.service.catalog import MonitorRefreshInfoState

        self._declare(monitor)
        monitors, table = self._workspace.quality_monitors, monitor.table
        what, right = f"refresh of the monitor of {table}", f"MANAGE on {table}"
        running = ask(lambda: monitors.run_refresh(table), what, right)
        number = running.refresh_id
        waiting = (MonitorRefreshInfoState.PENDING, MonitorRefreshInfoState.RUNNING)
        limit = time.monotonic() + PATIENCE_SECONDS
        while running.state in waiting and time.monotonic() < limit:
            time.sleep(POLL_SECONDS)
            running = ask(lambda: monitors.get_refresh(table, number), what, right)
        if running.state != MonitorRefreshInfoState.SUCCESS:
            state = running.state.value if running.state else "in no state"
            raise PlatformError(
                f"monitor of {table}: refresh {number} is {state} "
                f"({running.message or 'no message'}); see the table's Quality tab"
            )

    def _declare(self, monitor: Monitor) -> None:
        """Create the monitor, or update the one that is there, whoever made it."""
        from databricks.sdk.errors import NotFound, ResourceConflict
        from databricks.sdk.service.catalog import (
            MonitorInferenceLog,
            MonitorInferenceLogProblemType,
        )

        monitors, table = self._workspace.quality_monitors, monitor.table
        schema = table.rpartition(".")[0]
        what = f"monitor of {table}"
        right = f"MANAGE and SELECT on {table}, USE SCHEMA and CREATE TABLE on {schema}"
        told = {
            "output_schema_name": schema,
            "baseline_table_name": monitor.baseline,
            "slicing_exprs": list(monitor.slices),
            # Not a time series: only an inference log is told apart by model version.
            "inference_log": MonitorInferenceLog(
                problem_type=MonitorInferenceLogProblemType.PROBLEM_TYPE_REGRESSION,
                timestamp_col=monitor.timestamp,
                granularities=[monitor.granularity],
                prediction_col=monitor.prediction,
                model_id_col=monitor.model_id,
            ),
        }
        try:
            ask(lambda: monitors.get(table), what, right, passing=(NotFound,))
        except NotFound:
            me = ask(self._workspace.current_user.me, "who asks", "a valid token")
            folder = f"/Workspace/Users/{me.user_name}/monitors"
            try:
                ask(
                    lambda: monitors.create(table_name=table, assets_dir=folder, **told),
                    what,
                    right,
                    passing=(ResourceConflict,),
                )
                return
            except ResourceConflict:
                pass  # made in between: by another, or by our own request whose answer was lost
        ask(lambda: monitors.update(table_name=table, **told), what, right)

    def tables(self, monitor: Monitor) -> MetricTables:
        """The metric tables that Databricks writes beside the watched table."""
        return MetricTables(f"{monitor.table}_profile_metrics", f"{monitor.table}_drift_metrics")
