"""Experiments: kept["experiments"]: id → name; a deleted one is gone from there."""

from __future__ import annotations

from databricks.sdk.service.ml import ExperimentsAPI

from workspace.routes import Refused, absent, route

PREFIX = "/api/2.0/mlflow/experiments"
BY_NAME, CREATE, DELETE = f"{PREFIX}/get-by-name", f"{PREFIX}/create", f"{PREFIX}/delete"


@route("GET", BY_NAME, ExperimentsAPI.get_by_name)
def by_name(space, asked):
    name = asked.query["experiment_name"]
    for key, known in space.kept["experiments"].items():
        if known == name:
            told = {"experiment_id": key, "name": name, "lifecycle_stage": "active"}
            return {"experiment": told}
    raise absent(f"Node ID of '{name}'")


@route("POST", CREATE, ExperimentsAPI.create_experiment)
def create(space, asked):
    """Databricks leaves /Workspace out of the name."""
    name = asked.body["name"].removeprefix("/Workspace")
    if name in space.kept["experiments"].values():
        raise Refused(400, "RESOURCE_ALREADY_EXISTS", f"Node named '{name}' already exists.")
    key = str(space.number())
    space.kept["experiments"][key] = name
    return {"experiment_id": key}


@route("POST", DELETE, ExperimentsAPI.delete_experiment, dict)
def delete(space, asked):
    if space.kept["experiments"].pop(asked.body["experiment_id"], None) is None:
        raise absent(f"Experiment {asked.body['experiment_id']}")
    return {}
