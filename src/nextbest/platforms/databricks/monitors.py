"""The monitors port over Databricks data profiling: created or updated, refreshed, awaited."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from nextbest.errors import PlatformError
from nextbest.platforms import MetricTables, Monitor
from nextbest.platforms.databricks.asking import look
from nextbest.platforms.databricks.profiling import READY, WAITING, At, open_api
from nextbest.platforms.databricks.waiting import wait

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

POLL_SECONDS = 15
PATIENCE_SECONDS = 3600


class DatabricksMonitors:
    """Monitors of the workspace, by the API of this name (profiling.open_api).

    Their metric tables carry the watched table's name.
    """

    def __init__(self, workspace: WorkspaceClient, api: str) -> None:
        self._workspace = workspace
        self._api = open_api(workspace, api)

    def refresh(self, monitor: Monitor, day: dt.date) -> None:
        """Create the monitor or update it, then recompute its metrics and wait for them.

        Prints how far it is. Raises PlatformError when the monitor or the refresh fails, naming
        its id and message, and when the workspace refuses, naming the table and the right that it
        needs.
        """
        table = monitor.table
        self._declare(monitor)
        begun = self._api.start(table)
        number, what = begun.number, f"monitor of {table}: refresh {begun.number}"
        ended = _awaited(what, begun, partial(self._api.look, table, number))
        if ended.state != READY:
            raise PlatformError(
                f"monitor of {table}: refresh {number} is {ended.called} "
                f"({ended.message or 'no message'}); see the table's Quality tab"
            )

    def make_first(self, monitor: Monitor) -> None:
        """Create the monitor where its table has none yet."""
        if not self.there(monitor.table):
            self._create(monitor)

    def can_watch(self, monitor: Monitor) -> bool:
        """Whether the tables are there: the watched one and what it is compared with."""
        tables = self._workspace.tables
        for table in filter(None, (monitor.table, monitor.baseline)):
            right = f"SELECT or BROWSE on {table}"
            found = look(partial(tables.exists, table), f"table {table}", right)
            if found is None or not found.table_exists:
                return False
        return True

    def there(self, table: str) -> bool:
        """Whether the table has a monitor."""
        return self._api.there(table)

    def tables(self, monitor: Monitor) -> MetricTables:
        """The metric tables that Databricks writes beside the watched table."""
        return MetricTables(f"{monitor.table}_profile_metrics", f"{monitor.table}_drift_metrics")

    def _declare(self, monitor: Monitor) -> None:
        """Create the monitor, or update the one that is there, whoever made it; until it is ready.

        One whose tables the workspace is still making can't be refreshed.
        """
        what, table = f"monitor of {monitor.table}", monitor.table
        at = None if self.there(table) else self._create(monitor)
        at = _awaited(what, at or self._api.update(monitor), partial(self._api.at, table))
        if at.state != READY:
            raise PlatformError(
                f"{what} is {at.called} ({at.message or 'no message'}): delete it in the table's "
                "Quality tab, and run this again"
            )

    def _create(self, monitor: Monitor) -> At | None:
        """The new monitor; None where another made it in between, or our own lost request."""
        from databricks.sdk.errors import ResourceConflict

        try:
            return self._api.create(monitor, (ResourceConflict,))
        except ResourceConflict:
            return None


def _awaited(what: str, at: At, look_again: Callable[[], At]) -> At:
    """Where it ends, or where patience does."""
    return wait(
        at,
        look_again,
        lambda at: at.called,
        lambda at: at.state != WAITING,
        what,
        POLL_SECONDS,
        PATIENCE_SECONDS,
    )
