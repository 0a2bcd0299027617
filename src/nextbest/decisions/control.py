"""Who is held out from the policy, for good: two disjoint control groups by salted hash."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nextbest.decisions.randomness import fractions

POLICY, RANDOM, ELIGIBILITY_ONLY = 0, 1, 2


def control_groups(
    customer_ids: Sequence[str] | np.ndarray | pd.Series,
    salt: str,
    random_share: float,
    eligibility_share: float,
) -> np.ndarray:
    """The group of each customer, int8 [n]: POLICY, RANDOM or ELIGIBILITY_ONLY.

    RANDOM draws evenly from what all gates let through, so that policy − RANDOM is what
    arbitration is worth. ELIGIBILITY_ONLY draws evenly from what the eligibility rules alone
    allow, so that RANDOM − ELIGIBILITY_ONLY is what the other gates (contact policy, suitability)
    are worth; consent and law therefore belong into eligibility rules. The group depends on
    customer and salt only: members stay, new customers join at the same rates, and a larger share
    keeps the members of a smaller one, as the groups grow from the two ends of the same hash.
    """
    at = fractions(customer_ids, f"control:{salt}")
    groups = np.where(at < random_share, RANDOM, POLICY).astype(np.int8)
    groups[at >= 1.0 - eligibility_share] = ELIGIBILITY_ONLY
    return groups
