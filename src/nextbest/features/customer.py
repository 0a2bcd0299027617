"""Customer features, point in time: only what happened strictly before the day counts."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from nextbest.decisions.rule_parts import sql_text
from nextbest.features.definitions import ANSWERS, DAYS_KEPT, EVENTS, WINDOWS, Window

_SECONDS_A_DAY = 86_400
_PARTS = ("channel", "action_id")  # of a decision, by which events are told apart


def customer_features(
    spine: DataFrame,
    customers: DataFrame,
    interactions: DataFrame,
    decisions: DataFrame,
    outcomes: DataFrame,
    windows: Sequence[Window] = WINDOWS,
) -> DataFrame:
    """One row per distinct (customer_id, as_of) of `spine`, with features as of that midnight.

    `as_of` is a midnight (UTC timestamp). Columns: customer_id, as_of, those of `customers`, then
    `windows` (features.definitions), double: counts and amounts are 0 without events, days since
    are null. An event of the day itself, or later, is not seen. Customers that `customers` lacks
    stay with null attributes.
    """
    keys = spine.select("customer_id", "as_of").distinct()
    asked = keys.withColumn("__until", _day("as_of"))
    events = _events(interactions, decisions, outcomes, windows)
    # A join on the customer alone, its days narrowed at once, then one aggregation: on both
    # engines faster than a window per feature, and the rows stay narrow (kinds are numbers).
    mine = (
        (F.col("customer_id") == F.col("__who"))
        & (F.col("__day") < F.col("__until"))
        & (F.col("__day") >= F.col("__until") - DAYS_KEPT)
    )
    aged = asked.join(events, mine, "left").select(
        "customer_id", "as_of", "__kind", "__amount", *[_part(per) for per in _PARTS],
        (F.col("__until") - F.col("__day")).alias("__age"),
    )  # fmt: skip
    counted = aged.groupBy("customer_id", "as_of").agg(*[_feature(w, windows) for w in windows])
    attributes = [name for name in customers.columns if name != "customer_id"]
    return counted.join(customers, "customer_id", "left").select(
        "customer_id", "as_of", *attributes, *[each.name for each in windows]
    )


def _events(
    interactions: DataFrame, decisions: DataFrame, outcomes: DataFrame, windows: Sequence[Window]
) -> DataFrame:
    """All that can be counted: __who, __day (since 1970), __kind, __amount, a number per part."""
    parts = [_coded(per, _values(windows, per)).alias(_part(per)) for per in _PARTS]
    nothing = [F.lit(-1).alias(_part(per)) for per in _PARTS]
    happened = interactions.select(
        F.col("customer_id").alias("__who"), _day("event_time").alias("__day"),
        _coded("kind", EVENTS).alias("__kind"), F.col("amount").alias("__amount"), *nothing,
    )  # fmt: skip
    offers = decisions.where(F.col("action_id") != "none").select(
        F.col("customer_id").alias("__who"), _day("decided_at").alias("__day"),
        F.lit(EVENTS.index("offer")).alias("__kind"), F.lit(None).cast("double").alias("__amount"),
        *parts,
    )  # fmt: skip
    kind = F.lit(-1)
    for event, kinds in ANSWERS.items():
        kind = F.when(F.col("kind").isin(*kinds), F.lit(EVENTS.index(event))).otherwise(kind)
    made = decisions.select(
        "decision_id", F.col("customer_id").alias("__who"), "decided_at", *parts
    )
    answers = (
        outcomes.select("decision_id", "observed_at", "value", kind.alias("__kind"))
        .where(F.col("__kind") >= 0)
        .join(made, "decision_id")
        # Else a decision that is yet to come would lend a past outcome its customer.
        .where(F.col("observed_at") >= F.col("decided_at"))
        .select(
            "__who", _day("observed_at").alias("__day"), "__kind",
            F.col("value").alias("__amount"), *[_part(per) for per in _PARTS],
        )
    )  # fmt: skip
    return happened.unionByName(offers).unionByName(answers)


def _feature(window: Window, windows: Sequence[Window]) -> Column:
    # As text: faster on the embedded engine than the same of columns.
    inside = f"__kind = {EVENTS.index(window.event)} AND __age <= {window.days}"
    if window.per:
        code = _values(windows, window.per).index(window.value)
        inside += f" AND {_part(window.per)} = {code}"
    told = {
        "count": f"count(CASE WHEN {inside} THEN 1 END)",
        # Rounded: the order of summation, and with it the last digit, is not the same twice.
        "amount": f"coalesce(round(sum(CASE WHEN {inside} THEN __amount END), 6), 0.0D)",
        "days_since": f"min(CASE WHEN {inside} THEN __age END)",
    }
    return F.expr(told[window.statistic]).cast("double").alias(window.name)


def _values(windows: Sequence[Window], per: str) -> list[str]:
    return list(dict.fromkeys(window.value for window in windows if window.per == per))


def _part(per: str) -> str:
    return f"__{per}"


def _coded(column: str, values: Sequence[str]) -> Column:
    """The position of a text among `values`, -1 for others: numbers keep the joined rows narrow."""
    cases = " ".join(f"WHEN {sql_text(value)} THEN {code}" for code, value in enumerate(values))
    return F.expr(f"CASE {column} {cases} ELSE -1 END" if cases else "-1").cast("int")


def _day(column: str) -> Column:
    """Days since 1970 (UTC) of a timestamp, int."""
    return F.floor(F.unix_seconds(F.col(column)) / _SECONDS_A_DAY).cast("int")
