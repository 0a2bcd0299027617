"""Whom the champion decides for on a day: their features, and what they may get."""

from __future__ import annotations

import datetime as dt

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from nextbest import tables
from nextbest.decisions.contact_policy import with_contact_policy
from nextbest.decisions.eligibility import GATES, decision_time, with_eligible
from nextbest.decisions.notation import read_contact_policy
from nextbest.inference.batch import ALLOWED
from nextbest.lifecycle import frames
from nextbest.platforms import Platform
from nextbest.settings import Settings
from nextbest.use_cases import UseCase

OWN = "default"  # the contact policy of the use case itself


def asked(
    settings: Settings,
    platform: Platform,
    case: UseCase,
    actions: pd.DataFrame,
    *,
    wide: bool,
    who: Column | None = None,
) -> DataFrame:
    """Features of `settings.as_of` with `eligible` and `rejected` (with_eligible), a row each.

    Contacts and outcomes before that day's decision_time count for the contact policy, whatever
    was decided since. `wide` adds ALLOWED, what the eligibility gate alone allows; `who` leaves
    other customers out. Raises SettingsError for a contact policy that can't be read.
    """
    spark, mine = platform.spark, F.col("as_of") == frames.midnight(settings)
    features = platform.features.read(settings.table("customer_features")).where(mine).drop("as_of")
    if who is not None:
        features = features.where(who)
    text = settings.contact_policy
    policy = read_contact_policy(case.contact_policy if text == OWN else text)
    customers = features
    if policy:
        decisions = tables.read(spark, settings.table("decisions"))
        customers = with_contact_policy(
            features,
            policy,
            actions,
            decisions if who is None else decisions.where(who),
            tables.read(spark, settings.table("outcomes")),
            decision_time(settings.as_of),
            [head.kind for head in case.heads],
        )
    found = with_eligible(customers, actions, settings.as_of, policy=policy, reasons=True)
    return found.join(_allowed(features, actions, settings.as_of), "customer_id") if wide else found


def _allowed(features: DataFrame, actions: pd.DataFrame, as_of: dt.date) -> DataFrame:
    bare = actions.drop(columns=list(GATES[1:]), errors="ignore")
    wide = with_eligible(features, bare, as_of)
    return wide.select("customer_id", F.col("eligible").alias(ALLOWED))
