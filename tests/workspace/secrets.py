"""Secret scopes: kept["secrets"]["scope/key"] is the value."""

from __future__ import annotations

import base64

from databricks.sdk.service.workspace import SecretsAPI

from workspace.routes import absent, route

SECRET = "/api/2.0/secrets/get"


@route("GET", SECRET, SecretsAPI.get_secret)
def get_secret(space, asked):
    name = f"{asked.query['scope']}/{asked.query['key']}"
    if name not in space.kept["secrets"]:
        raise absent(f"Secret '{name}'")
    value = base64.b64encode(space.kept["secrets"][name].encode()).decode()
    return {"key": asked.query["key"], "value": value}
