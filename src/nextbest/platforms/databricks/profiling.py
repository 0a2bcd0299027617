"""Data profiling as the workspace offers it: two APIs, asked the same questions.

Written against databricks-sdk's `quality_monitors`, which it calls deprecated, and `data_quality`,
which takes ids in the place of names; not yet run against a workspace.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from nextbest.errors import PlatformError
from nextbest.platforms import Monitor
from nextbest.platforms.databricks.asking import ask, look

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

WAITING, READY, ENDED_BADLY = "waiting", "ready", "ended badly"
_TABLE = "table"  # the kind of object that is monitored


@dataclass(frozen=True)
class At:
    """How far a monitor or a refresh is: one of the states above; what the workspace calls it."""

    state: str
    called: str
    message: str = ""
    number: int = 0  # of a refresh


class Api(Protocol):
    """What is asked of either API.

    there, at: whether the table has a monitor, and how far that is; create (errors of `passing`
    are left to the caller) and update tell that, too; start, look: of a refresh.
    """

    def there(self, table: str) -> bool: ...

    def at(self, table: str) -> At: ...

    def create(self, monitor: Monitor, passing: tuple[type[Exception], ...]) -> At: ...

    def update(self, monitor: Monitor) -> At: ...

    def start(self, table: str) -> At: ...

    def look(self, table: str, number: int) -> At: ...


def open_api(workspace: WorkspaceClient, name: str) -> Api:
    """The API of this name: quality_monitors or data_quality.

    Raises PlatformError for an SDK that is too old to have it.
    """
    if name == "quality_monitors":
        return QualityMonitors(workspace)
    if not hasattr(workspace, "data_quality"):
        raise PlatformError(
            "profiling is data_quality, which this databricks-sdk does not have yet: install a "
            "newer one on the cluster, or set profiling=quality_monitors"
        )
    return DataQuality(workspace)


class QualityMonitors:
    """The older API: monitors by the name of their table."""

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._workspace = workspace

    def there(self, table: str) -> bool:
        monitors = self._workspace.quality_monitors
        return look(partial(monitors.get, table), f"monitor of {table}", _read(table)) is not None

    def at(self, table: str) -> At:
        monitors, what = self._workspace.quality_monitors, f"monitor of {table}"
        return self._at(ask(partial(monitors.get, table), what, _read(table), just_made=True))

    def create(self, monitor: Monitor, passing: tuple[type[Exception], ...]) -> At:
        monitors, told = self._workspace.quality_monitors, _named(monitor)
        call = partial(monitors.create, monitor.table, assets_dir=_folder(self._workspace), **told)
        return self._at(_change(call, monitor, passing))

    def update(self, monitor: Monitor) -> At:
        monitors, told = self._workspace.quality_monitors, _named(monitor)
        return self._at(_change(partial(monitors.update, monitor.table, **told), monitor))

    def _at(self, found: Any) -> At:
        return _state(found.status, found.latest_monitor_failure_msg)

    def start(self, table: str) -> At:
        monitors = self._workspace.quality_monitors
        return _refresh(_wait(partial(monitors.run_refresh, table), table))

    def look(self, table: str, number: int) -> At:
        monitors = self._workspace.quality_monitors
        return _refresh(_wait(partial(monitors.get_refresh, table, number), table))


class DataQuality:
    """The newer API: monitors by the id of their table, written into a schema by its id."""

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._workspace = workspace
        self._ids: dict[str, str] = {}

    def there(self, table: str) -> bool:
        quality = self._workspace.data_quality
        call = partial(quality.get_monitor, _TABLE, self._id(table))
        return look(call, f"monitor of {table}", _read(table)) is not None

    def at(self, table: str) -> At:
        quality = self._workspace.data_quality
        call = partial(quality.get_monitor, _TABLE, self._id(table))
        return self._at(ask(call, f"monitor of {table}", _read(table), just_made=True))

    def create(self, monitor: Monitor, passing: tuple[type[Exception], ...]) -> At:
        quality, told = self._workspace.data_quality, self._told(monitor)
        told.data_profiling_config.assets_dir = _folder(self._workspace)
        return self._at(_change(partial(quality.create_monitor, told), monitor, passing))

    def update(self, monitor: Monitor) -> At:
        quality, told = self._workspace.data_quality, self._told(monitor)
        declared = ("output_schema_id", "baseline_table_name", "slicing_exprs", _kind(monitor))
        mask = ",".join(f"data_profiling_config.{name}" for name in declared)
        call = partial(quality.update_monitor, _TABLE, told.object_id, told, mask)
        return self._at(_change(call, monitor))

    def _at(self, found: Any) -> At:
        config = found.data_profiling_config
        return _state(
            config.status if config else None,
            config.latest_monitor_failure_message if config else "it profiles nothing",
        )

    def start(self, table: str) -> At:
        from databricks.sdk.service.dataquality import Refresh

        quality, number = self._workspace.data_quality, self._id(table)
        new = Refresh(object_type=_TABLE, object_id=number)
        return _refresh(_wait(partial(quality.create_refresh, _TABLE, number, new), table))

    def look(self, table: str, number: int) -> At:
        quality = self._workspace.data_quality
        call = partial(quality.get_refresh, _TABLE, self._id(table), number)
        return _refresh(_wait(call, table))

    def _id(self, table: str) -> str:
        if table not in self._ids:
            tables = self._workspace.tables
            found = ask(partial(tables.get, table), f"table {table}", _read(table))
            self._ids[table] = _known(found.table_id, f"table {table}")
        return self._ids[table]

    def _told(self, monitor: Monitor) -> Any:
        from databricks.sdk.service.dataquality import DataProfilingConfig
        from databricks.sdk.service.dataquality import Monitor as Declared

        schema, schemas = monitor.table.rpartition(".")[0], self._workspace.schemas
        found = ask(partial(schemas.get, schema), f"schema {schema}", f"USE SCHEMA on {schema}")
        config = DataProfilingConfig(
            output_schema_id=_known(found.schema_id, f"schema {schema}"),
            baseline_table_name=monitor.baseline,
            slicing_exprs=list(monitor.slices),
            **{_kind(monitor): _config(monitor)},
        )
        return Declared(_TABLE, self._id(monitor.table), data_profiling_config=config)


def _kind(monitor: Monitor) -> str:
    """What the watched table is; only an inference log is told apart by model version."""
    if monitor.timestamp is None:
        return "snapshot"
    return "time_series" if monitor.model_id is None else "inference_log"


def _config(monitor: Monitor) -> Any:
    """How the newer API is told of the kind."""
    from databricks.sdk.service.dataquality import (
        AggregationGranularity,
        InferenceLogConfig,
        InferenceProblemType,
        SnapshotConfig,
        TimeSeriesConfig,
    )

    if monitor.timestamp is None or monitor.granularity is None:
        return SnapshotConfig()
    name = monitor.granularity.upper().replace(" ", "_")
    granularities = [AggregationGranularity[f"AGGREGATION_GRANULARITY_{name}"]]
    if monitor.model_id is None or monitor.prediction is None:
        return TimeSeriesConfig(monitor.timestamp, granularities)
    return InferenceLogConfig(
        problem_type=InferenceProblemType[f"INFERENCE_PROBLEM_TYPE_{monitor.problem.upper()}"],
        timestamp_column=monitor.timestamp,
        granularities=granularities,
        prediction_column=monitor.prediction,
        model_id_column=monitor.model_id,
        label_column=monitor.label,
    )


def _read(table: str) -> str:
    """What it takes to see a table's monitor."""
    return f"MANAGE and SELECT on {table}"


