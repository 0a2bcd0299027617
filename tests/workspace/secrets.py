"""Secret scopes: kept["secret scopes"]: name → key → value; lists tell of names only."""

from __future__ import annotations

import base64

from databricks.sdk.service.workspace import SecretsAPI

from workspace.routes import Refused, absent, route

SCOPES = "/api/2.0/secrets/scopes"
LIST, CREATE, DELETE = (f"{SCOPES}/{word}" for word in ("list", "create", "delete"))
SECRET = "/api/2.0/secrets/get"


@route("GET", LIST, SecretsAPI.list_scopes)
def listed(space, asked):
    """All at once: this answer has no pages."""
    scopes = space.kept["secret scopes"]
    return {"scopes": [{"name": name, "backend_type": "DATABRICKS"} for name in scopes]}


@route("POST", CREATE, SecretsAPI.create_scope, dict)
def create(space, asked):
    name = asked.body["scope"]
    if name in space.kept["secret scopes"]:
        raise Refused(400, "RESOURCE_ALREADY_EXISTS", f"Scope {name} already exists!")
    space.kept["secret scopes"][name] = {}
    return {}


@route("POST", DELETE, SecretsAPI.delete_scope, dict)
def delete(space, asked):
    if space.kept["secret scopes"].pop(asked.body["scope"], None) is None:
        raise absent(f"Scope {asked.body['scope']}")
    return {}


@route("GET", SECRET, SecretsAPI.get_secret)
def get_secret(space, asked):
    scope, key = asked.query["scope"], asked.query["key"]
    held = space.kept["secret scopes"].get(scope, {})
    if key not in held:
        raise absent(f"Secret '{scope}/{key}'")
    return {"key": key, "value": base64.b64encode(held[key].encode()).decode()}
