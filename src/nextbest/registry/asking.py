"""MLflow as the environment points to it, and what it refuses, in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nextbest.errors import PlatformError

if TYPE_CHECKING:
    from mlflow import MlflowClient


def client() -> MlflowClient:
    """MLflow as the environment points to it."""
    from mlflow import MlflowClient

    return MlflowClient()


@contextmanager
def asking(what: str, right: str) -> Iterator[None]:
    """What MLflow refuses in the block becomes a PlatformError.

    It names what it was about and the right that it needs. MLflow's client itself repeats what
    failed with 408, 429, 500, 502, 503 or 504, or was cut off, for some minutes.
    """
    from mlflow.exceptions import MlflowException
    from requests import RequestException

    try:
        yield
    except MlflowException as error:
        told = next(iter(error.message.strip().splitlines()), "no reason given").rstrip(".")
        mend = {
            "PERMISSION_DENIED": f": it needs {right}; ask an owner to grant it",
            "UNAUTHENTICATED": ": renew the token, or log in with `databricks auth login`",
            "RESOURCE_DOES_NOT_EXIST": f": not there, or hidden from who asks; it needs {right}",
            "RESOURCE_CONFLICT": ": something else is changing it; run this again later",
            "INTERNAL_ERROR": f": run this again later; it takes {right}",
        }.get(error.error_code, f"; it takes {right}")
        raise PlatformError(f"{what}: refused ({error.error_code}: {told}){mend}") from error
    except (RequestException, TimeoutError) as error:
        raise PlatformError(f"{what}: MLflow did not answer ({error}); run this again") from error
