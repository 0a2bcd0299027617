"""Alerts (v2): kept["alerts"]: id → the alert; names need not be unique."""

from __future__ import annotations

from databricks.sdk.service.sql import AlertsV2API

from workspace.routes import absent, route

ALERTS = "/api/2.0/alerts"
ALERT = f"{ALERTS}/{{id}}"


@route("POST", ALERTS, AlertsV2API.create_alert, body="alert")
def create(space, asked):
    number = f"alert-{space.number()}"
    space.kept["alerts"][number] = dict(asked.body)
    return {**asked.body, "id": number, "lifecycle_state": "ACTIVE"}


@route("GET", ALERTS, AlertsV2API.list_alerts)
def listed(space, asked):
    """In pages of one."""
    found = sorted(space.kept["alerts"].items())
    at = int(asked.query.get("page_token", 0))
    page = [{**alert, "id": number} for number, alert in found[at : at + 1]]
    more = {"next_page_token": str(at + 1)} if at + 1 < len(found) else {}
    return {"alerts": page, **more}


@route("PATCH", ALERT, AlertsV2API.update_alert, body="alert")
def update(space, asked):
    if asked.path["id"] not in space.kept["alerts"]:
        raise absent(f"Alert {asked.path['id']}")
    for name in asked.query["update_mask"].split(","):
        space.kept["alerts"][asked.path["id"]][name] = asked.body[name]
    return {**space.kept["alerts"][asked.path["id"]], "id": asked.path["id"]}


@route("DELETE", ALERT, AlertsV2API.trash_alert, dict)
def trash(space, asked):
    if asked.path["id"] not in space.kept["alerts"]:
        raise absent(f"Alert {asked.path['id']}")
    del space.kept["alerts"][asked.path["id"]]
    return {}
