"""Frames that several stages read, and the champion or candidate as something that decides."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pandas as pd
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbest import tables
from nextbest.decisions.decide import Decider
from nextbest.decisions.limits import Limits, limits_from
from nextbest.decisions.notation import read_budget, read_capacities
from nextbest.decisions.treatments import SEPARATOR, Treatments
from nextbest.errors import DataError
from nextbest.evaluation.release.contest import Contender
from nextbest.features.feature_tables import FEATURE_TABLES
from nextbest.features.labels import labels
from nextbest.platforms import RAW_MODEL, Lookup, Platform, TrainingSpec
from nextbest.settings import Settings
from nextbest.training import packaging
from nextbest.use_cases import UseCase

KEYS = (*FEATURE_TABLES["customer_features"].keys, FEATURE_TABLES["customer_features"].timestamp)


def midnight(settings: Settings) -> Column:
    """The moment before which everything is known, as a timestamp."""
    return F.lit(dt.datetime.combine(settings.as_of, dt.time(), dt.UTC))


def training_spec(settings: Settings, platform: Platform, case: UseCase) -> TrainingSpec:
    """Matured decisions with their labels, and where their features come from."""
    spark = platform.spark
    decisions = tables.read(spark, settings.table("decisions")).where(
        F.col("decided_at") < midnight(settings)
    )
    known = labels_of(settings, spark, case, decisions)
    spine = decisions.select(
        "decision_id", "customer_id", "decided_at", "treatment", "action_id", "channel",
        "propensity", "policy", "reason_code",
        F.array_join("eligible", SEPARATOR).alias("eligible"),
    ).join(known.where("matured").drop("matured"), "decision_id")  # fmt: skip
    keys = FEATURE_TABLES["customer_features"].keys
    lookup = Lookup(settings.table("customer_features"), keys, "decided_at")
    return TrainingSpec(
        spine, [lookup], labels=list(dict.fromkeys(["reward", "value", *kinds(case)]))
    )


def kinds(case: UseCase) -> list[str]:
    """The kinds of outcome that the use case foretells, the response's first."""
    return list(dict.fromkeys(head.kind for head in case.heads))


def labels_of(
    settings: Settings, spark: SparkSession, case: UseCase, decisions: DataFrame
) -> DataFrame:
    """What came of these decisions, as features.labels says, of the target's own tables."""
    return labels(
        decisions,
        tables.read(spark, settings.table("outcomes")),
        tables.read(spark, settings.table("actions")),
        kinds(case),
        settings.as_of,
        settings.attribution_days,
    )


def learning_frame(settings: Settings, platform: Platform, case: UseCase) -> pd.DataFrame:
    """The training set of `training_spec`, by decision_id.

    Raises DataError when nothing has matured.
    """
    frame = platform.features.training_set(training_spec(settings, platform, case)).toPandas()
    if frame.empty:
        raise DataError(
            f"{settings.table('decisions')}: no decision before {settings.as_of} has matured "
            f"({settings.attribution_days} days of attribution); raise history_days or as_of"
        )
    # A few sets, many rows: each set becomes one tuple that its rows share.
    sets = {text: tuple(text.split(SEPARATOR)) for text in frame["eligible"].unique()}
    frame["eligible"] = frame["eligible"].map(sets)
    return frame.sort_values("decision_id", ignore_index=True)


def feature_names(settings: Settings, spark: SparkSession) -> list[str]:
    """The columns a model may look at: all of customer_features but its key."""
    table = tables.read(spark, settings.table("customer_features"))
    return [name for name in table.columns if name not in KEYS]


def actions_frame(settings: Settings, spark: SparkSession) -> pd.DataFrame:
    """The actions table; it is small."""
    return tables.read(spark, settings.table("actions")).toPandas()


def day_limits(settings: Settings, actions: pd.DataFrame) -> Limits:
    """What may be done in a day: capacities of the actions table and of the settings, a budget."""
    return limits_from(
        actions, read_capacities(settings.channel_capacity), read_budget(settings.daily_budget)
    )


def decider(
    settings: Settings, spark: SparkSession, version: str, model: str | None = None
) -> Decider:
    """A registered version as something that decides, over the actions as they are now.

    model: of another target, say; None: the settings' own.
    """
    return contender(settings, spark, version, model).decider


def contender(
    settings: Settings, spark: SparkSession, version: str, model: str | None = None
) -> Contender:
    """The same, with what the version's files say of themselves."""
    loaded = packaging.load_all(f"models:/{model or settings.model}/{version}/{RAW_MODEL}")
    today = dataclasses.replace(
        loaded.decider,
        treatments=Treatments.from_frame(actions_frame(settings, spark)),
        policy=dataclasses.replace(loaded.decider.policy, version=version),
    )
    return Contender(version, today, loaded.inputs, loaded.outputs, loaded.size)
