"""Action features, point in time: how each treatment did strictly before the day."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from nextbest.features.definitions import ACTION_FEATURES, ANSWERS, SMOOTHING
from nextbest.features.feature_tables import FEATURE_TABLES

KEYS = FEATURE_TABLES["action_features"].keys
_SECONDS_A_DAY = 86_400


def action_features(
    days: DataFrame,
    actions: DataFrame,
    decisions: DataFrame,
    outcomes: DataFrame,
    attribution_days: int,
) -> DataFrame:
    """One row per treatment of `actions` and distinct `as_of` (a midnight, UTC) of `days`.

    Columns: action_id, channel, as_of, then definitions.ACTION_FEATURES, double: counts are 0
    without events. Only what happened before that midnight is seen. The rate is of decisions whose
    `attribution_days` were over by then, so that an answer still to come is no refusal; without any
    matured decision of any treatment it is null. A decision counts as answered once, by an outcome
    that definitions.ANSWERS calls a response, after it and within that time.
    """
    asked = days.select("as_of").distinct().withColumn("__until", _day("as_of"))
    spine = actions.select(*KEYS).distinct().crossJoin(asked)
    daily = _daily(decisions, outcomes, attribution_days)
    # Few rows: a treatment's decisions of a day are one row per day of their answer.
    near = (F.col("__day") < F.col("__until")) & (
        F.col("__day") >= F.col("__until") - (30 + attribution_days)
    )
    counted = (
        spine.join(
            daily.withColumnsRenamed({key: f"__{key}" for key in KEYS}),
            near
            & (F.col("action_id") == F.col("__action_id"))
            & (F.col("channel") == F.col("__channel")),
            "left",
        )
        .groupBy(*KEYS, "as_of")
        .agg(*[_sum(name, when) for name, when in _parts(attribution_days).items()])
    )
    of_all = counted.groupBy("as_of").agg(
        (F.sum("__answered") / F.when(F.sum("__matured") > 0, F.sum("__matured"))).alias("__prior")
    )
    rate = F.expr(f"(__answered + {SMOOTHING}D * __prior) / (__matured + {SMOOTHING}D)")
    return counted.join(of_all, "as_of").select(
        *KEYS, "as_of",
        *[name for name in ACTION_FEATURES if name != "response_rate_30d"],
        F.round(rate, 12).alias("response_rate_30d"),
    )  # fmt: skip


def _daily(decisions: DataFrame, outcomes: DataFrame, attribution_days: int) -> DataFrame:
    """Decisions (__n) by treatment, day and day of the first response (__answer, null without)."""
    answers = (
        outcomes.where(F.col("kind").isin(*ANSWERS["response"]))
        .select("decision_id", "observed_at")
        .join(decisions.select("decision_id", "decided_at"), "decision_id")
        .where(F.col("observed_at") >= F.col("decided_at"))
        .where(F.expr(f"observed_at < decided_at + INTERVAL {int(attribution_days)} DAYS"))
        .groupBy("decision_id")
        .agg(F.min("observed_at").alias("__seen"))
    )
    return (
        decisions.join(answers, "decision_id", "left")
        .select(*KEYS, _day("decided_at").alias("__day"), _day("__seen").alias("__answer"))
        .groupBy(*KEYS, "__day", "__answer")
        .agg(F.count(F.lit(1)).alias("__n"))
    )


def _parts(attribution_days: int) -> dict[str, str]:
    """What is summed up for each treatment and day, by name: a condition on the day's row."""
    # A decision made on the first of these days closes before this midnight, whatever its hour.
    ripe = attribution_days + 1
    matured = f"__day <= __until - {ripe} AND __day > __until - {30 + ripe}"
    return {
        "contacts_7d": "__day >= __until - 7",
        "contacts_30d": "__day >= __until - 30",
        "responses_7d": "__answer < __until AND __answer >= __until - 7",
        "responses_30d": "__answer < __until AND __answer >= __until - 30",
        "__matured": matured,
        "__answered": f"__answer IS NOT NULL AND {matured}",
    }


def _sum(name: str, when: str) -> Column:
    return F.expr(f"coalesce(sum(CASE WHEN {when} THEN __n END), 0)").cast("double").alias(name)


def _day(column: str) -> Column:
    return F.floor(F.unix_seconds(F.col(column)) / _SECONDS_A_DAY).cast("int")
