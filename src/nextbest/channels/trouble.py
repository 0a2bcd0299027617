"""What goes wrong at a receiver, told without its address: a hook's URL is its key."""

from __future__ import annotations

import ssl
from http.client import InvalidURL


class Refused(Exception):
    """The receiver says no, and would again."""


class Passing(Exception):
    """The receiver did not take it now; asked_to_wait: seconds, where it said so."""

    def __init__(self, told: str, asked_to_wait: float | None = None) -> None:
        super().__init__(told)
        self.asked_to_wait = asked_to_wait


def of_connection(error: BaseException) -> Refused | Passing:
    """Why no whole answer came, by the kind of an error: its own text may hold the address."""
    cause = getattr(error, "reason", None)
    cause = cause if isinstance(cause, BaseException) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Refused("its certificate is not trusted")
    if isinstance(cause, ValueError | InvalidURL):
        return Refused("its address or a secret of it can't be used as it is written")
    if isinstance(cause, TimeoutError):
        return Passing("it did not answer in time")
    if isinstance(cause, ConnectionRefusedError):
        return Passing("nobody listens there")
    return Passing(f"the connection failed ({type(cause).__name__})")
