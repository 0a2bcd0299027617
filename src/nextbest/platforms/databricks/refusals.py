"""What Databricks' feature client and the engine behind it raise, in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pyspark.errors import PySparkException

from nextbest.errors import DataError
from nextbest.platforms.databricks.asking import in_words
from nextbest.registry.asking import asking

if TYPE_CHECKING:
    from databricks.sdk.errors import DatabricksError
    from requests import RequestException

# Of what doesn't fit, as the oracle found them (tests/contract/oracle_engine.py) and the client's
# source has them.
REFUSALS = (
    ValueError, TypeError, LookupError, OverflowError, NotImplementedError, RuntimeError,
    PySparkException,
)  # fmt: skip


@contextmanager
def refused(what: str, mend: str, right: str) -> Iterator[None]:
    """Raise what the block raises as DataError: `what` did not come about, the reason, `mend`.

    What the workspace refuses is a PlatformError that names the `right` that is needed. The client
    asks the workspace partly by requests of its own, and raises a bare Exception for each that
    fails: with the answer's JSON, or that there was none. Source: databricks-feature-engineering
    0.18.2, `ml_features/utils/rest_utils.py`.
    """
    with asking(what, right), in_words(what, right):
        try:
            yield
        except REFUSALS as error:
            raise DataError(_told(what, error, mend)) from error
        except PermissionError as error:
            from databricks.sdk.errors import PermissionDenied

            raise PermissionDenied(str(error)) from error
        except Exception as error:
            if not _is_the_clients(error):
                raise
            answer = _answer(error)
            raise answer or DataError(_told(what, error, mend)) from error


def _told(what: str, error: Exception, mend: str) -> str:
    said = str(error).partition("\n\nJVM stacktrace")[0].strip()
    return f"{what}: {said}; {mend}"


def _is_the_clients(error: Exception) -> bool:
    """Whether it is none of a more telling type, but of the client's own."""
    return type(error) is Exception or type(error).__module__.startswith("databricks.ml_features")


def _answer(error: Exception) -> DatabricksError | RequestException | None:
    """The workspace's answer to one of the client's own requests, as the SDK would raise it."""
    from databricks.sdk import errors
    from requests import ConnectionError

    said = error.args[0] if error.args else ""
    if not isinstance(said, dict):
        return ConnectionError(str(said)) if "API request to" in str(said) else None
    code, message = str(said.get("error_code", "")), str(said.get("message", ""))
    kinds = {
        "UNAUTHENTICATED": errors.Unauthenticated,
        "PERMISSION_DENIED": errors.PermissionDenied,
        "NOT_FOUND": errors.NotFound,
        "RESOURCE_CONFLICT": errors.ResourceConflict,
        **errors.platform.ERROR_CODE_MAPPING,
    }
    return kinds.get(code, errors.DatabricksError)(message or code, error_code=code)
