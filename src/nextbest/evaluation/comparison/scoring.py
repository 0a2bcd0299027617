"""Both versions asked about the same logged decisions, once each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from nextbest.decisions.decide import Decider
from nextbest.errors import DataError
from nextbest.evaluation.ope.log import LoggedBatch, Target

FIRST, SECOND = "first", "second"
CHUNK = 8192  # decisions at a time: memory stays flat, whatever the log's length


def score_both(
    rows: pd.DataFrame,
    first: Decider,
    second: Decider,
    seen: Callable[[int], None] = lambda count: None,
) -> pd.DataFrame:
    """What both say of n logged decisions; the index is that of `rows`.

    `rows` has the features, `eligible` (names) and `treatment`. Columns: first, second: π of the
    logged treatment; q_first, q_second, q_logged: the policies' and the logged treatment's net
    value under the second's model, as `ope.targets.target_probabilities` with it as the reference;
    prefers_first, prefers_second: the likeliest treatment; apart: total variation distance of both
    distributions; p_first.<head>, p_second.<head>: probability of each outcome under the logged
    treatment. Control groups are left out. Raises DataError for treatments or heads that differ,
    and for a logged treatment outside of its eligible set.
    """
    if first.treatments.names != second.treatments.names:
        raise DataError("two versions are compared over the treatments of one day's actions table")
    heads = [head.name for head in second.arbitration.heads]
    if [head.name for head in first.arbitration.heads] != heads:
        raise DataError("two versions are compared where they predict the same outcomes")
    parts = []
    for start in range(0, len(rows), CHUNK):
        part = rows.iloc[start : start + CHUNK]
        parts.append(_chunk(part, first, second, heads))
        seen(len(part))
    return pd.concat(parts) if parts else pd.DataFrame(index=rows.index)


def log_of(rows: pd.DataFrame, scored: pd.DataFrame) -> LoggedBatch:
    """The decisions with both versions as targets; `rows` has value and propensity."""
    targets = {name: Target(scored[name], scored[f"q_{name}"]) for name in (FIRST, SECOND)}
    return LoggedBatch(rows["value"], rows["propensity"], targets, scored["q_logged"])


def doubly_robust(log: LoggedBatch, policy: str) -> np.ndarray:
    """Each decision's doubly robust score q̄ + w(r − q̂), (n,); their mean is the value by dr.

    Dudík, Langford and Li 2011. Of two policies the differences are what `ope.estimators.lift`
    pairs.
    """
    target = log.targets[policy]
    if log.q_logged is None:
        raise DataError("doubly robust scores need q_logged and q_target; give a model's values")
    return target.q_target + target.probability / log.propensity * (log.reward - log.q_logged)


def _chunk(part: pd.DataFrame, first: Decider, second: Decider, heads: list[str]) -> pd.DataFrame:
    eligible = second.treatments.mask(part["eligible"])
    logged = second.treatments.index(list(part["treatment"]))
    at = (np.arange(len(part)), logged)
    if outside := int((~eligible[at]).sum()):
        name = part["treatment"].iloc[int((~eligible[at]).argmax())]
        raise DataError(
            f"{outside} logged treatments are not in their eligible set, the first is '{name}'; "
            "quarantine these decisions"
        )
    names = np.array(second.treatments.names, dtype=object)
    scores = {FIRST: first.scores(part, eligible), SECOND: second.scores(part, eligible)}
    q = scores[SECOND].expected_value
    known = np.where(eligible, q, 0.0)
    found, chances = {"q_logged": q[at]}, {}
    for name, decider in ((FIRST, first), (SECOND, second)):
        its = scores[name]
        chances[name] = decider.policy.probabilities(its.score, eligible, deviation=its.deviation)
        found[name] = chances[name][at]
        found[f"q_{name}"] = (chances[name] * known).sum(axis=1)
        found[f"prefers_{name}"] = names[chances[name].argmax(axis=1)]
        found |= {f"p_{name}.{head}": its.probabilities[head][at] for head in heads}
    found["apart"] = np.abs(chances[FIRST] - chances[SECOND]).sum(axis=1) / 2
    return pd.DataFrame(found, index=part.index)
