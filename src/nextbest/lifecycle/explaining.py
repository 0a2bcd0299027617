"""`dbb explain`: why a logged decision came out as it did, and whether it would again."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbest import tables, use_cases
from nextbest.decisions.eligibility import GATES
from nextbest.decisions.explanation import Explanation, Limited, explain
from nextbest.errors import DataError, UsageError
from nextbest.inference.batch import ALLOWED
from nextbest.lifecycle import frames
from nextbest.lifecycle.asking import asked
from nextbest.platforms import Platform, open_platform
from nextbest.settings import Settings

NEAR = 3


@dataclass(frozen=True, eq=False)
class Explained:
    """A logged decision, why it came out so, and what differs when it is computed again.

    `logged` is its row; `table` has a row per treatment, as of decisions.explanation. Both table
    and `differences` are None for a decision that another policy logged.
    """

    logged: Mapping[str, Any]
    sentence: str
    table: pd.DataFrame | None
    differences: tuple[str, ...] | None


def explain_decision(settings: Settings, spark: SparkSession, decision_id: str) -> Explained:
    """Decide again with the features, actions and model version of the decision, and compare.

    `settings.as_of` is not used: the day is the decision's. Raises UsageError with near matches
    for an id that no decision has, DataError when its customer's features are gone.
    """
    platform = open_platform(settings, spark)
    row = _find(spark, settings.table("recommendations"), decision_id)
    if row is None:
        return _of_another(spark, settings.table("decisions"), decision_id)
    then = dataclasses.replace(settings, as_of=row["as_of"])
    found = _again(then, platform, row)
    differences = tuple(_differences(row, found))
    return Explained(row, found.sentence, found.table, differences)


def _again(settings: Settings, platform: Platform, row: Mapping[str, Any]) -> Explanation:
    live = frames.decider(settings, platform.spark, row["model_version"])
    actions = frames.actions_frame(settings, platform.spark)
    wide = live.policy.eligibility_share > 0
    who = F.col("customer_id") == row["customer_id"]
    case = use_cases.load(settings)
    customer = asked(settings, platform, case, actions, wide=wide, who=who).toPandas()
    if len(customer) != 1:
        raise DataError(
            f"{settings.table('customer_features')} has {len(customer)} rows of customer "
            f"{row['customer_id']} for "
            f"{settings.as_of}: run data_pipeline_job with as_of={settings.as_of} again"
        )
    return explain(
        customer,
        live.treatments.mask(customer["eligible"]),
        row["decision_id"],
        live,
        row["seed"],
        allowed=live.treatments.mask(customer[ALLOWED]) if wide else None,
        rejections=_rejections(customer["rejected"].iloc[0], actions),
        limited=_limited(row),
    )


def _limited(row: Mapping[str, Any]) -> Limited | None:
    """What limits made of the policy's draw, as it was logged; None for a day without limits."""
    if not row.get("limits"):
        return None
    return Limited(
        row["limits"], row["treatment"], row["propensity"], row["reason_code"] == "capped"
    )


def _rejections(
    rejected: Sequence[Mapping[str, Any]], actions: pd.DataFrame
) -> dict[str, list[str]]:
    """All reasons of each rejected treatment, a gate's with its rule."""
    rules = actions.set_index("treatment")
    gates = [gate for gate in GATES if gate in rules.columns]
    return {
        each["treatment"]: [
            f'{code} "{rules.loc[each["treatment"], code]}"' if code in gates else code
            for code in each["reasons"]
        ]
        for each in rejected
    }


def _differences(row: Mapping[str, Any], found: Explanation) -> list[str]:
    """Where the decision, computed again, is not the logged one."""
    eligible = set(found.table.loc[found.table["eligible"], "treatment"])
    before = set(row["eligible"])
    differences = [f"{name} was eligible and is no longer" for name in sorted(before - eligible)]
    differences += [f"{name} was not eligible and is now" for name in sorted(eligible - before)]
    for name, now in found.row.items():
        if name not in row or name == "reason":  # of an earlier version; said in other words
            continue
        was = row[name]
        if isinstance(now, float):
            empty = was is None or math.isnan(was)
            same = empty == math.isnan(now) and (
                empty or math.isclose(was, now, rel_tol=1e-9, abs_tol=1e-12)
            )
        else:
            same = was == now
        if not same:
            differences.append(f"{name} was {was} and is now {now}")
    return differences


def _of_another(spark: SparkSession, log: str, decision_id: str) -> Explained:
    row = _find(spark, log, decision_id)
    if row is None:
        raise UsageError(
            f"no decision '{decision_id}' in {log}{_near(tables.read(spark, log), decision_id)}"
        )
    return Explained(
        row,
        f"{row['treatment']} was chosen for {row['customer_id']} by policy '{row['policy']}' "
        f"version {row['policy_version']}, which is not ours: of {len(row['eligible'])} eligible "
        f"treatments it drew this one with probability {row['propensity']:.4g}; its scores were "
        "not logged.",
        None,
        None,
    )


def _find(spark: SparkSession, table: str, decision_id: str) -> dict[str, Any] | None:
    if not tables.exists(spark, table):
        return None
    rows = tables.read(spark, table).where(F.col("decision_id") == decision_id).limit(1).collect()
    return rows[0].asDict() if rows else None


def _near(log: DataFrame, given: str) -> str:
    """Decisions that may have been meant: those of a customer of that name, else similar ids."""
    ids = log.select("decision_id", "customer_id")
    of_customer = ids.where(F.col("customer_id") == given).orderBy("decision_id").limit(NEAR)
    near = [row["decision_id"] for row in of_customer.collect()]
    if near:
        return f"; customer {given} has {', '.join(near)}"
    similar = ids.select("decision_id", F.levenshtein("decision_id", F.lit(given)).alias("edits"))
    rows = similar.orderBy("edits", "decision_id").limit(NEAR).collect()
    return f"; did you mean {', '.join(row['decision_id'] for row in rows)}?" if rows else ""
