"""The search: candidates learn from earlier days, later days tell which policy is worth most.

Ranking customers well (AUC) is not the aim: a model may order responders badly and still choose
the better treatment for each, or the other way round. So candidates are judged by the doubly
robust value of the policy that they would be, on days that none of them has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nextbest.decisions.arbitration import Arbitration
from nextbest.decisions.decide import Decider
from nextbest.decisions.heads import Head, Scorer
from nextbest.decisions.policy import Policy
from nextbest.decisions.treatments import Treatments
from nextbest.errors import DataError
from nextbest.evaluation.ope.estimators import Estimate, lift, value_of
from nextbest.evaluation.ope.log import LoggedBatch, Target
from nextbest.evaluation.ope.moments import fold
from nextbest.evaluation.ope.targets import target_probabilities
from nextbest.training import reward_model
from nextbest.training.splits import last_days

JUDGED_SHARE = 0.2
# More decisions would cost minutes and hardly change which candidate is the better one.
SEARCHED = 40_000
NEEDED = ("decided_at", "treatment", "eligible", "propensity", "value")


@dataclass(frozen=True)
class Candidate:
    """A way to learn: `fit` turns logged decisions into a model, whose scores are arbitrated."""

    name: str
    fit: Callable[[pd.DataFrame], Scorer]
    arbitration: Arbitration


@dataclass(frozen=True, eq=False)
class Choice:
    """The candidate that was worth most, fitted on all rows.

    `values` holds every candidate's value per decision on the later days, with its interval.
    """

    name: str
    model: Scorer
    arbitration: Arbitration
    values: Mapping[str, Estimate]

    @property
    def text(self) -> str:
        """The choice and its evidence in one sentence."""
        told = ", ".join(
            f"{name} {each.value:.3f} [{each.low:.3f}, {each.high:.3f}]"
            for name, each in self.values.items()
        )
        n = next(iter(self.values.values())).n
        return f"chosen by value on the last {n:,} decisions: {self.name} (per decision {told})"


def learn(
    rows: pd.DataFrame,
    heads: Sequence[Head],
    features: Sequence[str],
    treatments: Treatments,
    policy: Policy,
    seed: int,
    on_progress: Callable[[str], None],
) -> Choice:
    """Search over the head models that treatments share, and that they hardly share.

    `rows` has what `reward_model.fit` and `search` read. The model is a RewardModel. Raises
    DataError as these two do.
    """

    def candidate(name: str, pooled: bool) -> Candidate:
        def fit(part: pd.DataFrame) -> Scorer:
            told = on_progress if len(part) == len(rows) else _quiet
            return reward_model.fit(part, heads, features, seed, told, pooled)

        return Candidate(name, fit, Arbitration(tuple(heads)))

    return search(rows, [candidate("pooled", True), candidate("apart", False)], treatments, policy)


def search(
    rows: pd.DataFrame, candidates: Sequence[Candidate], treatments: Treatments, policy: Policy
) -> Choice:
    """Fit candidates on earlier days, value them on the later ones, fit the best on all rows.

    `rows` are logged decisions with NEEDED (`eligible`: names, `value`: net money) and what the
    candidates read; `policy` turns scores into probabilities. Of the earlier decisions SEARCHED
    evenly spaced ones are enough. Values are doubly robust under the first candidate's model. A
    candidate takes another's place when its paired lift exceeds the lift's standard error: among
    equals the earlier one stays (the rule of one standard error, Breiman et al. 1984).
    Raises DataError for missing columns, no candidate, names that several share, and whatever
    fitting and evaluating refuse.
    """
    names = [candidate.name for candidate in candidates]
    missing = [name for name in NEEDED if name not in rows.columns]
    if missing or not names or len(set(names)) < len(names):
        raise DataError(
            f"search among the candidates {', '.join(names) or '(none)'}, which need names of "
            f"their own: the log of {len(rows)} rows lacks {', '.join(missing) or 'nothing'}"
        )
    later = last_days(rows["decided_at"], JUDGED_SHARE)
    early, late = rows[~later], rows[later]
    if len(early) > SEARCHED:
        early = early.iloc[np.linspace(0, len(early) - 1, SEARCHED).astype(int)]
    deciders = {
        each.name: Decider(each.fit(early), treatments, each.arbitration, policy)
        for each in candidates
    }
    moments = fold(_log(late, deciders))
    best = names[0]
    for name in names[1:]:
        gain = lift(moments, name, best)
        if gain.value > gain.standard_error:
            best = name
    chosen = candidates[names.index(best)]
    return Choice(
        best,
        chosen.fit(rows),
        chosen.arbitration,
        {name: value_of(moments, name, "dr") for name in names},
    )


def _log(rows: pd.DataFrame, deciders: Mapping[str, Decider]) -> LoggedBatch:
    """The later decisions with each candidate as a target, under the first one's q̂."""
    first = next(iter(deciders.values()))
    told = {
        name: target_probabilities(
            rows, rows["eligible"], rows["treatment"], decider, reference=first
        )
        for name, decider in deciders.items()
    }
    targets = {
        name: Target(each["target_probability"], each["q_target"]) for name, each in told.items()
    }
    q_logged = next(iter(told.values()))["q_logged"]
    return LoggedBatch(rows["value"], rows["propensity"], targets, q_logged)


def _quiet(text: str) -> None:
    """The heads of a model that is fitted only to be judged are of no interest."""
