"""What is asked of a workspace again, and for how long."""

from __future__ import annotations

import pytest
from databricks.sdk.errors import BadRequest, DatabricksError, DeadlineExceeded, InternalError

from nextbest.errors import PlatformError
from nextbest.platforms.databricks.asking import GATEWAY_PATIENCE, PATIENCE, ask

pytestmark = pytest.mark.unit

# A proxy's 502: without a body, with a page, with JSON; and 504.
GATEWAY = [
    DatabricksError("Bad Gateway"),
    DatabricksError("502 Bad Gateway", error_code="BAD_GATEWAY", status=502),
    DatabricksError("upstream is gone", error_code="BAD_GATEWAY"),
    DeadlineExceeded("504 Gateway Time-out"),
]


@pytest.fixture
def clock(monkeypatch):
    """Seconds that passed: only pauses take time."""
    passed = [0.0]

    def sleep(self, seconds):
        passed[0] += seconds

    monkeypatch.setattr("databricks.sdk.clock.RealClock.sleep", sleep)
    monkeypatch.setattr("databricks.sdk.clock.RealClock.time", lambda self: passed[0])
    return passed


def asked(errors):
    """What comes of a call that raises these first, and how often it was made."""
    left, calls = list(errors), []

    def call():
        calls.append(1)
        if left:
            raise left.pop(0)
        return "an answer"

    return ask(call, "job 7", "CAN VIEW on the job"), len(calls)


@pytest.mark.parametrize("error", GATEWAY, ids=str)
def test_a_gateway_is_waited_for(clock, error):
    assert asked([error] * 5) == ("an answer", 6)


@pytest.mark.parametrize(
    ("error", "patience"),
    [*((error, GATEWAY_PATIENCE) for error in GATEWAY), (InternalError("broken"), PATIENCE)],
    ids=str,
)
def test_but_not_for_ever(clock, error, patience):
    with pytest.raises(PlatformError, match="job 7: the workspace did not answer"):
        asked([error] * 1000)
    assert patience.total_seconds() <= clock[0] <= patience.total_seconds() + 11


def test_a_gateway_within_an_error_of_the_workspace(clock):
    troubles = [InternalError("broken"), GATEWAY[1], InternalError("broken"), GATEWAY[3]]
    assert asked(troubles) == ("an answer", 5)


@pytest.mark.parametrize(
    "error", [BadRequest("no such field: Bad Gateway"), DatabricksError("Gone"), DatabricksError()]
)
def test_what_will_not_pass_is_asked_once(clock, error):
    with pytest.raises(PlatformError, match="job 7: refused"):
        asked([error])
    assert clock[0] == 0
