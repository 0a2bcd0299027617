"""Data profiling: a monitor per table; refreshes that take two looks to end.

hooks["profile"] gets the monitor as it was declared, and writes its metric tables.
"""

from __future__ import annotations

from databricks.sdk.service.catalog import QualityMonitorsAPI

from workspace.routes import Refused, absent, route

MONITOR = "/api/2.1/unity-catalog/tables/{table_name}/monitor"
REFRESHES = f"{MONITOR}/refreshes"
REFRESH = f"{REFRESHES}/{{refresh_id}}"


def _monitor(space, asked):
    table = asked.path["table_name"]
    if table not in space.kept["monitors"]:
        raise absent(f"Monitor of table '{table}'")
    return space.kept["monitors"][table]


@route("GET", MONITOR, QualityMonitorsAPI.get)
def get(space, asked):
    return _monitor(space, asked)


@route("POST", MONITOR, QualityMonitorsAPI.create)
def create(space, asked):
    table = asked.path["table_name"]
    if table in space.kept["monitors"]:
        raise Refused(409, "RESOURCE_ALREADY_EXISTS", f"Monitor of '{table}' already exists.")
    if sum(kind in asked.body for kind in ("inference_log", "time_series", "snapshot")) != 1:
        raise Refused(400, "INVALID_PARAMETER_VALUE", "Give exactly one kind of profile.")
    space.kept["monitors"][table] = {
        **asked.body,
        "table_name": table,
        "status": "MONITOR_STATUS_ACTIVE",
        "monitor_version": 0,
        "profile_metrics_table_name": f"{table}_profile_metrics",
        "drift_metrics_table_name": f"{table}_drift_metrics",
    }
    return space.kept["monitors"][table]


@route("PUT", MONITOR, QualityMonitorsAPI.update)
def update(space, asked):
    monitor = _monitor(space, asked)
    monitor.update(asked.body, monitor_version=monitor["monitor_version"] + 1)
    return monitor


@route("POST", REFRESHES, QualityMonitorsAPI.run_refresh)
def run_refresh(space, asked):
    monitor = _monitor(space, asked)
    if "profile" in space.hooks:
        space.hooks["profile"](monitor)
    number = len(space.kept["refreshes"]) + 1
    space.kept["refreshes"][str(number)] = {
        "refresh_id": number, "state": "PENDING", "start_time_ms": 0, "trigger": "MANUAL",
    }  # fmt: skip
    return dict(space.kept["refreshes"][str(number)])


@route("GET", REFRESH, QualityMonitorsAPI.get_refresh)
def get_refresh(space, asked):
    found = space.kept["refreshes"].get(asked.path["refresh_id"])
    if found is None:
        raise absent(f"Refresh {asked.path['refresh_id']}")
    ends = space.kept["ends of refreshes"].get(found["refresh_id"], {"state": "SUCCESS"})
    found.update({"state": "RUNNING"} if found["state"] == "PENDING" else ends)
    return dict(found)
