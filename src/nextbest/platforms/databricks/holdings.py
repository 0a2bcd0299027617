"""What a target's data resources hold (tables, versions), and how they are deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from nextbest.platforms.databricks.asking import ask, look
from nextbest.platforms.databricks.deployed import Resource, ids

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


def tables(workspace: WorkspaceClient, schema: str) -> list[str]:
    """Three-level names of the tables in a schema (catalog.schema); none where it is not there."""
    catalog, _, name = schema.partition(".")
    held = look(
        lambda: list(workspace.tables.list(catalog, name, omit_columns=True)),
        f"tables of {schema}",
        f"USE SCHEMA and BROWSE on {schema}",
    )
    return sorted(each.full_name for each in held or () if each.full_name)


def models(workspace: WorkspaceClient, schema: str) -> dict[str, list[int]]:
    """Registered models in a schema, those of the bundle and others, with their versions."""
    catalog, _, name = schema.partition(".")
    right = f"USE SCHEMA and EXECUTE on {schema}"
    held = look(
        lambda: list(workspace.registered_models.list(catalog_name=catalog, schema_name=name)),
        f"models of {schema}",
        right,
    )
    return {
        each.full_name: versions(workspace, each.full_name)
        for each in held or ()
        if each.full_name
    }  # fmt: skip


def versions(workspace: WorkspaceClient, model: str) -> list[int]:
    """The versions of a model."""
    listed = workspace.model_versions
    held = look(lambda: list(listed.list(model)), f"versions of {model}", f"EXECUTE on {model}")
    return sorted(each.version for each in held or () if each.version is not None)


def delete_versions(workspace: WorkspaceClient, held: Mapping[str, Iterable[int]]) -> None:
    """Delete model versions: a model that has some can't be deleted."""
    for model, numbers in held.items():
        for number in numbers:
            call = partial(workspace.model_versions.delete, model, number)
            look(call, f"version {number} of {model}", f"to own {model}, or MANAGE on it")


def delete(workspace: WorkspaceClient, resource: Resource) -> None:
    """Delete a schema with all that it holds, a volume, model, experiment or secret scope.

    What is not there is fine.
    """
    name, what, right = resource.name, str(resource), f"to own {resource.name}, or MANAGE on it"
    if resource.group == "schemas":
        look(lambda: workspace.schemas.delete(name, force=True), what, right)
    elif resource.group == "volumes":
        look(lambda: workspace.volumes.delete(name), what, right)
    elif resource.group == "registered_models":
        look(lambda: workspace.registered_models.delete(name), what, right)
    elif resource.group == "experiments":
        for number in ids(workspace, resource):
            ask(partial(workspace.experiments.delete_experiment, number), what, right)
    elif resource.group == "secret_scopes":
        look(lambda: workspace.secrets.delete_scope(name), what, "MANAGE on the scope")


def delete_endpoint(workspace: WorkspaceClient, name: str) -> None:
    """Delete a serving endpoint, if it is there."""
    endpoints, right = workspace.serving_endpoints, "CAN MANAGE on the endpoint"
    look(lambda: endpoints.delete(name), f"endpoint {name}", right)


def endpoint_is_there(workspace: WorkspaceClient, name: str) -> bool:
    """Whether a serving endpoint of this name exists."""
    endpoints, right = workspace.serving_endpoints, "CAN VIEW on the endpoint"
    return look(lambda: endpoints.get(name), f"endpoint {name}", right) is not None
