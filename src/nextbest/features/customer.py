"""Customer features, point in time: only what happened strictly before the day counts."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from nextbest.features.definitions import DAYS_KEPT, EVENTS, RESPONSES, WINDOWS, Window

_SECONDS_A_DAY = 86_400


def customer_features(
    spine: DataFrame,
    customers: DataFrame,
    interactions: DataFrame,
    decisions: DataFrame,
    outcomes: DataFrame,
) -> DataFrame:
    """One row per distinct (customer_id, as_of) of `spine`, with features as of that midnight.

    `as_of` is a midnight (UTC timestamp). Columns: customer_id, as_of, those of `customers`, then
    features.definitions.WINDOWS, double: counts and amounts are 0 without events, days since are
    null. An event of the day itself, or later, is not seen. Customers that `customers` lacks stay
    with null attributes.
    """
    keys = spine.select("customer_id", "as_of").distinct()
    asked = keys.withColumn("__until", _day("as_of"))
    events = _events(interactions, decisions, outcomes).withColumnRenamed("customer_id", "__who")
    # A join on the customer alone, its days narrowed at once, then one aggregation: on both
    # engines faster than a window per feature, and the rows stay narrow (kinds are numbers).
    mine = (
        (F.col("customer_id") == F.col("__who"))
        & (F.col("__day") < F.col("__until"))
        & (F.col("__day") >= F.col("__until") - DAYS_KEPT)
    )
    aged = asked.join(events, mine, "left").select(
        "customer_id", "as_of", "__kind", "__amount",
        (F.col("__until") - F.col("__day")).alias("__age"),
    )  # fmt: skip
    windows = aged.groupBy("customer_id", "as_of").agg(*[_feature(each) for each in WINDOWS])
    attributes = [name for name in customers.columns if name != "customer_id"]
    return windows.join(customers, "customer_id", "left").select(
        "customer_id", "as_of", *attributes, *[each.name for each in WINDOWS]
    )


def _events(interactions: DataFrame, decisions: DataFrame, outcomes: DataFrame) -> DataFrame:
    """All that can be counted: __day (since 1970), __kind (position in EVENTS), __amount."""
    none = F.lit(None).cast("double")
    kind = F.lit(None).cast("int")
    for code, event in enumerate(EVENTS):
        kind = F.when(F.col("kind") == event, F.lit(code)).otherwise(kind)
    happened = interactions.select(
        "customer_id", _day("event_time").alias("__day"), kind.alias("__kind"),
        F.col("amount").alias("__amount"),
    )  # fmt: skip
    offers = decisions.where(F.col("action_id") != "none").select(
        "customer_id", _day("decided_at").alias("__day"),
        F.lit(EVENTS.index("offer")).alias("__kind"), none.alias("__amount"),
    )  # fmt: skip
    responses = (
        outcomes.where(F.col("kind").isin(*RESPONSES))
        .join(decisions.select("decision_id", "customer_id"), "decision_id")
        .select(
            "customer_id", _day("observed_at").alias("__day"),
            F.lit(EVENTS.index("response")).alias("__kind"), none.alias("__amount"),
        )
    )  # fmt: skip
    return happened.unionByName(offers).unionByName(responses)


def _feature(window: Window) -> Column:
    of_kind = F.col("__kind") == EVENTS.index(window.event)
    inside = of_kind & (F.col("__age") <= window.days)
    if window.statistic == "count":
        value = F.count(F.when(inside, F.lit(1)))
    elif window.statistic == "amount":
        # Rounded: the order of summation, and with it the last digit, is not the same twice.
        amount = F.round(F.sum(F.when(inside, F.col("__amount"))), 6)
        value = F.coalesce(amount, F.lit(0.0))
    else:
        value = F.min(F.when(inside, F.col("__age")))
    return value.cast("double").alias(window.name)


def _day(column: str) -> Column:
    """Days since 1970 (UTC) of a timestamp, int."""
    return F.floor(F.unix_seconds(F.col(column)) / _SECONDS_A_DAY).cast("int")
