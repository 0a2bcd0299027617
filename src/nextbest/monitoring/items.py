"""Rows per category: exact while they are few, the frequent ones and hashed shares beyond."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

MOST = 1000  # so many categories are counted one by one; ITEM_ERROR is what that costs
ITEM_ERROR = 1 / (MOST + 1)  # of all rows: so many may be missing from a category's count
BUCKETS = 256


@dataclass(frozen=True, eq=False)
class Items:
    """Names in ascending order and the rows of each, at most `lost` too few.

    `buckets`: rows by the hash of the name, exact; None as long as no name was given up.
    Source: Agarwal et al. (2012), "Mergeable summaries", §3 (Misra–Gries).
    """

    names: np.ndarray
    rows: np.ndarray
    lost: int = 0
    buckets: np.ndarray | None = None

    @property
    def exact(self) -> bool:
        """Whether all categories are here, each with all its rows."""
        return self.buckets is None

    def hashed(self) -> np.ndarray:
        """Rows per bucket: sums over categories, so that JS, TV and χ² of them are lower bounds."""
        if self.buckets is not None:
            return self.buckets
        place = (name_hashes(self.names) % np.uint64(BUCKETS)).astype(np.int64)
        return np.bincount(place, weights=self.rows, minlength=BUCKETS).astype(np.int64)


def items_of(names: np.ndarray, rows: np.ndarray) -> Items:
    """Of different names (str) and their rows."""
    order = np.argsort(names)
    return _few(Items(names[order], rows[order].astype(np.int64)))


def merged(parts: Sequence[Items]) -> Items:
    """Of all parts together: the same names and rows in any order, as long as they are few."""
    if len(parts) == 1:
        return parts[0]
    every = pd.Series(
        np.concatenate([part.rows for part in parts]),
        index=np.concatenate([part.names for part in parts]),
    )
    found = every.groupby(level=0, sort=True).sum()
    buckets = None
    if not all(part.exact for part in parts):
        buckets = np.sum([part.hashed() for part in parts], axis=0)
    names, rows = found.index.to_numpy(dtype=object), found.to_numpy(dtype=np.int64)
    return _few(Items(names, rows, sum(part.lost for part in parts), buckets))


def name_hashes(names: np.ndarray) -> np.ndarray:
    """uint64 per name, the same in every process."""
    return pd.util.hash_array(names.astype(object), categorize=False)


def _few(items: Items) -> Items:
    """Every count gives up as many rows as the largest one that has no place has."""
    if len(items.names) <= MOST:
        return items
    given = int(np.partition(items.rows, -MOST - 1)[-MOST - 1])
    kept = items.rows > given
    return Items(items.names[kept], items.rows[kept] - given, items.lost + given, items.hashed())
