"""A use case is data plus functions: what the stages are wired with."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nextbest.errors import SettingsError
from nextbest.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from pyspark.sql import DataFrame, SparkSession

    from nextbest.data.contracts import Contract
    from nextbest.decisions.heads import Head
    from nextbest.decisions.treatments import Treatments
    from nextbest.evaluation.release.declared import ReleaseGates

KNOWN = ("nba",)

Captured = Callable[
    ["Settings", "DataFrame", "pd.DataFrame", "Treatments", "np.ndarray"], Mapping[str, float]
]


@dataclass(frozen=True)
class UseCase:
    """One use case over one source of rows.

    `read` gives the raw frames by table name, each held against its contract. `heads` are the
    outcomes that a model predicts and what each is worth. `contact_policy` is what holds unless
    settings say otherwise (decisions.notation). `gates` are what a version must meet to be
    released. `captured` tells, where the truth is
    known, which share of the oracle's gap policies capture: (settings, decisions, customers with
    features as of a day, treatments, probabilities [n, K]) → share by policy; None for real logs.
    """

    name: str
    read: Callable[
        [SparkSession, Settings, DataFrame | None, Path, Callable[[str], DataFrame]],
        dict[str, DataFrame],
    ]
    contracts: Mapping[str, Contract]
    heads: tuple[Head, ...]
    contact_policy: str
    gates: ReleaseGates
    captured: Captured | None


def load(settings: Settings) -> UseCase:
    """The use case that `settings.use_case` names, wired for its source.

    Raises SettingsError naming the known ones.
    """
    if settings.use_case not in KNOWN:
        raise SettingsError(
            f"'use_case' is '{settings.use_case}'; it must be one of {', '.join(KNOWN)}"
        )
    return importlib.import_module(f"nextbest.use_cases.{settings.use_case}").wire(settings)
