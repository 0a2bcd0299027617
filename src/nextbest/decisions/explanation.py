"""Why one decision came out as it did: gates → P, C, V, L → constraint → exploration."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from nextbest.decisions.decide import Decider, Weighed, told, weigh
from nextbest.decisions.drawing import BENT, Drawn, draw
from nextbest.decisions.policy import Policy
from nextbest.decisions.treatments import Treatments
from nextbest.errors import DataError

_NONE: Mapping[str, Sequence[str]] = MappingProxyType({})
_BECAUSE = {
    "control": "the customer is in the random control group",
    "eligibility_only": "the customer is in the control group that only eligibility restrains",
    "capped": "a limit kept the first choice back",
    "only_eligible": "nothing else was eligible",
    "best": "it has the best score",
    "explored": "the policy explored",
}


@dataclass(frozen=True)
class Limited:
    """What was logged on a day with limits, which tie all customers of the day together.

    `limits` are their names and capacities, `treatment` what was drawn, `propensity` what they
    made of its probability; `capped` whether they kept the first choice back.
    """

    limits: str
    treatment: str
    propensity: float
    capped: bool


@dataclass(frozen=True, eq=False)
class Explanation:
    """One decision, computed again.

    `table` has a row per treatment, the chosen one first, then by score: treatment, eligible,
    rejected (its reasons, joined by "; "), per head p_<head> and worth_<head> (V), lever, context,
    cost, score, expected_value, incremental_value, probability and chosen. `row` is the decision
    as decisions.decide.told gives it, `sentence` says it all in one.
    """

    table: pd.DataFrame
    row: Mapping[str, object]
    sentence: str


def explain(
    customer: pd.DataFrame,
    eligible: np.ndarray,
    decision_id: str,
    decider: Decider,
    seed: int,
    *,
    allowed: np.ndarray | None = None,
    context: np.ndarray | None = None,
    rejections: Mapping[str, Sequence[str]] = _NONE,
    limited: Limited | None = None,
) -> Explanation:
    """Decide for one customer as decisions.decide does, and keep every part.

    `customer` is one row, `eligible`, `allowed` and `context` are [1, K]; `rejections` tells why
    treatments are not eligible, by name. Under limits the draw is that of all customers together:
    it and its propensity are taken as they were `limited`, all before is computed. Raises
    DataError for more or less than one row, for a limited treatment that is none, and as decide
    does.
    """
    if len(customer) != 1:
        raise DataError(f"decision {decision_id}: {len(customer)} customers; explain takes one")
    weighed = weigh(customer, eligible, decider, allowed, context)
    drawn = draw(weighed, decider, [decision_id], seed)
    if limited is not None:
        drawn = _as_logged(weighed, decider, limited)
    columns = told(weighed, drawn, decider)
    row = {name: np.asarray(values).item() for name, values in columns.items()}
    table = _table(weighed, int(drawn.choice[0]), decider.treatments, context, rejections)
    return Explanation(table, row, _sentence(table, row, decider, limited))


def _as_logged(weighed: Weighed, decider: Decider, limited: Limited) -> Drawn:
    choice = decider.treatments.index([limited.treatment])
    bent = weighed.probabilities.copy()
    bent[0, choice] = limited.propensity
    return Drawn(choice, bent, np.array([limited.capped]))


def _table(
    weighed: Weighed,
    choice: int,
    treatments: Treatments,
    context: np.ndarray | None,
    rejections: Mapping[str, Sequence[str]],
) -> pd.DataFrame:
    scores, eligible = weighed.scores, weighed.eligible[0]
    shape = weighed.eligible.shape
    weight = np.ones(shape[1]) if context is None else np.broadcast_to(context, shape)[0]
    columns = {
        "treatment": treatments.names,
        "eligible": eligible,
        "rejected": [
            "" if open_ else "; ".join(rejections.get(name, ("not eligible",)))
            for name, open_ in zip(treatments.names, eligible.tolist(), strict=True)
        ],
    }
    for name, worth in scores.worth.items():
        columns[f"p_{name}"] = scores.probabilities[name][0]
        columns[f"worth_{name}"] = np.broadcast_to(worth, shape)[0]
    columns |= {
        "lever": treatments.lever,
        "context": weight,
        "cost": treatments.cost,
        "score": scores.score[0],
        "expected_value": scores.expected_value[0],
        "incremental_value": scores.incremental_value[0],
        "probability": weighed.probabilities[0],
        "chosen": np.arange(shape[1]) == choice,
    }
    table = pd.DataFrame(columns)
    order = ["chosen", "eligible", "score", "treatment"]
    return table.sort_values(order, ascending=[False, False, False, True], ignore_index=True)


def _sentence(
    table: pd.DataFrame, row: Mapping[str, object], decider: Decider, limited: Limited | None
) -> str:
    chosen, among = table.iloc[0], table[table["eligible"]]
    best = among.loc[among["score"].idxmax()]
    terms = [
        f"{chosen[f'p_{head.name}']:.3g} × {chosen[f'worth_{head.name}']:.4g} {head.name}"
        for head in decider.arbitration.heads
    ]
    weights = [f"{name} {chosen[name]:.3g}" for name in ("lever", "context") if chosen[name] != 1.0]
    first = best["treatment"] == chosen["treatment"]
    other = "" if first else f" ({best['treatment']} has {best['score']:.4g})"
    gain = chosen["incremental_value"]
    return (
        f"{chosen['treatment']} was chosen because {_BECAUSE[str(row['reason_code'])]}: "
        f"of {len(table)} treatments {len(among)} were eligible; "
        f"its score {chosen['score']:.4g}{other} comes from {' + '.join(terms)}"
        f"{', ' + ', '.join(weights) if weights else ''} less cost {chosen['cost']:.3g}"
        f"{'' if np.isnan(gain) else f', {gain:+.4g} against none'}; "
        f"{_exploration(decider.policy, bool(row['control_group']))} gave it probability "
        f"{row['policy_propensity']:.4g}{_constraint(row, limited)}."
    )


def _constraint(row: Mapping[str, object], limited: Limited | None) -> str:
    if limited is None:
        return ""
    same = math.isclose(row["propensity"], row["policy_propensity"], abs_tol=BENT)
    told = "left it so" if same else f"made that {row['propensity']:.4g}"
    return f"; the limits of the day ({limited.limits}) {told}"


def _exploration(policy: Policy, control: bool) -> str:
    if control:
        return "the even draw of the control group"
    if policy.draws:
        ranking = f"Thompson sampling ({policy.draws} draws)"
    elif policy.temperature:
        ranking = f"softmax (temperature {policy.temperature:g})"
    else:
        ranking = "greedy choice"
    floor = f", at least {policy.floor:g} for each" if policy.floor else ""
    return f"{ranking} mixed with {policy.epsilon:g} of even choice{floor}"
