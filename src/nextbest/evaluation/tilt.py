"""Do features tell who responds to which action as the model foretold? A score test, by sums."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import ncx2

Sums = tuple[float, ...]

LEAST_EVENTS = 15.0  # foretold of an action; rarer ones are taken together
FLAT = 1e-6  # of the widest direction's spread: narrower ones are sums of others


@dataclass(frozen=True)
class Tilt:
    """How far off: the root mean square of relative errors, and the features that tell most of it.

    by: names of directions, the plainest first.
    """

    off: float
    by: tuple[str, ...]


def tilt_sums(
    outcomes: np.ndarray, probabilities: np.ndarray, actions: pd.Series, directions: pd.DataFrame
) -> dict[str, dict[str, Sums]]:
    """What `judge_tilt` needs of some decisions, by directions (a JSON list) and action.

    directions: a score per feature, finite. Of each action Σy, Σp, Σyx, Σpx and the upper triangle
    of Σpxx': sums of several days add up.
    """
    x = directions.to_numpy(dtype="float64")
    upper = np.triu_indices(x.shape[1])
    at, names = pd.factorize(actions)
    found = {}
    for place, name in enumerate(names):
        rows = at == place
        y, p, mine = outcomes[rows], probabilities[rows], x[rows]
        spread = (mine * p[:, None]).T @ mine
        sums = [[y.sum(), p.sum()], y @ mine, p @ mine, spread[upper]]
        found[str(name)] = tuple(np.concatenate(sums).tolist())
    return {json.dumps(list(directions.columns)): found} if found and x.shape[1] else {}


def judge_tilt(
    tilts: Mapping[str, Mapping[str, Sums]], chance: float, misfit: float
) -> Tilt | None:
    """Whether features tell who responds otherwise than foretold; None while they don't.

    Within an action, at its own level λ = Σy / Σp, the score of the directions is Σ(y − λp)x with
    the information λ Σp(x − x̄)(x − x̄)' (Rao 1948; counts being near to Poisson's). Scores of
    actions add up to a χ², which is held against the noncentral χ² of `misfit`, the root mean
    square of relative errors that is borne, so that no number of decisions makes a small one a
    finding. Many small changes that no feature tells of alone are one great one here.
    """
    distance, freedom, events = 0.0, 0, 0.0
    alone: dict[str, float] = {}
    for key, of_actions in tilts.items():
        names = json.loads(key)
        for sums in _pooled(list(of_actions.values())):
            score, information = _score(sums, len(names))
            width, turn = np.linalg.eigh(information)
            wide = width > FLAT * max(float(width.max()), FLAT)
            distance += float(((turn.T @ score)[wide] ** 2 / width[wide]).sum())
            freedom += int(wide.sum())
            events += sums[0]
            for at, name in enumerate(names):
                own = information[at, at]
                if own > FLAT:
                    alone[name] = alone.get(name, 0.0) + float(score[at] ** 2 / own)
    if not freedom or distance <= ncx2.isf(chance, freedom, misfit**2 * events):
        return None
    by = sorted(alone, key=lambda name: (-alone[name], name))
    return Tilt(math.sqrt(max(distance - freedom, 0.0) / events), tuple(by))


def _pooled(of_actions: Sequence[Sums]) -> list[np.ndarray]:
    """Sums of actions, rare ones together."""
    level = sum(sums[0] for sums in of_actions) / max(sum(sums[1] for sums in of_actions), 1e-300)
    found: list[np.ndarray] = []
    rest = np.zeros(len(of_actions[0]))
    for sums in sorted(of_actions, key=lambda each: each[1]):
        rest = rest + sums
        if level * rest[1] >= LEAST_EVENTS:
            found.append(rest)
            rest = np.zeros(len(rest))
    return [found[0] + rest, *found[1:]] if found else [rest]


def _score(sums: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Score and information of the directions, of the sums of one action."""
    came, expected = sums[:2]
    came_by, expected_by = sums[2 : 2 + count], sums[2 + count : 2 + 2 * count]
    spread = np.zeros((count, count))
    spread[np.triu_indices(count)] = sums[2 + 2 * count :]
    spread = spread + np.triu(spread, 1).T
    level = came / expected
    information = level * (spread - np.outer(expected_by, expected_by) / expected)
    return came_by - level * expected_by, information
