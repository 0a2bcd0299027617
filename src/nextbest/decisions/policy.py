"""From scores to a draw: exact probabilities over eligible treatments, repeatable randomness."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nextbest.errors import DataError, SettingsError


@dataclass(frozen=True)
class Policy:
    """A distribution over eligible treatments: (1 − ε)·ranking + ε·uniform.

    The ranking part is greedy when `temperature` is 0, otherwise a softmax of score/temperature
    (both in the score's unit). Every eligible treatment keeps at least ε/|eligible|. Customers of
    the control group (`control_share`, drawn by `control_salt`) get the uniform distribution.
    Raises SettingsError for numbers out of range.
    """

    name: str
    version: str
    epsilon: float
    temperature: float = 0.0
    control_share: float = 0.0
    control_salt: str = "control"

    def __post_init__(self) -> None:
        problems = [
            f"{key} is {number}; it must lie between 0 and {'infinity' if most > 1 else '1'}"
            for key, number, most in (
                ("epsilon", self.epsilon, 1.0),
                ("temperature", self.temperature, np.finfo(float).max),
                ("control_share", self.control_share, 1.0),
            )
            if not 0.0 <= number <= most
        ]
        if problems:
            raise SettingsError(f"policy '{self.name}': " + "; ".join(problems))

    def probabilities(
        self, scores: np.ndarray, eligible: np.ndarray, control: np.ndarray | None = None
    ) -> np.ndarray:
        """Probability of each treatment, [n, K] from scores [n, K] and eligible bool [n, K].

        Rows sum to 1 within 1e-12 and are 0 where not eligible; of equal best scores greedy takes
        the first column. `control` bool [n] marks rows that get uniform probabilities (None: no
        row). Scores of treatments that are not eligible may be anything, also NaN. Raises
        DataError for rows without an eligible treatment and for eligible scores not finite.
        """
        uniform = uniform_probabilities(eligible)
        unknown = eligible & ~np.isfinite(scores)
        if unknown.any():
            raise DataError(
                f"policy '{self.name}': {int(unknown.any(axis=1).sum())} of {len(scores)} rows "
                "have an eligible treatment whose score is not a finite number; "
                "look for nulls in the columns that the heads' values use"
            )
        ranked = np.where(eligible, scores, -np.inf)
        if self.temperature > 0:
            # A subnormal temperature may overflow the quotient to -inf, which is probability 0.
            with np.errstate(over="ignore"):
                weights = np.exp((ranked - ranked.max(axis=1, keepdims=True)) / self.temperature)
            preferred = weights / weights.sum(axis=1, keepdims=True)
        else:
            preferred = np.zeros(scores.shape)
            preferred[np.arange(len(scores)), ranked.argmax(axis=1)] = 1.0
        mixed = (1.0 - self.epsilon) * preferred + self.epsilon * uniform
        return mixed if control is None else np.where(control[:, None], uniform, mixed)


def uniform_probabilities(eligible: np.ndarray) -> np.ndarray:
    """Probability 1/|eligible| where eligible, else 0: [n, K] from bool [n, K].

    Raises DataError for rows without an eligible treatment.
    """
    counts = eligible.sum(axis=1, keepdims=True)
    empty = int((counts == 0).sum())
    if empty:
        raise DataError(
            f"{empty} of {len(eligible)} customers have no eligible treatment; "
            "add a treatment 'none' to the actions table or loosen the rules"
        )
    return eligible / counts


def choose(probabilities: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Draw one column per row by inverse CDF: int [n] from [n, K] and u in [0, 1) of length n.

    A column of probability 0 is never drawn, whatever the rounding of the sums: u is at most
    1 − 2⁻⁵³, so u·total rounds to less than total, and a zero never exceeds what stands before it.
    """
    cumulative = probabilities.cumsum(axis=1)
    return (cumulative > (u * cumulative[:, -1])[:, None]).argmax(axis=1)


def hashes(keys: Sequence[str] | np.ndarray, purpose: str) -> np.ndarray:
    """64-bit hash of each key, uint64 [n]: SipHash with a secret derived from `purpose`.

    Different purposes give independent hashes. The same on every machine and in every process
    (pandas.util.hash_array is keyed, unlike Python's hash).
    """
    secret = hashlib.blake2b(purpose.encode(), digest_size=8).hexdigest()
    values = np.asarray(keys, dtype=object)
    return pd.util.hash_array(values, hash_key=secret, categorize=False)


def uniforms(decision_ids: Sequence[str] | np.ndarray, seed: int) -> np.ndarray:
    """One number in [0, 1) per decision id, float [n]; the same id and seed give the same number.

    The upper 53 bits of the hash, so that every value is an exact double below 1.
    """
    return (hashes(decision_ids, f"decision:{seed}") >> np.uint64(11)) * 2.0**-53


def control_group(customer_ids: Sequence[str] | np.ndarray, salt: str, share: float) -> np.ndarray:
    """Who is in the control group, bool [n]: a share of all customers, by salted hash.

    It depends on the customer and the salt only: members stay, new customers join at the same
    rate, a larger share keeps the members of a smaller one.
    """
    return (hashes(customer_ids, f"control:{salt}") >> np.uint64(11)) * 2.0**-53 < share
