"""How an endpoint of the recording workspace is declared."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

ROUTES: list[Route] = []


@dataclass(frozen=True)
class Request:
    """One call: names from the path, the query, the JSON body (or the bytes of a file)."""

    path: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True)
class Route:
    """An endpoint: its method and path, what types its calls, and what answers.

    sdk: the SDK's method that calls it, or MLflow's message that is sent; client: who calls it.
    """

    method: str
    template: str
    sdk: Callable
    answer: Callable[[Any, Request], Any]
    gives: type | None  # the answer's type, where the SDK's method returns what it waits for
    client: str = "sdk"  # or mlflow

    def match(self, method: str, path: str) -> Mapping[str, str] | None:
        """The names in the path, if the call is for this endpoint; {name*} takes slashes, too."""
        pattern = re.sub(r"\{(\w+)\*\}", r"(?P<\1>/.+)", self.template)
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
        found = re.fullmatch(pattern, path) if method == self.method else None
        return None if found is None else found.groupdict()


class Refused(Exception):
    """The workspace says no, as Databricks words it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def route(
    method: str, template: str, sdk: Callable, gives: type | None = None, client: str = "sdk"
) -> Callable:
    """Declare an endpoint: the function below gets the workspace and the Request.

    It gives JSON, or the bytes of a file.
    """

    def declare(answer: Callable) -> Callable:
        ROUTES.append(Route(method, template, sdk, answer, gives, client))
        return answer

    return declare


def absent(what: str) -> Refused:
    """What Databricks says of a thing that is not there."""
    return Refused(404, "RESOURCE_DOES_NOT_EXIST", f"{what} does not exist.")
