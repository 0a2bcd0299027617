"""Tags of Unity Catalog: kept["tags"]: "kind full.name key" → value."""

from __future__ import annotations

from databricks.sdk.service.catalog import EntityTagAssignmentsAPI

from workspace.routes import Refused, absent, route

TAGS = "/api/2.1/unity-catalog/entity-tag-assignments"
OF_ENTITY = f"{TAGS}/{{entity_type}}/{{entity_name}}/tags"
TAG = f"{OF_ENTITY}/{{tag_key}}"
KINDS = ("catalogs", "schemas", "tables", "columns", "volumes")


def _entity(space, kind, name):
    if kind not in KINDS:
        told = f"entity_type is {kind}, none of {', '.join(KINDS)}"
        raise Refused(400, "INVALID_PARAMETER_VALUE", told)
    if kind in ("schemas", "volumes") and name not in space.kept[kind]:
        raise absent(f"{kind} '{name}'")
    return f"{kind} {name}"


def _told(key, value):
    kind, name, tag = key.split(" ")
    return {"entity_type": kind, "entity_name": name, "tag_key": tag, "tag_value": value}


@route("GET", OF_ENTITY, EntityTagAssignmentsAPI.list)
def listed(space, asked):
    """In pages of one."""
    entity = _entity(space, asked.path["entity_type"], asked.path["entity_name"])
    held = [_told(*pair) for pair in sorted(space.kept["tags"].items())
            if pair[0].startswith(f"{entity} ")]  # fmt: skip
    at = int(asked.query.get("page_token", 0))
    more = {"next_page_token": str(at + 1)} if at + 1 < len(held) else {}
    return {"tag_assignments": held[at : at + 1], **more}


@route("POST", TAGS, EntityTagAssignmentsAPI.create, body="tag_assignment")
def create(space, asked):
    tag = asked.body
    key = f"{_entity(space, tag['entity_type'], tag['entity_name'])} {tag['tag_key']}"
    if key in space.kept["tags"]:
        raise Refused(409, "ALREADY_EXISTS", f"Tag '{tag['tag_key']}' is assigned already.")
    space.kept["tags"][key] = tag.get("tag_value", "")
    return _told(key, space.kept["tags"][key])


@route("PATCH", TAG, EntityTagAssignmentsAPI.update, body="tag_assignment")
def update(space, asked):
    at = asked.path
    key = f"{_entity(space, at['entity_type'], at['entity_name'])} {at['tag_key']}"
    if key not in space.kept["tags"]:
        raise absent(f"Tag '{at['tag_key']}'")
    space.kept["tags"][key] = asked.body["tag_value"]
    return _told(key, space.kept["tags"][key])
