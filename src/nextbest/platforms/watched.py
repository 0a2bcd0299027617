"""What monitoring_job watches: known to the job itself, and to who deploys it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nextbest.platforms import Monitor


def live_monitor(
    table: Callable[[str], str], columns: Sequence[str] = (), slices: Sequence[str] = ()
) -> Monitor:
    """The day's decisions, against the champion's training window.

    `table` gives the three-level name of one of the target's tables; `columns` are compared, also
    apart by the values of `slices` (SQL).
    """
    return Monitor(
        table=table("recommendations"),
        baseline=table("training_baseline"),
        timestamp="decided_at",
        granularity="1 day",
        model_id="model_version",
        prediction="expected_value",
        columns=tuple(columns),
        slices=tuple(slices),
    )
