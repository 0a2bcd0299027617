"""What notebook 07 would have found, from findings alone."""

from __future__ import annotations

import pandas as pd

from nextbest.monitoring.assessment import Assessment, assess
from nextbest.monitoring.verdict import Drifted, Verdict


def moved(found: tuple[Drifted, ...]) -> Assessment:
    """An assessment of findings of columns, and of nothing else."""
    verdict = Verdict(bool(found), found, f"{len(found)} columns moved")
    return assess(verdict, pd.DataFrame(), {}, None, (), 0)
