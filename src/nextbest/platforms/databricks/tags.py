"""Tags in Unity Catalog, by which tables and files of a project are found and their cost told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nextbest.platforms.databricks.asking import ask, look

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

# What can carry tags by this API, besides catalogs, tables and columns.
TAGGED = ("schemas", "volumes")


def missing(
    workspace: WorkspaceClient, kind: str, name: str, wanted: Mapping[str, str]
) -> dict[str, str]:
    """Those of the tags that it lacks, or has with another value; kind is one of TAGGED."""
    tags, right = workspace.entity_tag_assignments, f"USE SCHEMA for {name}"
    found = look(lambda: list(tags.list(kind, name)), f"tags of {name}", right) or ()
    there = {each.tag_key: each.tag_value or "" for each in found}
    return {key: value for key, value in wanted.items() if there.get(key) != value}


def put(workspace: WorkspaceClient, kind: str, name: str, key: str, value: str) -> None:
    """Give it the tag, whether it has the key already or not."""
    from databricks.sdk.errors import ResourceConflict
    from databricks.sdk.service.catalog import EntityTagAssignment

    tags, what = workspace.entity_tag_assignments, f"tag '{key}' of {name}"
    right = f"APPLY TAG on {name}"
    wanted = EntityTagAssignment(
        entity_name=name, tag_key=key, entity_type=kind, tag_value=value
    )  # fmt: skip
    try:
        ask(lambda: tags.create(wanted), what, right, passing=(ResourceConflict,))
    except ResourceConflict:
        ask(lambda: tags.update(kind, name, key, wanted, "tag_value"), what, right)
