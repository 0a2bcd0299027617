"""The monitors port over Databricks data profiling: created or updated, refreshed, awaited.

Written against databricks-sdk's `quality_monitors`; not yet run against a workspace.
"""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING

from nextbest.errors import PlatformError
from nextbest.platforms import MetricTables, Monitor

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

        Raises PlatformError when the refresh fails, naming its id and message.
        """
        from databricks.sdk.errors import NotFound
        from databricks.sdk.service.catalog import (
            MonitorRefreshInfoState,
            MonitorTimeSeries,
        )

        monitors = self._workspace.quality_monitors
        schema = monitor.table.rpartition(".")[0]
        what = {
            "output_schema_name": schema,
            "baseline_table_name": monitor.baseline,
            "slicing_exprs": list(monitor.slices),
            "time_series": MonitorTimeSeries(
                timestamp_col=monitor.timestamp, granularities=[monitor.granularity]
            ),
        }
        try:
            monitors.get(table_name=monitor.table)
        except NotFound:
            folder = f"/Workspace/Users/{self._workspace.current_user.me().user_name}/monitors"
            monitors.create(table_name=monitor.table, assets_dir=folder, **what)
        else:
            monitors.update(table_name=monitor.table, **what)
        running = monitors.run_refresh(table_name=monitor.table)
        waiting = (MonitorRefreshInfoState.PENDING, MonitorRefreshInfoState.RUNNING)
        limit = time.monotonic() + PATIENCE_SECONDS
        while running.state in waiting and time.monotonic() < limit:
            time.sleep(POLL_SECONDS)
            running = monitors.get_refresh(
                table_name=monitor.table, refresh_id=str(running.refresh_id)
            )
        if running.state != MonitorRefreshInfoState.SUCCESS:
            raise PlatformError(
                f"monitor of {monitor.table}: refresh {running.refresh_id} is {running.state} "
                f"({running.message or 'no message'}); see the table's Quality tab"
            )

    def tables(self, monitor: Monitor) -> MetricTables:
        """The metric tables that Databricks writes beside the watched table."""
        return MetricTables(f"{monitor.table}_profile_metrics", f"{monitor.table}_drift_metrics")
