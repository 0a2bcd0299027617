"""Data profiling by its newer API: by ids; a new monitor is pending for one look.

hooks["profile"] gets the monitor in the words of the older API, and writes its metric tables.
kept["data quality"]: table id → its data_profiling_config.
"""

from __future__ import annotations

from databricks.sdk.service.dataquality import DataQualityAPI

from workspace.routes import Refused, absent, route
from workspace.unity_catalog import schema_name, table_name

MONITORS = "/api/data-quality/v1/monitors"
MONITOR = f"{MONITORS}/{{object_type}}/{{object_id}}"
REFRESHES = f"{MONITOR}/refreshes"
REFRESH = f"{REFRESHES}/{{refresh_id}}"
KINDS = ("inference_log", "time_series", "snapshot")


def _config(space, number):
    if number not in space.kept["data quality"]:
        raise absent(f"Monitor of table '{number}'")
    return space.kept["data quality"][number]


def _told(number, config):
    """With the fields that only the workspace gives."""
    return {"object_type": "table", "object_id": number, "data_profiling_config": dict(config)}


def _checked(space, config):
    if sum(kind in config for kind in KINDS) != 1:
        raise Refused(400, "INVALID_PARAMETER_VALUE", "Give exactly one kind of profile.")
    schema_name(space, config["output_schema_id"])


@route("POST", MONITORS, DataQualityAPI.create_monitor, body="monitor")
def create(space, asked):
    number, config = asked.body["object_id"], dict(asked.body["data_profiling_config"])
    if number in space.kept["data quality"]:
        raise Refused(409, "ALREADY_EXISTS", f"Monitor of '{number}' already exists.")
    _checked(space, config)
    table = table_name(space, number)
    pending = {"status": "DATA_PROFILING_STATUS_PENDING", "monitored_table_name": table,
               "profile_metrics_table_name": f"{table}_profile_metrics",
               "drift_metrics_table_name": f"{table}_drift_metrics"}  # fmt: skip
    space.kept["data quality"][number] = config | pending
    return _told(number, space.kept["data quality"][number])


@route("GET", MONITOR, DataQualityAPI.get_monitor)
def get(space, asked):
    config = _config(space, asked.path["object_id"])
    told = _told(asked.path["object_id"], config)
    if config["status"] == "DATA_PROFILING_STATUS_PENDING":
        ends = space.kept["ends of monitors"].get("next", "DATA_PROFILING_STATUS_ACTIVE")
        config["status"] = ends
    return told


@route("PATCH", MONITOR, DataQualityAPI.update_monitor, body="monitor")
def update(space, asked):
    """Only what the mask names; of the configuration the rest stays."""
    config, given = _config(space, asked.path["object_id"]), asked.body["data_profiling_config"]
    _checked(space, given)
    for name in asked.query["update_mask"].split(","):
        where, _, field = name.partition(".")
        if where != "data_profiling_config" or not field:
            raise Refused(400, "INVALID_PARAMETER_VALUE", f"No such field to update: '{name}'.")
        config.pop(field, None)  # empty, where nothing is given
        config |= {field: given[field]} if field in given else {}
    return _told(asked.path["object_id"], config)


@route("POST", REFRESHES, DataQualityAPI.create_refresh, body="refresh")
def create_refresh(space, asked):
    config = _config(space, asked.path["object_id"])
    if config["status"] != "DATA_PROFILING_STATUS_ACTIVE":
        raise Refused(400, "INVALID_STATE", "The monitor is not active.")
    if "profile" in space.hooks:
        log = config["inference_log"]
        day = [each.rpartition("GRANULARITY_")[2].replace("_", " ").lower()
               for each in log["granularities"]]  # fmt: skip
        words = {"timestamp_col": log["timestamp_column"], "granularities": day,
                 "model_id_col": log["model_id_column"]}  # fmt: skip
        space.hooks["profile"](
            {"table_name": config["monitored_table_name"], "inference_log": words,
             "baseline_table_name": config["baseline_table_name"]}
        )  # fmt: skip
    number = len(space.kept["refreshes"]) + 1
    space.kept["refreshes"][str(number)] = {
        "object_type": "table", "object_id": asked.path["object_id"], "refresh_id": number,
        "state": "MONITOR_REFRESH_STATE_PENDING", "trigger": "MONITOR_REFRESH_TRIGGER_MANUAL",
    }  # fmt: skip
    return dict(space.kept["refreshes"][str(number)])


@route("GET", REFRESH, DataQualityAPI.get_refresh)
def get_refresh(space, asked):
    found = space.kept["refreshes"].get(asked.path["refresh_id"])
    if found is None:
        raise absent(f"Refresh {asked.path['refresh_id']}")
    ends = space.kept["ends of refreshes"].get(
        found["refresh_id"], {"state": "MONITOR_REFRESH_STATE_SUCCESS"}
    )
    waiting = found["state"] == "MONITOR_REFRESH_STATE_PENDING"
    found.update({"state": "MONITOR_REFRESH_STATE_RUNNING"} if waiting else ends)
    return dict(found)
