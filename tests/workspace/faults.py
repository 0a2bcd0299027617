"""What can go wrong between a client and a workspace, on demand."""

from __future__ import annotations

from dataclasses import dataclass

NO_API = "no api"  # 404, too: not enabled, or not in this region
# Status: the code and message that Databricks sends with it.
ANSWERS = {
    NO_API: ("ENDPOINT_NOT_FOUND", "No API found."),
    401: ("UNAUTHENTICATED", "Request requires a valid token."),
    403: ("PERMISSION_DENIED", "User does not have permission."),
    404: ("RESOURCE_DOES_NOT_EXIST", "It does not exist."),
    409: ("RESOURCE_CONFLICT", "It is being changed by another request."),
    429: ("RESOURCE_EXHAUSTED", "Too many requests."),
    500: ("INTERNAL_ERROR", "The service had an error."),
    503: ("TEMPORARILY_UNAVAILABLE", "The service is being updated."),
}
NOT_READY = "not ready"  # 400, which the SDK tries again for its message
ANSWERS[NOT_READY] = ("INVALID_STATE", "ClusterNotReadyException: the service is starting.")
# What stands before a workspace answers with a page of its own.
GATEWAYS = {502: "Bad Gateway", 504: "Gateway Time-out"}
DROPPED = "dropped"  # the connection ends before the request is looked at
LOST = "lost"  # the request is done, but the connection ends before the answer
BROKEN = "broken"  # the request is done, but 500 is the answer
SLOW = "slow"  # the answer takes `seconds`


@dataclass
class Fault:
    """Befalls the calls of one endpoint: the first `after` go well, the next `times` do not.

    kind: one of ANSWERS, GATEWAYS, DROPPED, LOST, BROKEN or SLOW; path: the template of a route;
    since: only after a call of this (method, path). So a 404 is eventual consistency: what was
    just made is not yet found.
    """

    kind: int | str
    method: str
    path: str
    times: int = 1
    after: int = 0
    seconds: float = 0.0
    since: tuple[str, str] | None = None

    def strikes(self, method: str, path: str) -> bool:
        """Whether it befalls this call; each call counts."""
        if (method, path) == self.since:
            self.since = None
            return False
        if self.since is not None:
            return False
        if (method, path) != (self.method, self.path):
            return False
        if self.after:
            self.after -= 1
            return False
        if not self.times:
            return False
        self.times -= 1
        return True
