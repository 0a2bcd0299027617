"""Addresses of what a local run made, for pages to link to."""

from __future__ import annotations

import os
from pathlib import Path

MLFLOW = "http://127.0.0.1:5000"  # where `dbb mlflow` answers


class LocalLinks:
    """The Links port: pages of runs beside the tables, MLflow's on this machine."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def run(self, run: str, page: Path) -> str | None:
        """The page of a run (job/run id), relative to `page`; None for a run by hand."""
        number = run.partition("/")[2]
        if not number:
            return None
        return Path(
            os.path.relpath(self._home / "runs" / number / "index.html", page.parent)
        ).as_posix()

    def mlflow(self, experiment_id: str, run_id: str) -> str:
        """The page of an MLflow run, once `dbb mlflow` runs."""
        return f"{MLFLOW}/#/experiments/{experiment_id}/runs/{run_id}"
