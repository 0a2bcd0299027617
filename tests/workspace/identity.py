"""Who asks."""

from __future__ import annotations

from databricks.sdk.service.iam import CurrentUserAPI

from workspace.routes import route


@route("GET", "/api/2.0/preview/scim/v2/Me", CurrentUserAPI.me)
def me(space, asked):
    return {"userName": "me@example.com"}
