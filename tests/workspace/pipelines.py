"""Pipelines: what an online table is filled by."""

from __future__ import annotations

from databricks.sdk.service.pipelines import PipelinesAPI

from workspace.routes import absent, route

PIPELINE = "/api/2.0/pipelines/{pipeline_id}"


@route("GET", PIPELINE, PipelinesAPI.get)
def get(space, asked):
    """Its state goes along the list kept for it, and stays at the last."""
    name = asked.path["pipeline_id"]
    if name not in space.kept["pipelines"]:
        raise absent(f"The specified pipeline {name}")
    states = space.kept["pipelines"][name]
    state = states.pop(0) if len(states) > 1 else states[0]
    return {"pipeline_id": name, "latest_updates": [{"update_id": "1", "state": state}]}
