"""Runs a job of a bundle here: tasks in processes of their own, and a record of it all."""

from __future__ import annotations

from nextbest.runner.record import RunRecord
from nextbest.runner.start import run_job

__all__ = ["RunRecord", "run_job"]
