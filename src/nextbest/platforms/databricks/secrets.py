"""Secrets of a workspace's scopes."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from nextbest.errors import PlatformError
from nextbest.platforms.databricks.asking import ask

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


def get(workspace: WorkspaceClient, scope: str, key: str) -> str:
    """The secret as text; raises PlatformError naming scope, key and the right that it needs."""
    what, right = f"secret {key} of scope {scope}", f"READ on scope {scope}"
    found = ask(lambda: workspace.secrets.get_secret(scope, key), what, right)
    try:
        return base64.b64decode(found.value or "").decode()
    except ValueError:
        raise PlatformError(f"{what} is no text: put it there anew as a string") from None


def open_secrets() -> Callable[[str, str], str]:
    """(scope, key) → the secret, with the credentials that the notebook runs with."""
    from databricks.sdk import WorkspaceClient

    return partial(get, WorkspaceClient())
