"""What limits are about: each customer's gain over the best treatment that has no limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nextbest.decisions.limits import Limits
from nextbest.errors import DataError

BLOCK = 1 << 16  # rows at a time


@dataclass(frozen=True, eq=False)
class Gains:
    """n customers × G groups of treatments that no limit tells apart.

    `gain` [n, G] is the group's best score − `base` [n], −inf where there is nothing to gain.
    `base` is the best score without a limit, group −1. `forced` bool [n] has none of these: it must
    get a group, and its base is its worst score. `usage` [R, G] is what a contact takes,
    `member` int [K] the group of each treatment (−1: free).
    """

    gain: np.ndarray
    base: np.ndarray
    forced: np.ndarray
    usage: np.ndarray
    member: np.ndarray

    def __len__(self) -> int:
        return len(self.base)

    def rows(self, chosen: np.ndarray) -> Gains:
        """The same for some of the customers."""
        return Gains(
            self.gain[chosen], self.base[chosen], self.forced[chosen], self.usage, self.member
        )

    def treatment(self, score: np.ndarray, eligible: np.ndarray, group: np.ndarray) -> np.ndarray:
        """The best eligible treatment of each customer's group, int [n]; the first of equals."""
        choice = np.empty(len(group), dtype=np.int64)
        for rows in blocks(len(group)):
            allowed = eligible[rows] & (self.member == group[rows, None])
            choice[rows] = np.where(allowed, score[rows], -np.inf).argmax(axis=1)
        return choice


def separate(problem: Gains, size: float) -> None:
    """Lift each gain, in place, by its own part of `size` times the mean of the best gains.

    Equal customers become different, so that prices can tell who gets the last contact. As no
    gain becomes smaller, a dual bound of the lifted problem still is one of the original.
    """
    best = problem.gain.max(axis=1, initial=-np.inf)
    best = best[np.isfinite(best)]
    unit = size * float(best.mean()) if len(best) else 0.0
    # Multiples of irrational numbers modulo 1: spread evenly, and the same everywhere.
    by_group = np.arange(problem.gain.shape[1]) * np.sqrt(2.0)
    for rows in blocks(len(problem)):
        number = np.arange(rows.start, rows.stop)[:, None]
        problem.gain[rows] += unit * np.mod(number * (np.sqrt(5.0) / 2) * (by_group + 1), 1.0)


def blocks(n: int) -> list[slice]:
    """Slices of up to BLOCK rows that cover n rows."""
    return [slice(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK)]


def gains(score: np.ndarray, eligible: np.ndarray, limits: Limits) -> Gains:
    """Reduce scores and eligible, [n, K] each, to what limits can decide.

    Raises DataError for rows without an eligible treatment and for eligible scores not finite.
    """
    free = limits.free
    usage, inverse = np.unique(limits.usage[:, ~free], axis=1, return_inverse=True)
    member = np.full(len(free), -1)
    member[~free] = inverse.reshape(-1)
    n = len(score)
    gain, base = np.empty((n, usage.shape[1])), np.empty(n)
    forced = np.zeros(n, dtype=bool)
    empty = unknown = 0
    for rows in blocks(n):
        allowed, s = eligible[rows], score[rows]
        empty += int((~allowed.any(axis=1)).sum())
        unknown += int((allowed & ~np.isfinite(s)).any(axis=1).sum())
        best = np.where(allowed & free, s, -np.inf).max(axis=1, initial=-np.inf)
        must = best == -np.inf
        forced[rows] = must
        worst = np.where(allowed, s, np.inf).min(axis=1, initial=np.inf)
        base[rows] = np.where(must, worst, best)
        limited = (
            np.where(allowed, s, -np.inf)
            - np.where(np.isfinite(base[rows]), base[rows], 0)[:, None]
        )
        for group in range(usage.shape[1]):
            gain[rows, group] = limited[:, member == group].max(axis=1)
    problems = [f"{empty} of {n} customers have no eligible treatment; add 'none'"] * (empty > 0)
    problems += [
        f"{unknown} of {n} rows have an eligible treatment whose score is not a finite number; "
        "look for nulls in the columns that the heads' values use"
    ] * (unknown > 0)
    if problems:
        raise DataError("allocation: " + "; ".join(problems))
    gain[(gain <= 0) & ~forced[:, None]] = -np.inf
    return Gains(gain, base, forced, usage, member)
