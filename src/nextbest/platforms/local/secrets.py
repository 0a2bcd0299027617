"""Secrets of a laptop stand in the environment, one variable each."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from nextbest.errors import PlatformError

PREFIX = "NEXTBEST_SECRET_"


def variable(scope: str, key: str) -> str:
    """Name of the environment variable that holds a secret: NEXTBEST_SECRET_<SCOPE>_<KEY>."""
    return PREFIX + re.sub(r"\W", "_", f"{scope}_{key}").upper()


def get(scope: str, key: str) -> str:
    """The secret; raises PlatformError naming the variable to set."""
    name = variable(scope, key)
    if name not in os.environ:
        raise PlatformError(f"secret '{key}' of scope '{scope}' is not set: export {name}")
    return os.environ[name]


def open_secrets() -> Callable[[str, str], str]:
    """(scope, key) → the secret."""
    return get
