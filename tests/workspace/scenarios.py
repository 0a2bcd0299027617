"""What brings each call about: one scenario per route, for the faults of test_faults.py.

To add one: how the adapter comes to make the call, in a workspace where all goes well, and what a
refusal must name. test_faults.py fails for a route that has none.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from nextbest.errors import PlatformError
from nextbest.platforms import Endpoint, Monitor
from nextbest.platforms.databricks import jobs as job_runs
from nextbest.platforms.databricks import online_store, secrets
from nextbest.platforms.databricks.doctor import Cluster, Needs, examine
from nextbest.platforms.databricks.monitors import DatabricksMonitors
from nextbest.platforms.databricks.serving import DatabricksServing
from nextbest.platforms.databricks.statements import choose_warehouse, rows_of
from workspace import (
    compute,
    data_quality,
    features,
    identity,
    jobs,
    monitors,
    pipelines,
    serving,
    warehouses,
)
from workspace import secrets as scopes
from workspace import unity_catalog as catalog
from workspace.faults import BROKEN, DROPPED, LOST
from workspace.server import Workspace

MONITOR = Monitor(
    table="prod.nba.recommendations", baseline="prod.nba.training_baseline",
    timestamp="decided_at", granularity="1 day", model_id="model_version", prediction="value",
    columns=("a",),
)  # fmt: skip
NEEDS = Needs("prod", "nba", "landing", (Cluster("ml", "17.3", "i3.xlarge", "p1"),),
              "quality_monitors")  # fmt: skip
JOB = "nextbest training"
# What dbb leaves to the Databricks CLI, whose stand-in (program.py) asks for it.
OF_THE_CLI = {
    "AlertsV2API.create_alert", "AlertsV2API.trash_alert", "AlertsV2API.update_alert",
    "ExperimentsAPI.create_experiment", "JobsAPI.create", "JobsAPI.delete", "JobsAPI.reset",
    "LakeviewAPI.create", "LakeviewAPI.publish", "LakeviewAPI.trash", "LakeviewAPI.update",
    "RegisteredModelsAPI.create", "SchemasAPI.create", "SchemasAPI.update",
    "SecretsAPI.create_scope", "VolumesAPI.create", "VolumesAPI.update",
}  # fmt: skip


@dataclass(frozen=True)
class Scenario:
    """`act` makes the call in the workspace that `prepare` leaves.

    named: what a refusal calls the thing; right: what it says is needed after 403 and 404; refused:
    other words for a status or fault, "" where it is an answer like any other; since: the call
    after which it may not be found for a while; pages: there is a second page; again: what a
    person does after a refusal, who looks first whether it was done, where that matters.
    """

    act: Callable[[Workspace], object]
    named: str
    right: str
    prepare: Callable[[Workspace], object] = lambda space: None
    refused: Mapping[int | str, str] = field(default_factory=dict)
    since: tuple[str, str] | None = None
    pages: bool = False
    again: Callable[[Workspace], object] | None = None


def refresh(space: Workspace) -> None:
    refresh_by(space, "quality_monitors")


def refresh_by(space: Workspace, api: str) -> None:
    DatabricksMonitors(space.client(), api).refresh(MONITOR, dt.date(2026, 3, 1))


def refresh_newly(space: Workspace) -> None:
    refresh_by(space, "data_quality")


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


ON_MONITOR = "MANAGE and SELECT on prod.nba.recommendations"
ON_ENDPOINT = "CAN MANAGE on the endpoint and EXECUTE on prod.nba.model"
UNUSABLE = {404: "enable it for the workspace", 403: "enable it for the workspace"}
THERE_ALREADY = {409: "not there, or hidden"}
SCENARIOS: dict[tuple[str, str], Scenario] = {
    ("GET", monitors.MONITOR): Scenario(
        refresh, "monitor of prod.nba.recommendations", ON_MONITOR, refused={404: ""}),
    ("POST", monitors.MONITOR): Scenario(
        refresh, "monitor of prod.nba.recommendations", ON_MONITOR, refused=THERE_ALREADY),
    ("PUT", monitors.MONITOR): Scenario(
        refresh, "monitor of prod.nba.recommendations", ON_MONITOR, refresh),
    ("POST", monitors.REFRESHES): Scenario(
        refresh, "refresh of the monitor of prod.nba", "MANAGE on prod.nba.recommendations",
        since=("POST", monitors.MONITOR)),
    ("GET", monitors.REFRESH): Scenario(
        refresh, "refresh of the monitor of prod.nba", "MANAGE on prod.nba.recommendations",
        since=("POST", monitors.REFRESHES)),
    ("GET", data_quality.MONITOR): Scenario(
        refresh_newly, "monitor of prod.nba.recommendations", ON_MONITOR, tables_are_there),
    ("POST", data_quality.MONITORS): Scenario(
        refresh_newly, "monitor of prod.nba.recommendations", ON_MONITOR, tables_are_there,
        refused=THERE_ALREADY),
    ("PATCH", data_quality.MONITOR): Scenario(
        refresh_newly, "monitor of prod.nba.recommendations", ON_MONITOR, monitored),
    ("POST", data_quality.REFRESHES): Scenario(
        refresh_newly, "refresh of the monitor of prod.nba", "MANAGE on prod.nba.recommendations",
        tables_are_there, since=("POST", data_quality.MONITORS)),
    ("GET", data_quality.REFRESH): Scenario(
        refresh_newly, "refresh of the monitor of prod.nba", "MANAGE on prod.nba.recommendations",
        tables_are_there, since=("POST", data_quality.REFRESHES)),
    ("GET", catalog.TABLE): Scenario(
        refresh_newly, "table prod.nba.recommendations", ON_MONITOR, tables_are_there),
    ("GET", scopes.SECRET): Scenario(
        tell_secret, "secret slack of scope alerts", "READ on scope alerts", hide_secret),
    ("GET", identity.PATH): Scenario(refresh, "who asks", "a valid token"),
    ("GET", serving.ENDPOINT): Scenario(
        deploy, "endpoint nba for prod.nba.model version 3", ON_ENDPOINT,
        since=("POST", serving.ENDPOINTS)),
    ("POST", serving.ENDPOINTS): Scenario(
        deploy, "endpoint nba for prod.nba.model version 3", ON_ENDPOINT, refused=THERE_ALREADY),
    ("PUT", serving.CONFIG): Scenario(
        deploy_next, "endpoint nba for prod.nba.model version 4", ON_ENDPOINT, deploy,
        refused={409: "it does not answer by this version"}),
    ("GET", serving.ENDPOINTS): Scenario(doctor, "Model Serving", "", ready, UNUSABLE),
    ("POST", serving.INVOCATIONS): Scenario(
        query, "endpoint nba", "CAN QUERY on the endpoint", deploy),
    ("GET", pipelines.PIPELINE): Scenario(
        arrived, "pipeline p1", "CAN VIEW on the pipeline", filling),
    ("POST", pipelines.UPDATES): Scenario(
        arrived, "pipeline p1", "CAN RUN on the pipeline", filled,
        refused={409: "can't be started"}),
    ("GET", jobs.LIST): Scenario(
        find, f"job '{JOB}'", "CAN VIEW on the job", ready, pages=True),
    ("POST", jobs.RUN_NOW): Scenario(
        start, "job 11", "CAN MANAGE RUN on the job", ready,
        dict.fromkeys((LOST, BROKEN), "look at the job's runs before you start it again"),
        again=start_once),
    ("GET", jobs.GET_RUN): Scenario(
        start, "run 1", "CAN VIEW on the run", ready, pages=True, since=("POST", jobs.RUN_NOW),
        refused=dict.fromkeys((429, 500, 503, DROPPED, LOST, BROKEN), "the run goes on"),
        again=start_once),
    ("GET", jobs.OUTPUT): Scenario(
        follow, "output of task train", "CAN VIEW on the run", failing,
        since=("GET", jobs.GET_RUN)),
    ("POST", jobs.REPAIR): Scenario(
        repair, "run 1", "CAN MANAGE RUN on the job", failed,
        dict.fromkeys((LOST, BROKEN), "look at the run's page before you repair it again"),
        again=repair_once),
    ("GET", f"{catalog.PREFIX}/current-metastore-assignment"): Scenario(
        doctor, "metastore", "BROWSE or USE on the metastore", ready, {404: "assign one to it"}),
    ("GET", f"{catalog.PREFIX}/catalogs/{{name}}"): Scenario(
        doctor, "prod", "BROWSE or USE on catalog prod", ready, {404: "grant USE CATALOG on it"}),
    ("GET", f"{catalog.PREFIX}/schemas/{{full_name}}"): Scenario(
        doctor, "schema prod.nba", "BROWSE or USE on schema prod.nba", ready, {404: ""}),
    ("GET", f"{catalog.PREFIX}/volumes/{{name}}"): Scenario(
        doctor, "volume prod.nba.landing", "BROWSE or USE on volume prod.nba.landing", ready,
        {404: ""}),
    ("GET", catalog.EFFECTIVE): Scenario(
        doctor, "prod", "BROWSE on prod", ready, {404: "lacks USE CATALOG"}, pages=True),
    ("GET", compute.RUNTIMES): Scenario(doctor, "runtimes", "workspace access", ready),
    ("GET", compute.NODE_TYPES): Scenario(doctor, "instance types", "workspace access", ready),
    ("GET", compute.POLICY): Scenario(
        doctor, "policy p1", "CAN USE on the policy", ready),
    ("GET", features.STORES): Scenario(
        doctor, "Online Feature Store", "", ready, UNUSABLE, pages=True),
    ("GET", warehouses.WAREHOUSES): Scenario(
        chosen, "SQL warehouses", "workspace access", warehouse, pages=True),
    ("POST", warehouses.STATEMENTS): Scenario(
        asked, "query on warehouse w1", "CAN USE on the warehouse, SELECT on it", warehouse),
    ("GET", warehouses.STATEMENT): Scenario(
        asked, "query on warehouse w1", "to be asked by who started it", warehouse,
        since=("POST", warehouses.STATEMENTS)),
    ("GET", warehouses.CHUNK): Scenario(
        asked, "query on warehouse w1", "to be asked by who started it", warehouse,
        since=("GET", warehouses.STATEMENT)),
}  # fmt: skip
