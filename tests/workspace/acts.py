"""How the adapters come to make their calls, and what a workspace has before: see scenarios.py."""

from __future__ import annotations

import dataclasses
import datetime as dt

from nextbest.errors import PlatformError
from nextbest.platforms import Endpoint, Monitor
from nextbest.platforms.databricks import jobs as job_runs
from nextbest.platforms.databricks import online_store, secrets
from nextbest.platforms.databricks.doctor import examine
from nextbest.platforms.databricks.monitors import DatabricksMonitors
from nextbest.platforms.databricks.needs import Cluster, Needs
from nextbest.platforms.databricks.serving import DatabricksServing
from nextbest.platforms.databricks.statements import choose_warehouse, rows_of
from workspace import identity
from workspace.server import Workspace

MONITOR = Monitor(
    table="prod.nba.recommendations", baseline="prod.nba.training_baseline",
    timestamp="decided_at", granularity="1 day", model_id="model_version", prediction="value",
    columns=("a",),
)  # fmt: skip
NEEDS = Needs("prod", "nba", "landing", (Cluster("ml", "17.3", "i3.xlarge", "p1"),),
              "quality_monitors")  # fmt: skip
JOB = "nextbest training"


def refresh(space: Workspace, monitor: Monitor = MONITOR) -> None:
    refresh_by(space, "quality_monitors", monitor)


def refresh_by(space: Workspace, api: str, monitor: Monitor = MONITOR) -> None:
    DatabricksMonitors(space.client(), api).refresh(monitor, dt.date(2026, 3, 1))


def refresh_newly(space: Workspace, monitor: Monitor = MONITOR) -> None:
    refresh_by(space, "data_quality", monitor)


def tables_are_there(space: Workspace) -> None:
    """What the newer API of data profiling asks the ids of."""
    space.kept["schemas"]["prod.nba"] = identity.ME
    for table in (MONITOR.table, MONITOR.baseline):
        space.kept["tables"][table] = 1


def monitored(space: Workspace) -> None:
    tables_are_there(space)
    refresh_newly(space)


def tell_secret(space: Workspace) -> None:
    assert secrets.get(space.client(), "alerts", "slack") == "https://x.org/ä"


def hide_secret(space: Workspace) -> None:
    space.kept["secret scopes"]["alerts"] = {"slack": "https://x.org/ä"}


def deploy(space: Workspace, version: str = "3") -> Endpoint:
    return DatabricksServing(space.client()).deploy("nba", "prod.nba.model", version)


def deploy_next(space: Workspace) -> Endpoint:
    return deploy(space, "4")


def query(space: Workspace) -> list[object]:
    endpoint = Endpoint("nba", "prod.nba.model", "3", "/serving-endpoints/nba/invocations")
    return DatabricksServing(space.client()).query(endpoint, [{"a": 1.0}])


def arrived(space: Workspace) -> None:
    online_store._arrived(space.client(), "p1", "prod.nba.customer_features")


def filling(space: Workspace) -> None:
    space.kept["pipelines"]["p1"] = ["RUNNING", "COMPLETED"]


def filled(space: Workspace) -> None:
    space.kept["pipelines"]["p1"] = ["COMPLETED"]


def ready(space: Workspace) -> None:
    """A workspace in which NEEDS are met, and the job is deployed."""
    space.kept["account"]["metastore"] = "m1"
    for kind, name in (("catalogs", "prod"), ("schemas", "prod.nba"),
                       ("volumes", "prod.nba.landing")):  # fmt: skip
        space.kept[kind][name] = "platform-team"
        space.kept["grants"][name] = ["ALL_PRIVILEGES"]
    space.kept["runtimes"]["17.3"] = space.kept["node types"]["i3.xlarge"] = 1
    space.kept["policies"]["p1"] = "small clusters"
    space.kept["online stores"].update({"a": 1, "b": 1})
    space.kept["jobs"][11] = {"name": JOB, "tasks": ["train", "validate", "tell"]}
    space.kept["jobs"][12] = {"name": JOB.upper(), "tasks": []}


def doctor(space: Workspace) -> None:
    """Raises what it finds as one refusal."""
    found = [each for each in examine(space.client(), NEEDS) if each.state != "ok"]
    if found:
        raise PlatformError("; ".join(" ".join(dataclasses.astuple(each)) for each in found))


def find(space: Workspace) -> None:
    assert job_runs.find(space.client(), JOB) == 11


def start(space: Workspace) -> None:
    job_runs.start(space.client(), 11, {"seed": "3"}, None)
    follow(space)


def follow(space: Workspace) -> None:
    """Raises what it says of a task besides what the task said."""
    ended = job_runs.follow(space.client(), 1, lambda *told: None)
    told = [each.error for each in ended.tasks if each.error not in ("", "no rows")]
    if told:
        raise PlatformError("; ".join(told))


def failing(space: Workspace) -> None:
    ready(space)
    space.kept["ends"]["train"] = ("RUN_EXECUTION_ERROR", "no rows")
    job_runs.start(space.client(), 11, {"seed": "3"}, None)


def failed(space: Workspace) -> None:
    failing(space)
    follow(space)
    space.kept["ends"].clear()


def start_once(space: Workspace) -> None:
    (follow if space.kept["runs"] else start)(space)


def repair(space: Workspace) -> None:
    client = space.client()
    job_runs.follow(client, 1, lambda *told: None, job_runs.repair(client, 1))


def repair_once(space: Workspace) -> None:
    (follow if space.kept["runs"][1]["repairs"] else repair)(space)


def warehouse(space: Workspace) -> None:
    space.kept["warehouses"].update({"w1": "Starter", "w2": "Large"})
    space.kept["sql"]["engine"] = lambda statement, given: (["n"], [[at] for at in range(5)])


def asked(space: Workspace) -> None:
    rows = rows_of(space.client(), "w1", "SELECT n", {"since": "now"}, "SELECT on it")
    assert [row["n"] for row in rows] == ["0", "1", "2", "3", "4"]


def chosen(space: Workspace) -> None:
    """That none was named is told with those that could be."""
    try:
        choose_warehouse(space.client(), None)
    except PlatformError as error:
        if "w1 (Starter), w2 (Large)" not in str(error):
            raise
