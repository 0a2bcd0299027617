"""The states a task or a run can be in, by the names Databricks gives them."""

from __future__ import annotations

PENDING = "PENDING"
RUNNING = "RUNNING"
SUCCESS = "SUCCESS"
SUCCESS_WITH_FAILURES = "SUCCESS_WITH_FAILURES"  # of a run: a task failed, no leaf did
FAILED = "FAILED"
TIMEDOUT = "TIMEDOUT"
CANCELED = "CANCELED"
SKIPPED = "SKIPPED"  # of a task: not part of this run (--only)
UPSTREAM_FAILED = "UPSTREAM_FAILED"
EXCLUDED = "EXCLUDED"
DISABLED = "DISABLED"
KILLED = "KILLED"  # its process is gone: a run is shown so, an attempt is marked by the repair

FAILURES = frozenset({FAILED, TIMEDOUT, CANCELED, UPSTREAM_FAILED})
ENDED = FAILURES | {SUCCESS, SKIPPED, EXCLUDED, DISABLED}
PASSED = frozenset({SUCCESS, SUCCESS_WITH_FAILURES})


def exit_code(result: str, reason: str | None) -> int:
    """What `dbb` ends with: 0 passed, 1 not, 130 or 143 when Ctrl-C or SIGTERM canceled the run."""
    if result == CANCELED:
        return 143 if reason == "stopped by SIGTERM" else 130
    return 0 if result in PASSED else 1
