"""Addresses of a workspace's pages: runs of jobs, runs of MLflow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


class DatabricksLinks:
    """The Links port over a workspace's host. Source: Databricks, "Get identifiers"."""

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._host = str(workspace.config.host or "").rstrip("/")

    def run(self, run: str, page: Path) -> str | None:
        """The page of a run (job id/run id), wherever `page` is; None for a run by hand."""
        job, _, number = run.partition("/")
        return f"{self._host}/jobs/{job}/runs/{number}" if number else None

    def mlflow(self, experiment_id: str, run_id: str) -> str:
        """The page of an MLflow run."""
        return f"{self._host}/ml/experiments/{experiment_id}/runs/{run_id}"
