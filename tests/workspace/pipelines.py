"""Pipelines: what an online table is filled by.

kept["pipelines"]: id → states that its newest update goes through; kept["next updates"]: those of
the update that is started next.
"""

from __future__ import annotations

from databricks.sdk.service.pipelines import PipelinesAPI

from workspace.routes import Refused, absent, route

PIPELINE = "/api/2.0/pipelines/{pipeline_id}"
UPDATES = f"{PIPELINE}/updates"
ENDED = ("COMPLETED", "FAILED", "CANCELED")


def _states(space, name):
    if name not in space.kept["pipelines"]:
        raise absent(f"The specified pipeline {name}")
    return space.kept["pipelines"][name]


@route("GET", PIPELINE, PipelinesAPI.get)
def get(space, asked):
    """Its state goes along the list kept for it, and stays at the last."""
    name = asked.path["pipeline_id"]
    states = _states(space, name)
    state = states.pop(0) if len(states) > 1 else states[0]
    update = {"update_id": str(space.kept["updates"].get(name, 1)), "state": state}
    return {"pipeline_id": name, "latest_updates": [update]}


@route("POST", UPDATES, PipelinesAPI.start_update)
def start(space, asked):
    name = asked.path["pipeline_id"]
    states = _states(space, name)
    if states[0] not in ENDED:
        raise Refused(409, "RESOURCE_CONFLICT", f"An active update of {name} exists.")
    space.kept["updates"][name] = space.kept["updates"].get(name, 1) + 1
    states[:] = space.kept["next updates"].get(name, ["RUNNING", "COMPLETED"])
    return {"update_id": str(space.kept["updates"][name])}
