"""Simulated days: which were asked for, which are done, and the jobs of each of them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nextbest.errors import RunError, UsageError

if TYPE_CHECKING:
    from nextbest.bundle import Bundle

FIRST = dt.date(2026, 3, 1)
DRIFTS = ("covariate", "concept", "both")
# Everybody is decided for every day, by the logging policy before and by ours after: were it less
# often before, the features that count contacts would drift without any drift of the world. So
# would those that look back 90 days, were the log younger: their window would still be filling.
WORLD = {"history_days": 90, "attribution_days": 4}
# Who expects the world to drift pays for noticing it, and lets it change how many are worth a
# contact. Neither the logging policy nor the oracle, which ours is held against, has a contact
# policy.
TOLD = {
    "min_ess": "200", "exploration": "0.2", "max_contact_growth": "0.5", "contact_policy": "none"
}  # fmt: skip
STATE = "simulation.json"
FIRST_JOBS = ("lifecycle_job",)
DAILY_JOBS = ("data_pipeline_job", "inference_job", "monitoring_job")
PASSED = ("SUCCESS", "SUCCESS_WITH_FAILURES")


@dataclass(frozen=True)
class Simulation:
    """One simulated stretch of time; two that differ in anything but `days` are different worlds.

    drift: none, covariate, concept or both, from the day of this number on (the first is 0). With
    none that day means nothing.
    """

    days: int
    drift: str
    drift_day: int
    seed: int
    customers: int
    target: str
    first: str = FIRST.isoformat()
    parameters: Mapping[str, str] = field(default_factory=dict)

    def day(self, number: int) -> dt.date:
        """The date of the day with this number."""
        return dt.date.fromisoformat(self.first) + dt.timedelta(days=number)

    def job_parameters(self, number: int) -> dict[str, str]:
        """What the jobs of a day are told."""
        told: dict[str, object] = {
            **WORLD,
            **TOLD,
            "customers": self.customers,
            "decisions_per_day": self.customers,
            "seed": self.seed,
            "drift": self.drift,
            "drift_from": self.day(self.drift_day),
            **self.parameters,
            "as_of": self.day(number),
        }
        return {name: str(value) for name, value in told.items()}


def read_drift(text: str, days: int) -> tuple[str, int]:
    """Kind and day of `none` or KIND@DAY; raises UsageError for anything else."""
    if text == "none":
        return "none", days
    found = re.fullmatch(rf"({'|'.join(DRIFTS)})@(\d+)", text)
    if not found:
        raise UsageError(f"--drift '{text}': write none or KIND@DAY, with KIND {', '.join(DRIFTS)}")
    kind, day = found[1], int(found[2])
    if not 0 < day < days:
        raise UsageError(f"--drift '{text}': the day must be from 1 to {days - 1} (--days {days})")
    return kind, day


def days_done(lakehouse: Path, wanted: Simulation) -> int:
    """How many days of this very simulation the lakehouse holds, whole; may be more than wanted.

    Raises UsageError when it holds something else.
    """
    file = lakehouse / STATE
    if not file.exists():
        if lakehouse.exists() and any(lakehouse.iterdir()):
            raise UsageError(f"{lakehouse} holds no simulation: name another --lakehouse")
        return 0
    there = json.loads(file.read_text(encoding="utf-8"))
    told = json.loads(json.dumps(dataclasses.asdict(wanted)))
    free = {"days", "drift_day"} if wanted.drift == "none" else {"days"}
    differ = [
        f"{name} was {there['simulation'].get(name)!r}, is {value!r}"
        for name, value in told.items()
        if name not in free and there["simulation"].get(name) != value
    ]
    if differ:
        raise UsageError(
            f"{lakehouse} holds another simulation ({'; '.join(differ)}): give the same options, "
            "name another --lakehouse, or start over with --anew"
        )
    return int(there["done"])


def forget(lakehouse: Path) -> None:
    """Delete a simulation; raises UsageError for a folder that holds anything else."""
    if not lakehouse.exists():
        return
    if not (lakehouse / STATE).exists() and any(lakehouse.iterdir()):
        raise UsageError(f"--anew deletes simulations, and {lakehouse} holds none")
    shutil.rmtree(lakehouse)


def run_days(bundle: Bundle, lakehouse: Path, wanted: Simulation) -> None:
    """Run the jobs of every day that isn't done, with the bundle's own condition for retraining.

    Killed anywhere, it goes on with the day it was at, whose tables a rerun replaces. Raises
    RunError for a job that did not end well.
    """
    from rich.console import Console
    from rich.progress import Progress

    from nextbest.runner.process import ForkServer
    from nextbest.runner.start import preload, run_job

    done = days_done(lakehouse, wanted)
    if done >= wanted.days:  # what a longer run did stays done
        return
    _keep(lakehouse, wanted, done)
    with (
        closing(ForkServer(preload())) as server,
        Progress(console=Console(stderr=True)) as progress,
    ):
        bar = progress.add_task("simulated days", total=wanted.days, completed=done)
        for number in range(done, wanted.days):
            for job in DAILY_JOBS if number else FIRST_JOBS:
                progress.update(bar, description=f"{wanted.day(number)} {job}")
                record = run_job(
                    bundle, job, lakehouse=lakehouse, progress=False, server=server,
                    parameters=wanted.job_parameters(number),
                )  # fmt: skip
                if record.state not in PASSED:
                    raise RunError(
                        f"{wanted.day(number)}: {job} ended {record.state}; see `dbb runs show "
                        f"{record.run_id} --lakehouse {lakehouse}`, then run this again"
                    )
            _keep(lakehouse, wanted, number + 1)
            progress.advance(bar)


def _keep(lakehouse: Path, wanted: Simulation, done: int) -> None:
    lakehouse.mkdir(parents=True, exist_ok=True)
    file = lakehouse / STATE
    fresh = file.with_suffix(".new")
    told = {"simulation": dataclasses.asdict(wanted), "done": done}
    fresh.write_text(json.dumps(told, indent=1), encoding="utf-8")
    os.replace(fresh, file)
