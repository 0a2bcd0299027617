"""A notebook that a person runs: what a target of databricks.yml passes to the jobs."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from nextbest.bundle import configuration, find_root
from nextbest.bundle.dynamic import dynamic_references
from nextbest.errors import UsageError

NO_TARGET = "none"
_DAY = "{{job.start_time.iso_date}}"


def values(target: str) -> dict[str, str]:
    """Defaults for the widgets of a notebook of this bundle; nothing for NO_TARGET, as in a job.

    The bundle is the one around the notebook's folder. Raises BundleError or UsageError when there
    is none, or no such target.
    """
    if target == NO_TARGET:
        return {}
    return target_values(find_root(Path.cwd()), target, _current_user())


def target_values(root: Path, target: str, user: str) -> dict[str, str]:
    """The job parameters of a target by name, as a run by this user today (UTC) gets them.

    What only a run can fill in is left out, and so will be told as missing.
    """
    today = dt.datetime.now(dt.UTC).date().isoformat()
    jobs = configuration(root, target, user)["resources"]["jobs"]
    found = {
        parameter["name"]: str(parameter["default"]).replace(_DAY, today)
        for job in jobs.values()
        for parameter in job.get("parameters", [])
    }
    return {name: text for name, text in found.items() if not any(dynamic_references(text))}


def _current_user() -> str:
    from pyspark.sql import SparkSession

    row = SparkSession.builder.getOrCreate().sql("SELECT current_user() AS name").first()
    if row is None or not row["name"]:
        raise UsageError("no user is known here: a target is chosen by hand on Databricks only")
    return str(row["name"])
