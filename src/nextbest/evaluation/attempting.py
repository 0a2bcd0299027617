"""The one place where a failing metric is caught: it becomes a measurement that no gate passes."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from nextbest.errors import DataError, NextBestError

T = TypeVar("T")


class _Caught:
    """Holds an exception that ends the block; what is no error (an interrupt, an exit) goes on."""

    error: Exception | None = None

    def __enter__(self) -> _Caught:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> bool:
        if isinstance(error, Exception):
            self.error = error
            return True
        return False


def attempt(compute: Callable[[], T]) -> T | NextBestError:
    """A result, or the error that says why there is none: then its gate has not passed.

    Any Exception counts: metrics run the code of models, which may raise whatever it likes. One
    that is not ours is told by its type, too.
    """
    with _Caught() as caught:
        return compute()
    error = caught.error
    if isinstance(error, NextBestError):
        return error
    return DataError(f"{type(error).__name__}: {error}")


def had(found: T | NextBestError) -> T:
    """The result of an attempt; raises the error that stands in its place."""
    if isinstance(found, NextBestError):
        raise found
    return found
