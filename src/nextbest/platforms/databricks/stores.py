"""The online store of a schema: there before the first table is published into it, and removed."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from nextbest.platforms.databricks.asking import ask, look
from nextbest.platforms.databricks.online_store import CAPACITY, STORE_RIGHT

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


def is_there(workspace: WorkspaceClient, name: str) -> bool:
    """Whether the online store exists, in whatever state."""
    stores = workspace.feature_store
    return (
        look(lambda: stores.get_online_store(name), f"online store {name}", STORE_RIGHT) is not None
    )


def create(workspace: WorkspaceClient, name: str) -> None:
    """Start creating the store; who publishes waits until it is available."""
    from databricks.sdk.errors import ResourceConflict
    from databricks.sdk.service.ml import OnlineStore

    stores, wanted = workspace.feature_store, OnlineStore(name=name, capacity=CAPACITY)
    what, right = f"online store {name}", "the right to create database instances"
    # It may be made in between: by another, or by our own request whose answer was lost.
    with suppress(ResourceConflict):
        ask(lambda: stores.create_online_store(wanted), what, right, passing=(ResourceConflict,))


def delete(workspace: WorkspaceClient, name: str) -> None:
    """Delete the store, if it is there."""
    stores = workspace.feature_store
    look(lambda: stores.delete_online_store(name), f"online store {name}", STORE_RIGHT)


def delete_table(workspace: WorkspaceClient, table: str) -> None:
    """Delete an online table, if it is there; the feature table that it copies stays."""
    stores, right = workspace.feature_store, f"MANAGE on {table}"
    look(lambda: stores.delete_online_table(table), f"online table {table}", right)
