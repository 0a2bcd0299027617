"""What brings each call about: one scenario per route, for the faults of test_faults.py.

To add one: how the adapter comes to make the call, in a workspace where all goes well, and what a
refusal must name. test_faults.py fails for a route that has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

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
from workspace.acts import (
    JOB,
    arrived,
    asked,
    chosen,
    deploy,
    deploy_next,
    doctor,
    failed,
    failing,
    filled,
    filling,
    find,
    follow,
    hide_secret,
    monitored,
    query,
    ready,
    refresh,
    refresh_newly,
    repair,
    repair_once,
    start,
    start_once,
    tables_are_there,
    tell_secret,
    warehouse,
)
from workspace.faults import BROKEN, DROPPED, LOST, NOT_READY
from workspace.server import Workspace

# What dbb leaves to the Databricks CLI, whose stand-in (program.py) asks for it.
OF_THE_CLI = {
    "AlertsV2API.create_alert", "AlertsV2API.trash_alert", "AlertsV2API.update_alert",
    "ExperimentsAPI.create_experiment", "JobsAPI.create", "JobsAPI.delete", "JobsAPI.reset",
    "LakeviewAPI.create", "LakeviewAPI.publish", "LakeviewAPI.trash", "LakeviewAPI.update",
    "RegisteredModelsAPI.create", "RegisteredModelsAPI.update",
    "SchemasAPI.create", "SchemasAPI.update",
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
        refused=dict.fromkeys(
            (429, 500, 502, 503, 504, NOT_READY, DROPPED, LOST, BROKEN), "the run goes on"),
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
