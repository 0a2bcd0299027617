"""Two versions on the same decisions, in one pass: policies, and expectations of every quantity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nextbest.decisions.arbitration import Scores
from nextbest.decisions.decide import Decider
from nextbest.decisions.treatments import NONE, Treatments
from nextbest.errors import DataError
from nextbest.evaluation.ope.log import LoggedBatch, Target
from nextbest.evaluation.ope.moments import Moments, fold
from nextbest.evaluation.ope.targets import CHUNK
from nextbest.evaluation.release.contest import CANDIDATE
from nextbest.evaluation.release.declared import CONTACT, COST, VALUE


@dataclass(frozen=True, eq=False)
class Scored:
    """n decisions as several deciders see them, under the candidate's model.

    `logged`: π of the logged treatment, [n] by decider. `target`: Σ_a π(a)·q(a), [n] by decider
    and quantity. `model`: q of the logged treatment, [n] by quantity. `outcome`: what was logged
    of each quantity, [n]. `invalid`: how many of the candidate's probabilities of eligible
    treatments are no probabilities.
    """

    propensity: np.ndarray
    logged: Mapping[str, np.ndarray]
    target: Mapping[tuple[str, str], np.ndarray]
    model: Mapping[str, np.ndarray]
    outcome: Mapping[str, np.ndarray]
    invalid: int

    def log(self, quantity: str, part: np.ndarray) -> LoggedBatch:
        """The decisions of one part (bool [n]) as a log whose reward is the quantity."""
        targets = {
            name: Target(logged[part], self.target[name, quantity][part])
            for name, logged in self.logged.items()
        }
        outcome, model = self.outcome[quantity], self.model[quantity]
        return LoggedBatch(outcome[part], self.propensity[part], targets, model[part])

    def moments(self, quantity: str, part: np.ndarray) -> Moments:
        """The moments of `log`; raises DataError as LoggedBatch does."""
        return fold(self.log(quantity, part))


def score(rows: pd.DataFrame, deciders: Mapping[str, Decider], heads: Sequence[str]) -> Scored:
    """Score held-out decisions; quantities are value, contact, cost and the named heads.

    Whether somebody is contacted and at which cost is known of each treatment, so the candidate's
    expectation of it is exact; control groups are left out, as in `ope.targets`. Raises DataError
    for logged treatments that are unknown or outside their eligible set, and as scoring does.
    """
    treatments = deciders[CANDIDATE].treatments
    place = treatments.index(rows["treatment"])
    known = {head.name: head.kind for head in deciders[CANDIDATE].arbitration.heads}
    if unknown := [name for name in heads if name not in known]:
        raise DataError(
            f"the candidate has no head {', '.join(unknown)}; it has {', '.join(known)}"
        )
    chunks = [
        _chunk(rows.iloc[at : at + CHUNK], place[at : at + CHUNK], deciders, heads)
        for at in range(0, len(rows), CHUNK)
    ]
    if not chunks:
        raise DataError("there is no decision to score")
    whole = {key: np.concatenate([chunk[key] for chunk in chunks]) for key in chunks[0]}
    contact = rows["treatment"].to_numpy() != NONE
    outcome = {VALUE: rows["value"], CONTACT: contact, COST: treatments.cost[place]}
    outcome |= {name: rows[known[name]] for name in heads}
    return Scored(
        propensity=rows["propensity"].to_numpy(dtype=float),
        logged={name: whole["π", name] for name in deciders},
        target={key[1:]: values for key, values in whole.items() if key[0] == "Σ"},
        model={key[1]: values for key, values in whole.items() if key[0] == "q"},
        outcome={name: np.asarray(each, dtype=float) for name, each in outcome.items()},
        invalid=int(whole["invalid",].sum()),
    )


def _chunk(
    rows: pd.DataFrame, place: np.ndarray, deciders: Mapping[str, Decider], heads: Sequence[str]
) -> dict[tuple[str, ...], np.ndarray]:
    reference = deciders[CANDIDATE]
    eligible = reference.treatments.mask(rows["eligible"])
    at = (np.arange(len(rows)), place)
    if (outside := ~eligible[at]).any():
        raise DataError(
            f"{int(outside.sum())} logged treatments are not in their eligible set, the first is "
            f"'{reference.treatments.names[place[outside.argmax()]]}'; quarantine these decisions"
        )
    scores = {name: each.scores(rows, eligible) for name, each in deciders.items()}
    expected = _expected(scores[CANDIDATE], reference.treatments, eligible, heads)
    found: dict[tuple[str, ...], np.ndarray] = {
        ("q", name): each[at] for name, each in expected.items()
    }
    for name, decider in deciders.items():
        mine = scores[name]
        chances = decider.policy.probabilities(mine.score, eligible, deviation=mine.deviation)
        found["π", name] = chances[at]
        found |= {("Σ", name, of): (chances * each).sum(axis=1) for of, each in expected.items()}
    wrong = [
        eligible & ~((each >= 0) & (each <= 1)) for each in scores[CANDIDATE].probabilities.values()
    ]
    found["invalid",] = np.sum(wrong, axis=(0, 2))
    return found


def _expected(
    scores: Scores, treatments: Treatments, eligible: np.ndarray, heads: Sequence[str]
) -> dict[str, np.ndarray]:
    shape = eligible.shape
    quantities = {
        VALUE: scores.expected_value,
        CONTACT: np.broadcast_to((~treatments.is_none).astype(float), shape),
        COST: np.broadcast_to(treatments.cost, shape),
        **{name: scores.probabilities[name] for name in heads},
    }
    return {name: np.where(eligible, each, 0.0) for name, each in quantities.items()}
