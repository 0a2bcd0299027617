"""Calls to a workspace: tried again when that can help, refused in words when it can't."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from nextbest.errors import PlatformError

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

T = TypeVar("T")
PATIENCE = dt.timedelta(seconds=10)  # with a workspace that has an error: about four attempts
GATEWAY_PATIENCE = dt.timedelta(minutes=5)  # as long as the SDK waits out 503


def connect(host: str | None, profile: str | None) -> WorkspaceClient:
    """A client with the credentials of the environment, or of a profile of ~/.databrickscfg.

    Raises PlatformError when there are none.
    """
    from databricks.sdk import WorkspaceClient

    try:
        return WorkspaceClient(host=host, profile=profile)
    except ValueError as error:
        raise PlatformError(
            f"no credentials for a workspace ({str(error).splitlines()[0]}): set DATABRICKS_HOST "
            "and log in with `databricks auth login`, or name a profile in the target's workspace"
        ) from error


def ask(
    call: Callable[[], T],
    what: str,
    right: str,
    passing: tuple[type[Exception], ...] = (),
    *,
    just_made: bool = False,
    unanswered: str = "run this again",
) -> T:
    """The answer to a call that does no harm when repeated.

    The SDK itself waits out 429 and 503 (for as long as Retry-After says), cut connections and what
    it knows to pass by its message, for five minutes. 500, 502 and 504 it tries once, and so that
    is done here: 502 and 504 for as long, 500 for ten seconds, as with 404 for a thing that was
    `just_made`, which not every part of a workspace knows at once. Source: databricks-sdk 0.156,
    `_base_client.py`. Raises PlatformError that names `what` it was about, the reason and the
    `right` that it needs, or what to do when it went `unanswered`; errors of `passing` are left to
    the caller.
    """
    from databricks.sdk.errors import InternalError, NotFound

    with in_words(what, right, passing, unanswered):
        return _patiently(call, [InternalError, *([NotFound] if just_made else [])])


@contextmanager
def in_words(
    what: str,
    right: str,
    passing: tuple[type[Exception], ...] = (),
    unanswered: str = "run this again",
) -> Iterator[None]:
    """What the workspace refuses in the block becomes a PlatformError, as `ask` says."""
    import requests
    from databricks.sdk import errors

    try:
        yield
    except passing:
        raise
    except errors.Unauthenticated as error:
        mend = "renew the token, or log in with `databricks auth login`"
        raise PlatformError(f"{what}: who asks is unknown ({_told(error)}); {mend}") from error
    except errors.PermissionDenied as error:
        raise PlatformError(
            f"{what}: not allowed ({_told(error)}); it needs {right}: ask an owner to grant it"
        ) from error
    except errors.ResourceConflict as error:
        raise PlatformError(
            f"{what}: something else is changing it ({_told(error)}); run this again later"
        ) from error
    except errors.NotFound as error:
        raise PlatformError(
            f"{what}: not there, or hidden from who asks ({_told(error)}); it needs {right}"
        ) from error
    except errors.DatabricksError as error:
        raise PlatformError(f"{what}: refused ({_told(error)})") from error
    except (requests.RequestException, TimeoutError) as error:
        cause = error.__cause__ or error
        raise PlatformError(
            f"{what}: the workspace did not answer ({_told(cause)}); {unanswered}"
        ) from error


def _patiently(call: Callable[[], T], passing_soon: list[type[BaseException]]) -> T:
    """The answer, tried again after errors that pass soon; the last of them if they don't."""
    from databricks.sdk.errors import NotFound
    from databricks.sdk.retries import retried

    soon = retried(on=passing_soon, timeout=PATIENCE)(call)
    try:
        return retried(is_retryable=_gateway, timeout=GATEWAY_PATIENCE)(soon)()
    except TimeoutError as error:
        if isinstance(error.__cause__, NotFound):
            raise error.__cause__ from None
        raise


def _gateway(error: BaseException) -> str | None:
    """Why to try again, if what stands before the workspace had no answer from it: 502 or 504.

    The SDK keeps no status. It has a type for 504; 502 it knows by the words of a proxy's page.
    """
    from databricks.sdk.errors import DatabricksError, DeadlineExceeded

    told = f"{getattr(error, 'error_code', '')} {error}".upper().replace("_", " ")
    bad = type(error) is DatabricksError and "BAD GATEWAY" in told
    return "no answer to the gateway" if bad or isinstance(error, DeadlineExceeded) else None


def look(
    call: Callable[[], T], what: str, right: str, passing: tuple[type[Exception], ...] = ()
) -> T | None:
    """The answer to a call, as by `ask`, or None where the thing is not there (or hidden)."""
    return ask(lambda: there(call), what, right, passing)


def there(call: Callable[[], T]) -> T | None:
    """The answer to a call, or None where the thing is not there."""
    from databricks.sdk.errors import NotFound

    try:
        return call()
    except NotFound:
        return None


def _told(error: BaseException) -> str:
    """The first line of what an error says."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")
