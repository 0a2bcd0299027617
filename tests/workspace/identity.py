"""Who asks: kept["entitlements"] are theirs, and kept["grants to groups"] has their groups."""

from __future__ import annotations

from databricks.sdk.service.iam import CurrentUserAPI

from workspace.routes import route

ME = "me@example.com"
PATH = "/api/2.0/preview/scim/v2/Me"


@route("GET", PATH, CurrentUserAPI.me)
def me(space, asked):
    entitled = [{"value": each} for each in space.kept["entitlements"]]
    groups = [{"display": name} for name in ("users", *space.kept["grants to groups"])]
    return {"userName": ME, "entitlements": entitled, "groups": groups}
