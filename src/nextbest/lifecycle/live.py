"""Notebooks 05 and 08: the champion decides, for all customers of a day and for a single one."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbest import registry, tables, use_cases
from nextbest.errors import DataError, PlatformError
from nextbest.inference.batch import recommend
from nextbest.lifecycle import frames
from nextbest.lifecycle.asking import asked
from nextbest.lifecycle.outcome import Outcome, nothing_live
from nextbest.platforms import Platform, Published, open_platform
from nextbest.settings import Settings

SMOKE_REQUESTS = 5


def decide_batch(settings: Settings, spark: SparkSession) -> Outcome:
    """05: one decision per customer and day, merged into recommendations and the decision log."""
    platform, case = open_platform(settings, spark), use_cases.load(settings)
    version = registry.version_at(settings.model, "champion")
    if version is None:
        return Outcome(nothing_live(settings.model), values={"decided": "0"})
    live = frames.decider(settings, spark, version)
    actions = frames.actions_frame(settings, spark)
    gated = asked(settings, platform, case, actions, wide=live.policy.eligibility_share > 0)
    decided = recommend(
        gated.drop("rejected"), live,
        as_of=settings.as_of, seed=settings.seed, use_case=case.name, model_version=version,
        limits=frames.day_limits(settings, actions),
        land=platform.volume / "decided" / f"{settings.dataset}today.parquet",
    )  # fmt: skip
    # Only now: what was rejected, and why, need not travel through the workers.
    decided = decided.join(gated.select("customer_id", "rejected"), "customer_id")
    tables.merge(decided, settings.table("recommendations"), ["decision_id"])
    mine = _of_day(settings, spark)
    columns = [column.name for column in case.contracts["decisions"].columns]
    tables.merge(mine.select(*columns), settings.table("decisions"), ["decision_id"])
    total, control = mine.count(), mine.where("control_group").count()
    shares = (
        mine.groupBy("action_id", "channel")
        .agg(
            F.count(F.lit(1)).alias("decisions"),
            F.avg("propensity").alias("mean_propensity"),
            F.avg("expected_value").alias("mean_expected_value"),
        )
        .orderBy(F.col("decisions").desc())
    )
    return Outcome(
        f"{settings.table('recommendations')}: {total:,} decisions for {settings.as_of} by version "
        f"{version} ({control:,} of them in the control group)",
        {"What was chosen, and how often": shares, "Some of the decisions": mine.limit(20)},
        {"decided": str(total)},
    )


def serve_model(settings: Settings, spark: SparkSession) -> Outcome:
    """08: the champion answers at an endpoint, given keys, with what the batch computed.

    Features are brought online first; from then on notebook 02 keeps them fresh. Raises DataError
    when those online are of another day than `as_of`, PlatformError when an answer differs from
    the batch: then the endpoint serves something else than what was validated.
    """
    platform = open_platform(settings, spark)
    version = registry.version_at(settings.model, "champion")
    if version is None:
        return Outcome(nothing_live(settings.model))
    live = frames.decider(settings, spark, version)
    published = _bring_online(settings, platform)
    endpoint = platform.serving.deploy(settings.endpoint, settings.model, version)
    asked = _of_day(settings, spark).where(F.col("model_version") == version)
    rows = asked.orderBy("decision_id").limit(SMOKE_REQUESTS).toPandas()
    keys = rows[["customer_id", "action_id", "channel"]]
    answers = pd.DataFrame(platform.serving.query(endpoint, keys.to_dict("records")))
    name = f"p_{live.arbitration.heads[0].name}"
    gap = np.abs(answers[name].to_numpy() - rows["p_response"].to_numpy()) if len(rows) else []
    if len(answers) != len(rows) or not np.all(np.asarray(gap) <= 1e-9):
        raise PlatformError(
            f"endpoint {endpoint.name} answers otherwise than the batch decided with version "
            f"{version} ({len(answers)} answers to {len(rows)} requests): it serves another model"
            f", or other features than those of {settings.as_of}"
        )
    return Outcome(
        f"endpoint {endpoint.name} serves {endpoint.model_name} version {version}, features from "
        f"{published.table}; {len(rows)} requests by key answered as the batch decided "
        "(`dbb serve` keeps it open)",
        {"Answers to requests by key": pd.concat([keys, answers], axis=1)},
    )


def _bring_online(settings: Settings, platform: Platform) -> Published:
    table = settings.table("customer_features")
    days = platform.features.read(table).agg(F.to_date(F.max("as_of")).alias("newest"))
    newest = days.collect()[0]["newest"]
    if newest != settings.as_of:
        raise DataError(
            f"{table} has features of {newest}, and the newest are what is online, so no answer "
            f"can be compared with the decisions of {settings.as_of}: pass as_of={newest}"
        )
    return platform.features.publish(table)


def _of_day(settings: Settings, spark: SparkSession) -> DataFrame:
    log = tables.read(spark, settings.table("recommendations"))
    return log.where(F.col("as_of") == F.lit(settings.as_of))
