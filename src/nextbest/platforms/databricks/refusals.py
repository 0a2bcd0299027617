"""What Databricks' feature client and the engine behind it raise for what doesn't fit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.errors import PySparkException

from nextbest.errors import DataError

# As the oracle found them: tests/contract/oracle_engine.py.
REFUSALS = (ValueError, TypeError, LookupError, OverflowError, PySparkException)


@contextmanager
def refused(what: str) -> Iterator[None]:
    """Raise a refusal as DataError: `what` did not come about, and what the client said."""
    try:
        yield
    except REFUSALS as error:
        told = str(error).partition("\n\nJVM stacktrace")[0].strip()
        raise DataError(f"{what}: {told}") from error
