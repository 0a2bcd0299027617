"""From scores to exact probabilities over eligible treatments: ranking, exploration, a floor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nextbest.decisions.thompson import best_shares, normal_samples
from nextbest.errors import DataError, SettingsError


@dataclass(frozen=True)
class Policy:
    """A distribution over eligible treatments: (1 − u)·ranking + u·uniform.

    The ranking part is greedy; or, with a `temperature`, a softmax of score/temperature (both in
    the score's unit); or, with `draws`, Thompson sampling with that many draws of the scores. The
    share u is at least `epsilon` and as large as it takes for every eligible treatment to keep
    the probability `floor`: u = max(ε, floor·|eligible|).

    Under Thompson sampling the choice is drawn from the estimated probabilities themselves, so
    the logged propensity is exact by construction. The Monte-Carlo error
    (thompson.standard_error) only tells how close the policy is to ideal Thompson sampling.

    `control_share` and `eligibility_share` of all customers, drawn by `control_salt`, are held
    out from the policy (control.control_groups) and get uniform probabilities. Raises
    SettingsError for everything that is out of range.
    """

    name: str
    version: str
    epsilon: float
    temperature: float = 0.0
    control_share: float = 0.0
    control_salt: str = "control"
    floor: float = 0.0
    draws: int = 0
    eligibility_share: float = 0.0

    def __post_init__(self) -> None:
        infinity = np.finfo(float).max
        problems = [
            f"{key} is {number}; it must lie between 0 and {'infinity' if most > 1 else '1'}"
            for key, number, most in (
                ("epsilon", self.epsilon, 1.0),
                ("temperature", self.temperature, infinity),
                ("control_share", self.control_share, 1.0),
                ("floor", self.floor, 1.0),
                ("draws", self.draws, infinity),
                ("eligibility_share", self.eligibility_share, 1.0),
            )
            if not 0.0 <= number <= most
        ]
        if self.control_share + self.eligibility_share > 1.0:
            problems.append(
                f"control_share + eligibility_share is "
                f"{self.control_share + self.eligibility_share:g}; the groups are disjoint, so it "
                "must be at most 1"
            )
        if self.draws % 1 != 0:
            problems.append(f"draws is {self.draws}; it must be a whole number")
        if self.temperature > 0 and self.draws > 0:
            problems.append(
                "it has both a temperature and draws; softmax and Thompson sampling exclude each "
                "other: set one of them to 0"
            )
        if problems:
            raise SettingsError(f"policy '{self.name}': " + "; ".join(problems))

    def probabilities(
        self,
        scores: np.ndarray,
        eligible: np.ndarray,
        control: np.ndarray | None = None,
        deviation: np.ndarray | None = None,
    ) -> np.ndarray:
        """Probability of each treatment, [n, K] from scores [n, K] and eligible bool [n, K].

        Rows sum to 1 within 1e-12 and are 0 where not eligible; of equal best scores greedy takes
        the first column. `control` bool [n] marks rows that get uniform probabilities (None: no
        row). `deviation` [n, K] is the scores' standard deviation, which Thompson sampling needs.
        Scores of treatments that are not eligible may be anything, also NaN. Raises DataError for
        rows without an eligible treatment, with eligible scores not finite or with more eligible
        treatments than the floor has room for, and for draws without a deviation.
        """
        counts = _counts(eligible)
        unknown = eligible & ~np.isfinite(scores)
        if unknown.any():
            raise DataError(
                f"policy '{self.name}': {int(unknown.any(axis=1).sum())} of {len(scores)} rows "
                "have an eligible treatment whose score is not a finite number; "
                "look for nulls in the columns that the heads' values use"
            )
        share = self.uniform_share(counts)
        mixed = eligible * (share / counts)
        self._add_ranking(mixed, 1.0 - share, scores, eligible, deviation)
        if control is not None:
            mixed[control] = eligible[control] / counts[control]
        return mixed

    def uniform_share(self, counts: np.ndarray) -> np.ndarray:
        """The share u of even choice, for rows with `counts` eligible treatments; same shape.

        Raises DataError when a row has more than the floor has room for.
        """
        needed = self.floor * counts
        # floor = 1/|eligible| may exceed 1 by a rounding.
        crowded = needed > 1.0 + 1e-12
        if crowded.any():
            most = int(counts.max())
            raise DataError(
                f"policy '{self.name}': the floor of {self.floor:g} for each eligible treatment "
                f"can't hold in {int(crowded.sum())} of {len(counts)} rows; with {most} eligible "
                f"it must be at most {1.0 / most:.3g}"
            )
        return np.clip(needed, self.epsilon, 1.0)

    def _add_ranking(
        self,
        mixed: np.ndarray,
        share: np.ndarray,
        scores: np.ndarray,
        eligible: np.ndarray,
        deviation: np.ndarray | None,
    ) -> None:
        """Add the ranking part, `share` [n, 1] of a distribution, to `mixed` [n, K] in place."""
        if self.draws:
            if deviation is None:
                raise DataError(
                    f"policy '{self.name}': Thompson sampling needs the scores' standard "
                    "deviation; use a model with predict_deviations, or set draws to 0"
                )
            mixed += share * best_shares(normal_samples(scores, deviation, self.draws), eligible)
            return
        ranked = np.where(eligible, scores, -np.inf)
        if self.temperature > 0:
            # A subnormal temperature may overflow the quotient to -inf, which is probability 0.
            with np.errstate(over="ignore"):
                weights = np.exp((ranked - ranked.max(axis=1, keepdims=True)) / self.temperature)
            mixed += share * (weights / weights.sum(axis=1, keepdims=True))
        else:
            mixed[np.arange(len(scores)), ranked.argmax(axis=1)] += share[:, 0]


def uniform_probabilities(eligible: np.ndarray) -> np.ndarray:
    """Probability 1/|eligible| where eligible, else 0: [n, K] from bool [n, K].

    Raises DataError for rows without an eligible treatment.
    """
    return eligible / _counts(eligible)


def _counts(eligible: np.ndarray) -> np.ndarray:
    counts = eligible.sum(axis=1, keepdims=True)
    empty = int((counts == 0).sum())
    if empty:
        raise DataError(
            f"{empty} of {len(eligible)} customers have no eligible treatment; "
            "add a treatment 'none' to the actions table or loosen the rules"
        )
    return counts
