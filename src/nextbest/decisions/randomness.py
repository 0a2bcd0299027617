"""Repeatable randomness: hashes of keys, numbers in [0, 1), and one draw per row from them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd


def hashes(keys: Sequence[str] | np.ndarray | pd.Series, purpose: str) -> np.ndarray:
    """64-bit hash of each key, uint64 [n]: SipHash with a secret derived from `purpose`.

    Different purposes give independent hashes. The same on every machine and in every process
    (pandas.util.hash_array is keyed, unlike Python's hash).
    """
    secret = hashlib.blake2b(purpose.encode(), digest_size=8).hexdigest()
    values = np.asarray(keys, dtype=object)
    return pd.util.hash_array(values, hash_key=secret, categorize=False)


def fractions(keys: Sequence[str] | np.ndarray | pd.Series, purpose: str) -> np.ndarray:
    """One number in [0, 1) per key, float [n], from `hashes`."""
    return unit_interval(hashes(keys, purpose))


def unit_interval(bits: np.ndarray) -> np.ndarray:
    """Numbers in [0, 1) from 64 random bits each, uint64.

    Their upper 53 bits, so that every value is an exact double below 1; and the same in every
    numpy, which the methods of numpy.random.Generator need not be.
    """
    return (bits >> np.uint64(11)) * 2.0**-53


def uniforms(decision_ids: Sequence[str] | np.ndarray, seed: int) -> np.ndarray:
    """One number in [0, 1) per decision id, float [n]; an id and a seed always give the same."""
    return fractions(decision_ids, f"decision:{seed}")


def choose(probabilities: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Draw one column per row by inverse CDF: int [n] from [n, K] and u in [0, 1) of length n.

    A column of probability 0 is never drawn, whatever the rounding of the sums: u is at most
    1 − 2⁻⁵³, so u·total rounds to less than total, and a zero never exceeds what stands before it.
    """
    cumulative = probabilities.cumsum(axis=1)
    return (cumulative > (u * cumulative[:, -1])[:, None]).argmax(axis=1)
