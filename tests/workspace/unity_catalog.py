"""Unity Catalog: the metastore, catalogs, schemas, volumes and who may do what with them.

kept["catalogs"], kept["schemas"] and kept["volumes"]: full name → owner; kept["grants"]: full
name → privileges that were granted to whoever asks on it or above; kept["grants to groups"]: group
of the account → full name → privileges; kept["comments"]: "kind
full.name" → text; kept["tables"]: full name → anything.
"""

from __future__ import annotations

import uuid

from databricks.sdk.service.catalog import (
    CatalogsAPI,
    GrantsAPI,
    MetastoresAPI,
    SchemasAPI,
    TablesAPI,
    VolumesAPI,
)

from workspace.identity import ME
from workspace.routes import Refused, absent, route

PREFIX = "/api/2.1/unity-catalog"
EFFECTIVE = f"{PREFIX}/effective-permissions/{{securable_type}}/{{full_name}}"
SCHEMAS, VOLUMES, TABLES = f"{PREFIX}/schemas", f"{PREFIX}/volumes", f"{PREFIX}/tables"
SCHEMA, VOLUME = f"{SCHEMAS}/{{full_name}}", f"{VOLUMES}/{{name}}"
TABLE = f"{TABLES}/{{full_name}}"
TABLE_EXISTS = f"{TABLES}/{{full_name}}/exists"


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
    name = asked.path["full_name"]
    return {**_owned(space, "schemas", name), "schema_id": number_of(name)}


@route("GET", f"{PREFIX}/volumes/{{name}}", VolumesAPI.read)
def volume(space, asked):
    return _owned(space, "volumes", asked.path["name"])


@route("GET", EFFECTIVE, GrantsAPI.get_effective)
def effective(space, asked):
    """Of one principal, not of its groups; in pages, the first of them empty."""
    who, name = asked.query["principal"], asked.path["full_name"]
    groups = {"account users": {}, **space.kept["grants to groups"]}
    if who != ME and who not in groups:
        raise Refused(404, "PRINCIPAL_DOES_NOT_EXIST", f"Could not find principal {who}")
    if asked.query.get("max_results") != "0":
        raise Refused(400, "INVALID_PARAMETER_VALUE", "Unpaginated calls are deprecated")
    if "page_token" not in asked.query:
        return {"next_page_token": "1"}
    held = (space.kept["grants"] if who == ME else groups[who]).get(name, [])
    privileges = [{"privilege": each} for each in held]
    return {"privilege_assignments": [{"principal": who, "privileges": privileges}]}


def _create(space, kind, name, asked):
    if name in space.kept[kind]:
        raise Refused(400, f"{kind[:-1].upper()}_ALREADY_EXISTS", f"'{name}' already exists")
    space.kept[kind][name] = ME
    space.kept["comments"][f"{kind} {name}"] = asked.body.get("comment", "")
    return {"full_name": name, "owner": ME}


def _update(space, kind, name, asked):
    told = _owned(space, kind, name)
    space.kept["comments"][f"{kind} {name}"] = asked.body.get("comment", "")
    return told


@route("POST", SCHEMAS, SchemasAPI.create)
def create_schema(space, asked):
    return _create(space, "schemas", f"{asked.body['catalog_name']}.{asked.body['name']}", asked)


@route("PATCH", SCHEMA, SchemasAPI.update)
def update_schema(space, asked):
    return _update(space, "schemas", asked.path["full_name"], asked)


@route("DELETE", SCHEMA, SchemasAPI.delete, dict)
def delete_schema(space, asked):
    """With force all that is in it goes, too."""
    name = asked.path["full_name"]
    _owned(space, "schemas", name)
    held = [(kind, each) for kind in ("tables", "volumes", "models", "versions")
            for each in space.kept[kind] if each.startswith(f"{name}.")]  # fmt: skip
    if held and asked.query.get("force") != "true":
        raise Refused(400, "INVALID_STATE", f"Schema '{name}' is not empty")
    for kind, each in [*held, ("schemas", name)]:
        del space.kept[kind][each]
    _forget(space, name)
    return {}


def _forget(space, name):
    """Comments and tags of what is gone, and of what it held."""
    for kind in ("tags", "comments"):
        for key in list(space.kept[kind]):
            if f"{key.split(' ')[1]}.".startswith(f"{name}."):
                del space.kept[kind][key]


@route("POST", VOLUMES, VolumesAPI.create)
def create_volume(space, asked):
    names = (asked.body[each] for each in ("catalog_name", "schema_name", "name"))
    return _create(space, "volumes", ".".join(names), asked)


@route("PATCH", VOLUME, VolumesAPI.update)
def update_volume(space, asked):
    return _update(space, "volumes", asked.path["name"], asked)


@route("DELETE", VOLUME, VolumesAPI.delete, dict)
def delete_volume(space, asked):
    _owned(space, "volumes", asked.path["name"])
    del space.kept["volumes"][asked.path["name"]]
    _forget(space, asked.path["name"])
    return {}


@route("GET", TABLES, TablesAPI.list)
def tables(space, asked):
    """In pages of one."""
    schema = f"{asked.query['catalog_name']}.{asked.query['schema_name']}"
    _owned(space, "schemas", schema)
    names = sorted(name for name in space.kept["tables"] if name.startswith(f"{schema}."))
    at = int(asked.query.get("page_token", 0))
    more = {"next_page_token": str(at + 1)} if at + 1 < len(names) else {}
    return {"tables": [{"full_name": name} for name in names[at : at + 1]], **more}


def number_of(name):
    """The id of a schema or table: told by its name, here."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


def table_name(space, number):
    """The name of the table with this id."""
    return _named(space, "tables", number)


def schema_name(space, number):
    """The name of the schema with this id."""
    return _named(space, "schemas", number)


def _named(space, kind, number):
    for name in space.kept[kind]:
        if number_of(name) == number:
            return name
    raise absent(f"{kind} '{number}'")


@route("GET", TABLE, TablesAPI.get)
def table(space, asked):
    name = asked.path["full_name"]
    if name not in space.kept["tables"]:
        raise absent(f"Table '{name}'")
    return {"full_name": name, "table_id": number_of(name)}


@route("GET", TABLE_EXISTS, TablesAPI.exists)
def table_exists(space, asked):
    return {"table_exists": asked.path["full_name"] in space.kept["tables"]}
