"""Random numbers that depend on their keys alone: the same day is the same in every run."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
from scipy.special import ndtri


def uniform(seed: int, stream: str, *keys: np.ndarray) -> np.ndarray:
    """Uniform numbers in (0, 1), one per broadcast combination of integer keys.

    A number depends on (seed, stream, its keys) and on nothing else: neither on how many others
    are drawn nor on their order. Mixing is the finaliser of SplitMix64 (Steele, Lea and Flood
    2014), one round per key.
    """
    digest = hashlib.blake2b(f"{seed}/{stream}".encode(), digest_size=8).digest()
    state = np.array([int.from_bytes(digest, "little")], dtype=np.uint64)
    for key in keys:
        state = _mix(state ^ np.asarray(key).astype(np.uint64))
    return ((state >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def normal(seed: int, stream: str, *keys: np.ndarray) -> np.ndarray:
    """Standard normal numbers with the same promise as `uniform`."""
    return ndtri(uniform(seed, stream, *keys))


def text_keys(texts: pd.Series | np.ndarray) -> np.ndarray:
    """64-bit keys [n] of strings [n], for draws that belong to a decision or an event."""
    return pd.util.hash_array(np.asarray(texts, dtype=object), categorize=False)


def _mix(state: np.ndarray) -> np.ndarray:
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
