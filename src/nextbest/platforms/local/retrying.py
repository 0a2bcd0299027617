"""Which calls to the embedded engine are worth a second try."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
from pyspark.sql.connect.client.retries import RetryPolicy


class AnswerLost(RetryPolicy):
    """An answer about settings or a plan arrived, but gRPC's client could not read it.

    Seen once, on a message of thirty bytes, in a run of all tests; gRPC keeps the reason to itself.
    To ask again changes nothing. A statement is not repeated: the engine (0.7.2) forgets what its
    stream was sent, and it might be done twice.
    """

    def __init__(self) -> None:
        super().__init__(max_retries=3, backoff_multiplier=4.0, initial_backoff=50)  # milliseconds

    def can_retry(self, error: BaseException) -> bool:
        """Whether it is this failure, of a call that only asks."""
        return (
            isinstance(error, grpc.RpcError)
            and not isinstance(error, Iterator)  # as the failure of a stream is
            and error.code() == grpc.StatusCode.INTERNAL
            and error.details() == "Exception deserializing response!"
        )
