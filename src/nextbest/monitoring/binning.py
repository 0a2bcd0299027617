"""Features cut into a few bins, the same on every day, so that what is counted by them adds up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

BINS = 3  # of numbers, of equal weight: more are thin in a day's responses, fewer hide a hump
VALUES = 5  # the commonest of a category
FEATURES = 20  # those that scores lean on most: each more asks for more evidence of all
TINY = 1e-100  # gaps beyond it, or beyond one over it, are not rounded
DIRECTIONS = 20  # of features together; each pair of them is a sum that is kept
_NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal")
_TIMES = ("datetime64", "datetime", "date")


@dataclass(frozen=True)
class Bins:
    """Where a feature is cut: numbers at `edges`, a category into its `values` and all others.

    One of the two is empty; a bin holds its lower edge. ranks: tenths of numbers, for `scored`.
    """

    feature: str
    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()
    ranks: tuple[float, ...] = ()


def bins_of(baseline: pd.DataFrame, leans: Mapping[str, float]) -> tuple[Bins, ...]:
    """The bins of the FEATURES that scores lean on most, by the values of a baseline.

    leans: of `leaning`. A feature with one value has no bins, nor has a time: it only goes on.
    """
    first = sorted(leans, key=lambda name: (-leans[name], name))[:FEATURES]
    found = [_bins(name, baseline[name]) for name in first]
    return tuple(each for each in found if each.edges or len(each.values) > 1)


def binned(values: pd.Series, bins: Bins) -> pd.Categorical:
    """The bin of each value, named by feature and bounds.

    Missing values have a bin of their own, as has all that is no number where numbers were cut.
    """
    if bins.edges:
        numbers = numbers_of(values)
        numbers = np.full(len(values), np.nan) if numbers is None else numbers
        codes = np.searchsorted(bins.edges, numbers, side="right")
        missing = np.isnan(numbers)
        edges = [f"{edge:.15g}" for edge in bins.edges]
        inner = [f"from {low} to {high}" for low, high in pairwise(edges)]
        names = [f"below {edges[0]}", *inner, f"from {edges[-1]}"]
    else:
        codes = pd.Index(bins.values).get_indexer(_texts(values))
        missing = values.isna().to_numpy()
        names = [*(f"= {each}" for each in bins.values), "another"]
        codes[codes < 0] = len(bins.values)
    codes[missing] = len(names)
    return pd.Categorical.from_codes(codes, [f"{bins.feature} {each}" for each in (*names, "none")])


def scored(frame: pd.DataFrame, apart: Mapping[str, Bins]) -> pd.DataFrame:
    """Features as scores from -1 to 1, as many as fit into DIRECTIONS columns.

    apart: columns of `frame` → bins. Numbers have their rank among the baseline's tenths, missing
    ones 0; a category has a column of zeros and ones for each value. Ranks, since an outlier would
    decide alone.
    """
    found: dict[str, np.ndarray] = {}
    for column, bins in apart.items():
        new = _scores(frame[column], bins)
        if len(found) + len(new) <= DIRECTIONS:
            found |= new
    return pd.DataFrame(found, index=frame.index)


def _scores(values: pd.Series, bins: Bins) -> dict[str, np.ndarray]:
    if not bins.edges:
        texts = _texts(values)
        return {
            f"{bins.feature} = {each}": (texts == each).fillna(False).to_numpy(dtype="float64")
            for each in bins.values
        }
    numbers = numbers_of(values)
    numbers = np.full(len(values), np.nan) if numbers is None else numbers
    rank = 2 * np.searchsorted(bins.ranks, numbers, side="right") / len(bins.ranks) - 1
    return {bins.feature: np.where(np.isnan(numbers), 0.0, rank)}


def numbers_of(values: pd.Series) -> np.ndarray | None:
    """Numbers, decimals and times (seconds) as float64, NaN where missing; None for other kinds."""
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if kind in _TIMES:
        at = pd.to_datetime(values)
        values = (at - pd.Timestamp(0, tz=getattr(at.dtype, "tz", None))).dt.total_seconds()
    elif kind not in _NUMBERS:
        return None
    return values.to_numpy(dtype="float64", na_value=np.nan)


def _bins(name: str, values: pd.Series) -> Bins:
    if pd.api.types.infer_dtype(values, skipna=True) in _TIMES:
        return Bins(name)
    numbers = numbers_of(values)
    if numbers is None:
        counts = _texts(values).dropna().value_counts()
        common = sorted(counts.index, key=lambda text: (-counts[text], text))[:VALUES]
        return Bins(name, values=tuple(common))
    known = np.sort(numbers[np.isfinite(numbers)])
    if not len(known):
        return Bins(name)
    cuts = np.quantile(known, np.arange(1, BINS) / BINS, method="higher")
    cuts = cuts[cuts > known[0]]
    if not len(cuts):  # most have the least value: those, and all others
        cuts = known[known > known[0]][:1]
    tenths = np.quantile(known, np.arange(1, 10) / 10, method="higher")
    ranks = np.unique(tenths[tenths > known[0]] if tenths[-1] > known[0] else cuts)
    return Bins(name, edges=_rounded(float(known[0]), np.unique(cuts)), ranks=tuple(ranks.tolist()))


def _rounded(least: float, cuts: np.ndarray) -> tuple[float, ...]:
    """Edges in few digits, at most a hundredth of the narrowest bin lower: none turns empty."""
    gaps = np.diff(cuts, prepend=least)
    if not (len(cuts) and gaps.min() > TINY and gaps.max() < 1 / TINY):
        return tuple(cuts.tolist())
    digits = 2 - math.floor(math.log10(gaps.min()))
    scale = 10.0**digits
    return tuple(round(math.floor(cut * scale) / scale, digits) for cut in cuts.tolist())


def _texts(values: pd.Series) -> pd.Series:
    return values.astype("string").astype(object)
