"""Secrets come from the environment and are blacked out wherever a run writes something down."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from nextbest import credentials
from nextbest.platforms.local.secrets import PREFIX, get, variable
from nextbest.runner.spellings import spellings

__all__ = ["get", "keys", "known", "redact", "variable", "variables"]

BLACKED_OUT = "[REDACTED]"
# Of anything else that the environment holds, what is named like one, as DATABRICKS_TOKEN.
_NAMED = re.compile(
    r"(?:^|_)(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|PAT|(?:API|ACCESS|SECRET|PRIVATE)_?KEY)$"
)
_LEAST = 8  # characters of a value that is a secret by its name: shorter ones are words
_LEAST_INSIDE = 4  # of one that stands in a text


def keys(scope: str) -> list[str]:
    """Keys of a scope, in lower case, as far as the environment tells."""
    start = variable(scope, "")
    return sorted(name.removeprefix(start).lower() for name in os.environ if name.startswith(start))


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that holds secrets."""
    return {name: text for name, text in environment.items() if name.startswith(PREFIX)}


def known(environment: Mapping[str, str], told: Iterable[str] = ()) -> tuple[str, ...]:
    """Every spelling under which a secret could be written down, longest first.

    Secrets are the values of NEXTBEST_SECRET_*, those of variables that are named like one, and
    the credentials inside of any variable and of the texts that the run was `told`.
    """
    values = set(variables(environment).values()) - {""}
    values |= {t for n, t in environment.items() if _NAMED.search(n.upper()) and len(t) >= _LEAST}
    for text in (*environment.values(), *told):
        values |= {each for each in credentials.inside(text) if len(each) >= _LEAST_INSIDE}
    spelled = {each for value in values for each in spellings(value)}
    return tuple(sorted(spelled, key=lambda text: (-len(text), text)))


def redact(value: Any, hidden: tuple[str, ...]) -> Any:
    """The same JSON value with every secret in its texts blacked out."""
    if isinstance(value, str):
        for secret in hidden:
            value = value.replace(secret, BLACKED_OUT)
        return value
    if isinstance(value, Mapping):
        return {redact(name, hidden): redact(item, hidden) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [redact(item, hidden) for item in value]
    return value
