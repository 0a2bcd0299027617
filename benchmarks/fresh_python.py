"""A fresh Python in the bundle's folder: what it took, and what it printed."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]


class Took(NamedTuple):
    """Seconds of the processor and of the clock, and the standard output."""

    processor: float
    clock: float
    printed: str


def run(code: str, *arguments: str, **environment: str) -> Took:
    """Run code that may use compiled bytecode; ends the benchmark where the code fails."""
    known = {**os.environ, **environment}
    known.pop("PYTHONDONTWRITEBYTECODE", None)
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env=known,
        capture_output=True,
        text=True,
    )
    clock, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"ended with exit code {done.returncode}:\n{done.stdout}{done.stderr}")
    return Took(sum(after[:2]) - sum(before[:2]), clock, done.stdout)
