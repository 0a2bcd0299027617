"""Batch decisions: one row per customer and day, computed where the rows are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, DoubleType, StringType, StructField, StructType

from nextbest.decisions.arbitration import Arbitration
from nextbest.decisions.decide import Decider, decide, decision_ids, score_columns
from nextbest.decisions.eligibility import decision_time
from nextbest.decisions.heads import Scorer
from nextbest.decisions.policy import Policy
from nextbest.decisions.treatments import Treatments
from nextbest.errors import DataError


def recommend(
    frame: DataFrame,
    actions: pd.DataFrame,
    model: Scorer,
    policy: Policy,
    arbitration: Arbitration,
    *,
    as_of: dt.date,
    seed: int,
    use_case: str,
    model_version: str,
) -> DataFrame:
    """Decide for every row of `frame` (customer_id once each, eligible, feature columns).

    Gives the recommendations columns: decision_id, customer_id, decided_at (08:00 UTC of as_of),
    eligible, treatment, action_id, channel, propensity (exact), policy, policy_version,
    control_group, seed, the score parts of decisions.decide.score_columns, reason, as_of,
    model_version, then the other columns of `frame`. Lazy; the result doesn't depend on how rows
    are partitioned or ordered, so a rerun decides the same. Raises DataError for missing columns
    and for columns of `frame` whose names the recommendations already use; in the workers for
    rows that can't be decided.
    """
    decider = Decider(model, Treatments.from_frame(actions), arbitration, policy)
    parts = score_columns(arbitration)
    _check(frame, model, parts)
    day = as_of.isoformat()

    def run(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for rows in batches:
            ids = decision_ids(rows["customer_id"].to_numpy(), use_case, day)
            eligible = decider.treatments.mask(rows["eligible"])
            decided = decide(rows, eligible, ids, decider, seed)
            decided.insert(0, "decision_id", ids)
            yield pd.concat([decided, rows.reset_index(drop=True)], axis=1)

    text, number = StringType(), DoubleType()
    fields = [StructField(name, text) for name in _TEXT]
    fields += [StructField("propensity", number), StructField("control_group", BooleanType())]
    fields += [StructField(name, number) for name in parts] + [StructField("reason", text)]
    decided = frame.mapInPandas(run, StructType(fields + frame.schema.fields))
    constants = {
        "decided_at": F.lit(decision_time(as_of)),
        "policy": F.lit(policy.name),
        "policy_version": F.lit(policy.version),
        "seed": F.lit(seed).cast("bigint"),
        "as_of": F.lit(as_of),
        "model_version": F.lit(model_version),
    }
    order = [*_FIRST, *parts, "reason", "as_of", "model_version"]
    order += [name for name in frame.columns if name not in order]
    return decided.select(
        [constants[name].alias(name) if name in constants else F.col(name) for name in order]
    )


_TEXT = ("decision_id", "treatment", "action_id", "channel")
_FIRST = (
    *("decision_id", "customer_id", "decided_at", "eligible", "treatment", "action_id"),
    *("channel", "propensity", "policy", "policy_version", "control_group", "seed"),
)


def _check(frame: DataFrame, model: Scorer, parts: list[str]) -> None:
    have = set(frame.columns)
    needed = ["customer_id", "eligible", *model.features]
    taken = {*_FIRST, *parts, "reason", "as_of", "model_version"} - {"customer_id", "eligible"}
    problems = [f"column '{name}' is missing" for name in needed if name not in have]
    problems += [
        f"column '{name}' is one that deciding writes itself: drop it first"
        for name in frame.columns
        if name in taken
    ]
    if problems:
        raise DataError("recommend: " + "; ".join(problems))
