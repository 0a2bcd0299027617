"""AI/BI dashboards: kept["dashboards"]: folder/name → what it was made of; "published" once it is.

Like a workspace it has one file of a name in a folder, and its list leaves folders out.
"""

from __future__ import annotations

import hashlib

from databricks.sdk.service.dashboards import LakeviewAPI

from workspace.routes import Refused, absent, route

DASHBOARDS = "/api/2.0/lakeview/dashboards"
DASHBOARD = f"{DASHBOARDS}/{{dashboard_id}}"
PUBLISHED = f"{DASHBOARD}/published"


def number_of(name):
    """The id of a dashboard by its folder and name."""
    return hashlib.md5(name.encode()).hexdigest()


def _name(space, asked):
    for name in space.kept["dashboards"]:
        if number_of(name) == asked.path["dashboard_id"]:
            return name
    raise absent(f"Dashboard {asked.path['dashboard_id']}")


def _told(space, name):
    made = space.kept["dashboards"][name]
    return {
        "dashboard_id": number_of(name),
        "lifecycle_state": "ACTIVE",
        **{
            key: made[key] for key in ("display_name", "parent_path", "warehouse_id") if key in made
        },
    }


@route("GET", DASHBOARDS, LakeviewAPI.list)
def listed(space, asked):
    """In pages of one."""
    names = sorted(space.kept["dashboards"])
    at = int(asked.query.get("page_token", 0))
    found = [_told(space, name) for name in names[at : at + 1]]
    short = [{key: each[key] for key in each if key != "parent_path"} for each in found]
    more = {"next_page_token": str(at + 1)} if at + 1 < len(names) else {}
    return {"dashboards": short, **more}


@route("GET", DASHBOARD, LakeviewAPI.get)
def get(space, asked):
    return _told(space, _name(space, asked))


@route("POST", DASHBOARDS, LakeviewAPI.create, body="dashboard")
def create(space, asked):
    name = f"{asked.body['parent_path']}/{asked.body['display_name']}"
    if name in space.kept["dashboards"]:
        raise Refused(409, "ALREADY_EXISTS", f"Node named '{name}' already exists.")
    space.kept["dashboards"][name] = {**asked.body, **asked.query}
    return _told(space, name)


@route("PATCH", DASHBOARD, LakeviewAPI.update, body="dashboard")
def update(space, asked):
    name = _name(space, asked)
    space.kept["dashboards"][name] |= {**asked.body, **asked.query}
    return _told(space, name)


@route("POST", PUBLISHED, LakeviewAPI.publish)
def publish(space, asked):
    made = space.kept["dashboards"][_name(space, asked)]
    made["published"] = dict(asked.body)
    return {"display_name": made["display_name"], **asked.body}


@route("DELETE", DASHBOARD, LakeviewAPI.trash, gives=dict)
def trash(space, asked):
    del space.kept["dashboards"][_name(space, asked)]
    return {}
