"""What came of each decision: apart from features, and only once it can be known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def labels(
    decisions: DataFrame,
    outcomes: DataFrame,
    actions: DataFrame,
    kinds: Sequence[str],
    as_of: dt.date,
    attribution_days: int,
) -> DataFrame:
    """One row per decision: decision_id, matured, reward, value and one 0/1 column per kind.

    An outcome counts when it was observed after the decision and within `attribution_days` of
    it. `matured` says that this window had closed at `as_of`'s midnight (UTC); an immature
    decision has null labels: that nothing came of it yet is no failure. `reward` is 1 when any
    outcome had a positive reward, `value` the sum of the outcomes' values (money) minus the cost
    of the chosen treatment; `<kind>` tells whether an outcome of that kind came, double.
    """
    end = F.lit(dt.datetime.combine(as_of, dt.time(), dt.UTC))
    closes = F.col("decided_at") + F.expr(f"INTERVAL {int(attribution_days)} DAYS")
    asked = decisions.select(
        "decision_id", "action_id", "channel", "decided_at",
        closes.alias("__closes"), (closes <= end).alias("matured"),
    )  # fmt: skip
    came = (
        outcomes.select("decision_id", "observed_at", "kind", "reward", F.col("value").alias("__v"))
        .join(asked.select("decision_id", "decided_at", "__closes"), "decision_id")
        .where(F.col("observed_at") >= F.col("decided_at"))
        .where(F.col("observed_at") < F.col("__closes"))
        .groupBy("decision_id")
        .agg(
            F.max(F.when(F.col("reward") > 0, 1.0).otherwise(0.0)).alias("__reward"),
            F.sum("__v").alias("__value"),
            *[
                F.max(F.when(F.col("kind") == kind, 1.0).otherwise(0.0)).alias(f"__is_{kind}")
                for kind in kinds
            ],
        )
    )
    costs = actions.select("action_id", "channel", "cost")
    known = asked.join(costs, ["action_id", "channel"], "left").join(came, "decision_id", "left")
    sums = {
        "reward": _or_zero("__reward"),
        "value": _or_zero("__value") - F.col("cost"),
        **{kind: _or_zero(f"__is_{kind}") for kind in kinds},
    }
    matured = F.col("matured")
    return known.select(
        "decision_id",
        "matured",
        *[F.when(matured, each).alias(name) for name, each in sums.items()],
    )


def _or_zero(name: str) -> Column:
    return F.coalesce(F.col(name), F.lit(0.0))
