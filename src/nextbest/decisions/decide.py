"""One decision per customer, as a pure function: batch and online both call it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nextbest.decisions.arbitration import Arbitration, Scores, arbitrate
from nextbest.decisions.heads import Scorer
from nextbest.decisions.policy import Policy, choose, control_group, hashes, uniforms
from nextbest.decisions.reasons import reasons
from nextbest.decisions.treatments import Treatments
from nextbest.errors import DataError


@dataclass(frozen=True)
class Decider:
    """Everything that turns customers into decisions; the same value decides the same."""

    model: Scorer
    treatments: Treatments
    arbitration: Arbitration
    policy: Policy

    def scores(self, customers: pd.DataFrame, eligible: np.ndarray) -> Scores:
        """Score n customers, [n, K]; NaN where not eligible (bool [n, K]).

        Raises DataError naming the model's feature columns that are missing.
        """
        missing = [name for name in self.model.features if name not in customers.columns]
        if missing:
            raise DataError(
                f"deciding for {len(customers)} customers: the feature columns "
                f"{', '.join(missing)} are missing; join customer_features first"
            )
        probabilities = self.model.predict_matrix(customers, self.treatments, eligible)
        return arbitrate(probabilities, customers, self.treatments, self.arbitration)


def score_columns(arbitration: Arbitration) -> list[str]:
    """Names of the score parts of the chosen treatment, all double.

    p_response is the probability of the first head (the response, whatever its name); then
    expected_value, score, cost, p_<head> of the other heads and value_<head> = p·value of each.
    """
    heads = [head.name for head in arbitration.heads]
    return ["p_response", "expected_value", "score", "cost"] + [
        *(f"p_{name}" for name in heads[1:]),
        *(f"value_{name}" for name in heads),
    ]


def decision_ids(customer_ids: np.ndarray, use_case: str, day: str) -> np.ndarray:
    """Readable and deterministic: "<use case>-<yyyymmdd>-<64-bit hash>", str [n].

    The hash is of the customer, keyed by use case and day; two of a million customers share one
    with probability 3e-8 (the merge by decision_id would then refuse the duplicate key).
    """
    compact = day.replace("-", "")
    codes = hashes(customer_ids, f"{use_case}|{compact}").tolist()
    return np.array([f"{use_case}-{compact}-{code:016x}" for code in codes], dtype=object)


def decide(
    customers: pd.DataFrame,
    eligible: np.ndarray,
    decision_id: np.ndarray,
    decider: Decider,
    seed: int,
) -> pd.DataFrame:
    """Choose one treatment for each of n customers; one row each, in their order.

    `customers` has customer_id, the model's features and what the heads' values read; `eligible`
    is bool [n, K]. Columns: treatment, action_id, channel, propensity (the exact probability with
    which this treatment was drawn), control_group, score_columns(...) of the chosen treatment and
    reason. The draw depends on the decision id and the seed only. Raises DataError as
    Decider.scores and Policy.probabilities do.
    """
    policy, treatments = decider.policy, decider.treatments
    control = control_group(
        customers["customer_id"].to_numpy(), policy.control_salt, policy.control_share
    )
    scores = decider.scores(customers, eligible)
    probabilities = policy.probabilities(scores.score, eligible, control)
    choice = choose(probabilities, uniforms(decision_id, seed))
    at = (np.arange(len(customers)), choice)
    columns = {
        "treatment": np.array(treatments.names, dtype=object)[choice],
        "action_id": treatments.action_id[choice],
        "channel": treatments.channel[choice],
        "propensity": probabilities[at],
        "control_group": control,
    }
    heads = [head.name for head in decider.arbitration.heads]
    parts = [
        scores.probabilities[heads[0]][at],
        scores.expected_value[at],
        scores.score[at],
        treatments.cost[choice],
        *(scores.probabilities[name][at] for name in heads[1:]),
        *(scores.values[name][at] for name in heads),
    ]
    columns |= dict(zip(score_columns(decider.arbitration), parts, strict=True))
    columns["reason"] = reasons(scores.score, eligible, choice, control)
    return pd.DataFrame(columns)
