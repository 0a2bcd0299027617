"""Unity Catalog: the metastore, catalogs, schemas, volumes and who may do what with them.

kept["catalogs"], kept["schemas"] and kept["volumes"]: full name → owner; kept["grants"]: full
name → privileges that whoever asks holds on it, inherited ones included.
"""

from __future__ import annotations

from databricks.sdk.service.catalog import (
    CatalogsAPI,
    GrantsAPI,
    MetastoresAPI,
    SchemasAPI,
    VolumesAPI,
)

from workspace.routes import absent, route

PREFIX = "/api/2.1/unity-catalog"
EFFECTIVE = f"{PREFIX}/effective-permissions/{{securable_type}}/{{full_name}}"


def _owned(space, kind, name):
    if name not in space.kept[kind]:
        raise absent(f"{kind.removesuffix('s').capitalize()} '{name}'")
    return {"full_name": name, "owner": space.kept[kind][name]}


@route("GET", f"{PREFIX}/current-metastore-assignment", MetastoresAPI.current)
def metastore(space, asked):
    if "metastore" not in space.kept["account"]:
        raise absent("Metastore assignment")
    return {"metastore_id": space.kept["account"]["metastore"], "workspace_id": 1}


@route("GET", f"{PREFIX}/catalogs/{{name}}", CatalogsAPI.get)
def catalog(space, asked):
    return _owned(space, "catalogs", asked.path["name"])


@route("GET", f"{PREFIX}/schemas/{{full_name}}", SchemasAPI.get)
def schema(space, asked):
    return _owned(space, "schemas", asked.path["full_name"])


@route("GET", f"{PREFIX}/volumes/{{name}}", VolumesAPI.read)
def volume(space, asked):
    return _owned(space, "volumes", asked.path["name"])


@route("GET", EFFECTIVE, GrantsAPI.get_effective)
def effective(space, asked):
    held = space.kept["grants"].get(asked.path["full_name"], [])
    privileges = [{"privilege": each} for each in held]
    who = asked.query["principal"]
    return {"privilege_assignments": [{"principal": who, "privileges": privileges}]}
