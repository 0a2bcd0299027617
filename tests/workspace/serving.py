"""Model serving: endpoints whose configuration takes two looks to be live.

Versions in kept["rejects"] never come up; kept["slow endpoints"]["looks"] are further
looks. hooks["answer"] gets what is served and the records.
"""

from __future__ import annotations

from databricks.sdk.service.serving import ServingEndpointsAPI

from workspace.routes import Refused, absent, route

ENDPOINTS = "/api/2.0/serving-endpoints"
ENDPOINT = f"{ENDPOINTS}/{{name}}"
CONFIG = f"{ENDPOINT}/config"
INVOCATIONS = "/serving-endpoints/{name}/invocations"


def _endpoint(space, name):
    if name not in space.kept["endpoints"]:
        raise absent(f"Endpoint with name '{name}'")
    return space.kept["endpoints"][name]


def _serve(endpoint, entities):
    """Entities are served as the workspace tells of them; they are not live at once."""
    endpoint["config"] = {"served_entities": entities}
    endpoint["state"] = {"ready": "NOT_READY", "config_update": "IN_PROGRESS"}


def _rejected(space, entities):
    return any(each["entity_version"] in space.kept["rejects"] for each in entities)


@route("GET", ENDPOINT, ServingEndpointsAPI.get)
def get(space, asked):
    endpoint = _endpoint(space, asked.path["name"])
    told = {**endpoint, "state": dict(endpoint["state"])}
    slow = space.kept["slow endpoints"]
    if endpoint["state"]["config_update"] == "IN_PROGRESS" and slow.get("looks", 0):
        slow["looks"] -= 1
    elif endpoint["state"]["config_update"] == "IN_PROGRESS":
        endpoint["state"] = {"ready": "READY", "config_update": "NOT_UPDATING"}
    return told


@route("GET", ENDPOINTS, ServingEndpointsAPI.list)
def listed(space, asked):
    return {"endpoints": [{"name": name} for name in space.kept["endpoints"]]}


@route("POST", ENDPOINTS, ServingEndpointsAPI.create)
def create(space, asked):
    name = asked.body["name"]
    if name in space.kept["endpoints"]:
        raise Refused(409, "RESOURCE_ALREADY_EXISTS", f"Endpoint '{name}' already exists.")
    space.kept["endpoints"][name] = {"name": name}
    endpoint, entities = space.kept["endpoints"][name], asked.body["config"]["served_entities"]
    _serve(endpoint, entities)
    if _rejected(space, entities):
        endpoint["state"]["config_update"] = "UPDATE_FAILED"
    return endpoint


@route("DELETE", ENDPOINT, ServingEndpointsAPI.delete, dict)
def delete(space, asked):
    _endpoint(space, asked.path["name"])
    del space.kept["endpoints"][asked.path["name"]]
    return {}


@route("PUT", CONFIG, ServingEndpointsAPI.update_config)
def update_config(space, asked):
    endpoint = _endpoint(space, asked.path["name"])
    if endpoint["state"]["config_update"] == "IN_PROGRESS":
        raise Refused(409, "RESOURCE_CONFLICT", f"Endpoint '{endpoint['name']}' is being updated.")
    entities = asked.body["served_entities"]
    if _rejected(space, entities):
        endpoint["state"]["config_update"] = "UPDATE_FAILED"  # what answered goes on answering
    else:
        _serve(endpoint, entities)
    return endpoint


@route("POST", INVOCATIONS, ServingEndpointsAPI.query)
def query(space, asked):
    endpoint, records = _endpoint(space, asked.path["name"]), asked.body["dataframe_records"]
    if "answer" in space.hooks:
        (entity,) = endpoint["config"]["served_entities"]
        return {"predictions": space.hooks["answer"](entity, records)}
    return {"predictions": [{"asked": record} for record in records]}
