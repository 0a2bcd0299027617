"""One treatment for each customer: independent draws, or together where limits tie them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nextbest.decisions.control import POLICY
from nextbest.decisions.limits import Limits
from nextbest.decisions.randomness import choose, uniforms
from nextbest.decisions.rationing import ration
from nextbest.decisions.rounding import draw_within
from nextbest.decisions.trimming import within_limits

if TYPE_CHECKING:
    from nextbest.decisions.decide import Decider, Weighed

BENT = 1e-9  # probabilities are counted in 2⁻⁴⁰ under limits: less than this was not cut


@dataclass(frozen=True, eq=False)
class Drawn:
    """n draws: `choice` int [n] came from `probabilities` [n, K], which are exact.

    `capped` bool [n] says where a limit kept the best-scored treatment back; None without limits.
    """

    choice: np.ndarray
    probabilities: np.ndarray
    capped: np.ndarray | None = None


def draw(
    weighed: Weighed,
    decider: Decider,
    decision_ids: Sequence[str] | np.ndarray,
    seed: int,
    limits: Limits | None = None,
) -> Drawn:
    """Draw for n weighed customers; a function of their ids, the seed and the limits.

    Without limits each draw is its own. With limits all customers of the day must be here, at
    once: their probabilities are bent to what the limits allow (rationing, trimming), whatever the
    order of the rows, and drawn together so that no draw exceeds a limit (rounding). Raises
    DataError for repeated ids and where limits leave a customer nothing.
    """
    own = weighed.probabilities
    if limits is None or not len(limits):
        return Drawn(choose(own, uniforms(decision_ids, seed)), own)
    order = np.argsort(np.asarray(decision_ids, dtype=object), kind="stable")
    bent = np.empty_like(own)
    bent[order] = _bent(weighed, decider, limits, order)
    choice = draw_within(bent, limits, decision_ids, seed)
    rows = np.arange(len(choice))
    first = np.where(weighed.eligible, weighed.scores.score, -np.inf).argmax(axis=1)
    score = weighed.scores.score
    less = score[rows, choice] < score[rows, first]  # of equals neither is kept back
    capped = (bent[rows, first] < own[rows, first] - BENT) & less
    return Drawn(choice, bent, capped)


def _bent(weighed: Weighed, decider: Decider, limits: Limits, order: np.ndarray) -> np.ndarray:
    """Probabilities within limits, rows in `order`."""
    eligible, policy = weighed.eligible[order], decider.policy
    counts = eligible.sum(axis=1)
    share = np.where(weighed.groups[order] == POLICY, policy.uniform_share(counts), 1.0)
    if policy.draws:  # Thompson's own shares are the best guess there is; they are only cut
        own = weighed.probabilities[order]
        return within_limits(own, eligible, decider.treatments, limits, share / counts)
    scores = weighed.scores.score[order]
    return ration(scores, eligible, share, decider.treatments, limits, policy.temperature)
