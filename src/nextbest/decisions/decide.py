"""One decision per customer, as a pure function: batch and online both call it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nextbest.decisions.arbitration import Arbitration, Scores, arbitrate
from nextbest.decisions.control import ELIGIBILITY_ONLY, POLICY, control_groups
from nextbest.decisions.drawing import Drawn, draw
from nextbest.decisions.heads import Scorer, UncertainScorer
from nextbest.decisions.limits import Limits
from nextbest.decisions.policy import Policy
from nextbest.decisions.randomness import hashes
from nextbest.decisions.reasons import CODES, reason_codes, sentences
from nextbest.decisions.treatments import Treatments
from nextbest.errors import DataError


@dataclass(frozen=True)
class Decider:
    """Everything that turns customers into decisions; the same value decides the same."""

    model: Scorer
    treatments: Treatments
    arbitration: Arbitration
    policy: Policy

    def scores(
        self, customers: pd.DataFrame, eligible: np.ndarray, context: np.ndarray | None = None
    ) -> Scores:
        """Score n customers, [n, K]; NaN where neither eligible (bool [n, K]) nor "none".

        "none" is always scored, as what incremental value is measured against. `context` are
        weights for arbitration. Raises DataError naming the model's feature columns that are
        missing, and for a Thompson policy with a model that doesn't know how sure it is.
        """
        missing = [name for name in self.model.features if name not in customers.columns]
        if missing:
            raise DataError(
                f"deciding for {len(customers)} customers: the feature columns "
                f"{', '.join(missing)} are missing; join customer_features first"
            )
        wanted = eligible | (np.arange(len(self.treatments)) == self.treatments.none)
        probabilities = self.model.predict_matrix(customers, self.treatments, wanted)
        deviations = None
        if self.policy.draws:
            if not isinstance(self.model, UncertainScorer):
                raise DataError(
                    f"policy '{self.policy.name}': Thompson sampling needs a model with "
                    f"predict_deviations, a {type(self.model).__name__} has none; set draws to 0"
                )
            deviations = self.model.predict_deviations(customers, self.treatments, wanted)
        return arbitrate(
            probabilities, customers, self.treatments, self.arbitration, context, deviations
        )


@dataclass(frozen=True, eq=False)
class Weighed:
    """n customers before the draw, and before limits.

    `groups` [n] are their control groups, `eligible` bool [n, K] what each decision chooses from
    (for ELIGIBILITY_ONLY what eligibility alone allows), `probabilities` [n, K] the policy's.
    """

    groups: np.ndarray
    eligible: np.ndarray
    scores: Scores
    probabilities: np.ndarray


def weigh(
    customers: pd.DataFrame,
    eligible: np.ndarray,
    decider: Decider,
    allowed: np.ndarray | None = None,
    context: np.ndarray | None = None,
) -> Weighed:
    """Gates, scores and probabilities of n customers, without a draw; arguments as of `decide`."""
    policy = decider.policy
    groups = control_groups(
        customers["customer_id"],
        policy.control_salt,
        policy.control_share,
        policy.eligibility_share,
    )
    if policy.eligibility_share:
        if allowed is None:
            raise DataError(
                f"policy '{policy.name}': {policy.eligibility_share:g} of all customers choose "
                "from what eligibility alone allows, which is not given: pass 'allowed', or set "
                "eligibility_share to 0"
            )
        eligible = np.where((groups == ELIGIBILITY_ONLY)[:, None], allowed, eligible)
    scores = decider.scores(customers, eligible, context)
    probabilities = policy.probabilities(scores.score, eligible, groups != POLICY, scores.deviation)
    return Weighed(groups, eligible, scores, probabilities)


def score_columns(arbitration: Arbitration) -> list[str]:
    """Names of the score parts of the chosen treatment, all double.

    p_response is the probability of the first head (the response, whatever its name); then
    expected_value, incremental_value (NaN without a "none"), score, cost, p_<head> of the other
    heads and value_<head> = p·value of each.
    """
    heads = [head.name for head in arbitration.heads]
    return ["p_response", "expected_value", "incremental_value", "score", "cost"] + [
        *(f"p_{name}" for name in heads[1:]),
        *(f"value_{name}" for name in heads),
    ]


def decision_ids(customer_ids: np.ndarray, use_case: str, day: str) -> np.ndarray:
    """Readable and deterministic: "<use case>-<yyyymmdd>-<64-bit hash>", str [n].

    The hash is of the customer, keyed by use case and day; two of a million customers share one
    with probability 3e-8 (the merge by decision_id would then refuse the duplicate key).
    """
    compact = day.replace("-", "")
    begin = f"{use_case}-{compact}-"
    digits = hashes(customer_ids, f"{use_case}|{compact}").astype(">u8").tobytes().hex()
    return np.array([begin + digits[i : i + 16] for i in range(0, len(digits), 16)], dtype=object)


def decide(
    customers: pd.DataFrame,
    eligible: np.ndarray,
    decision_id: np.ndarray,
    decider: Decider,
    seed: int,
    *,
    allowed: np.ndarray | None = None,
    context: np.ndarray | None = None,
    limits: Limits | None = None,
) -> pd.DataFrame:
    """Choose one treatment for each of n customers; one row each, in their order.

    `customers` has customer_id, the model's features and what the heads' values read; `eligible`
    is bool [n, K], `allowed` what eligibility alone would allow, for the control group of that
    name, `context` arbitration's weights. Columns as of `told`. Without limits a draw depends on
    its decision id and the seed only. Raises DataError as Decider.scores, Policy.probabilities and
    drawing.draw do, and when `allowed` is needed and missing.
    """
    weighed = weigh(customers, eligible, decider, allowed, context)
    columns = told(weighed, draw(weighed, decider, decision_id, seed, limits), decider)
    return pd.DataFrame({name: np.asarray(values) for name, values in columns.items()})


def told(
    weighed: Weighed, drawn: Drawn, decider: Decider
) -> dict[str, np.ndarray | pd.Categorical]:
    """The columns of n decisions. Texts are categories: few different ones serve many rows.

    Columns: treatment, action_id, channel, propensity (the exact probability with which this
    treatment was drawn), policy_propensity (the same before limits), control_group (True in either
    control group), score_columns(...) of the chosen treatment, reason_code (reasons.CODES) and
    reason.
    """
    choice = drawn.choice
    treatments, scores, eligible = decider.treatments, weighed.scores, weighed.eligible
    at = (np.arange(len(choice)), choice)
    heads = [head.name for head in decider.arbitration.heads]
    p = {name: scores.probabilities[name][at] for name in heads}
    expected = scores.expected_value[at]
    parts = [
        p[heads[0]],
        expected,
        expected - scores.baseline,
        scores.score[at],
        treatments.cost[choice],
        *(p[name] for name in heads[1:]),
        *(p[name] * np.broadcast_to(scores.worth[name], eligible.shape)[at] for name in heads),
    ]
    counts, many = eligible.sum(axis=1), len(treatments)
    best = np.where(eligible, scores.score, -np.inf).max(axis=1)
    codes = reason_codes(scores.score[at], best, counts, weighed.groups, drawn.capped)
    return {
        "treatment": _text(choice, np.array(treatments.names, dtype=object)),
        "action_id": _text(choice, treatments.action_id),
        "channel": _text(choice, treatments.channel),
        "propensity": drawn.probabilities[at],
        "policy_propensity": weighed.probabilities[at],
        "control_group": weighed.groups != POLICY,
        **dict(zip(score_columns(decider.arbitration), parts, strict=True)),
        "reason_code": _text(codes, np.array(CODES, dtype=object)),
        "reason": _text(codes * (many + 1) + counts, sentences(many)),
    }


def _text(codes: np.ndarray, texts: np.ndarray) -> pd.Categorical:
    """texts[codes], kept as codes; texts may hold the same one twice."""
    places, names = pd.factorize(texts)
    return pd.Categorical.from_codes(places[codes], names, validate=False)
