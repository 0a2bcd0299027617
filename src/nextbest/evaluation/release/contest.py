"""What a verdict is given on: two versions, what their files say of themselves, and the rows."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from nextbest.decisions.decide import Decider
from nextbest.errors import NextBestError

CANDIDATE, CHAMPION = "candidate", "champion"


@dataclass(frozen=True, eq=False)
class Contender:
    """A registered version: how it decides, and the signature and size (bytes) of its files.

    `inputs` and `outputs` are columns with their MLflow types. `size` is None where no file says.
    """

    version: str
    decider: Decider
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    size: int | None


@dataclass(frozen=True)
class Terms:
    """What settings say of a verdict; min_lift in rewards per decision, min_ess in decisions."""

    as_of: dt.date
    confidence: float
    min_lift: float
    min_ess: float


@dataclass(frozen=True, eq=False)
class Contest:
    """A candidate, the champion (None: there is none) and the rows that both are scored on.

    What could not be had stands there as its error, and no gate on it passes. `frozen`: the digest
    that the rows had when they were frozen. `learned_from`: how many of them are of customers from
    whom either version learned. `nulls`: by feature, its share of nulls among the rows that were
    not held out. `table`: columns of the feature table and their SQL types.
    """

    candidate: Contender | NextBestError
    champion: Contender | NextBestError | None
    rows: pd.DataFrame | NextBestError
    frozen: str
    learned_from: int
    nulls: Mapping[str, float]
    table: Mapping[str, str]
    terms: Terms


def digest(rows: pd.DataFrame) -> str:
    """What tells one holdout from another: a digest of all its rows, in their order."""
    hashed = pd.util.hash_pandas_object(rows, index=False)
    return hashlib.sha256(hashed.to_numpy().tobytes()).hexdigest()[:16]