def _known(number: str | None, what: str) -> str:
    if not number:
        raise PlatformError(f"{what}: the workspace does not tell its id; it needs BROWSE on it")
    return number


def _folder(workspace: WorkspaceClient) -> str:
    me = ask(workspace.current_user.me, "who asks", "a valid token")
    return f"/Workspace/Users/{me.user_name}/monitors"


def _change(
    call: Callable[[], Any], monitor: Monitor, passing: Sequence[type[Exception]] = ()
) -> Any:
    schema = monitor.table.rpartition(".")[0]
    right = f"{_read(monitor.table)}, USE SCHEMA and CREATE TABLE on {schema}"
    return ask(call, f"monitor of {monitor.table}", right, passing=tuple(passing))


def _wait(call: Callable[[], Any], table: str) -> Any:
    """An answer about a refresh, of a monitor that may have been made a moment ago."""
    what = f"refresh of the monitor of {table}"
    return ask(call, what, f"MANAGE on {table}", just_made=True)


def _state(status: Any, message: str | None) -> At:
    """MONITOR_STATUS_… or DATA_PROFILING_STATUS_…, by its last word."""
    called = status.value if status else "in no state"
    state = {"PENDING": WAITING, "ACTIVE": READY}.get(called.rpartition("_")[2], ENDED_BADLY)
    if called.endswith("DELETE_PENDING"):
        state = ENDED_BADLY
    return At(state, called, message or "")


def _refresh(found: Any) -> At:
    called = found.state.value if found.state else "in no state"
    last = called.rpartition("_")[2]
    state = {"PENDING": WAITING, "RUNNING": WAITING, "SUCCESS": READY}.get(last, ENDED_BADLY)
    return At(state, last, found.message or "", found.refresh_id or 0)


def _named(monitor: Monitor) -> dict[str, Any]:
    """How the older API is told of a monitor."""
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
    log = MonitorInferenceLog(
        problem_type=MonitorInferenceLogProblemType[f"PROBLEM_TYPE_{monitor.problem.upper()}"],
        timestamp_col=monitor.timestamp,
        granularities=[monitor.granularity],
        prediction_col=monitor.prediction,
        model_id_col=monitor.model_id,
        label_col=monitor.label,
    )
    return {**told, "inference_log": log}
