"""The simulated world as tables: what is known of it at the midnight that begins `as_of`."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbest.data.interactions import LEAD_DAYS, interactions
from nextbest.data.logging_policy import POLICY, logged_day
from nextbest.data.outcomes import outcomes
from nextbest.data.world import (
    TREATMENTS,
    World,
    actions,
    customer_numbers,
    customers,
    eligible,
)
from nextbest.errors import DataError

# Spark Connect carries a local frame inside one gRPC message.
_MESSAGE_BYTES = 120_000_000


def simulate(
    spark: SparkSession, world: World, as_of: dt.date, decisions: DataFrame | None
) -> dict[str, DataFrame]:
    """Frames customers, actions, interactions, decisions, outcomes, to be merged by their keys.

    Decisions are those of the logging policy on each of the `history_days` days before `as_of`,
    but for the days on which `decisions` (the table as it stands, None where there is none yet)
    holds decisions of another policy: on those days that policy acted. Outcomes answer all of
    them, the table's own included, as far as they were observed before that midnight.

    The same (world, as_of, decisions) gives the same rows; a later `as_of` adds days and late
    outcomes and changes nothing else. Raises DataError when `decisions` is not of this world.
    """
    end = np.datetime64(as_of)
    first = end - world.history_days
    base = customers(world, as_of)
    taken = _taken(decisions, base, as_of)
    days = taken["decided_at"].to_numpy().astype("datetime64[D]")
    ours = (taken["policy"] != POLICY).to_numpy()
    logged = [
        logged_day(world, _present(world, base, day), day)
        for day in np.setdiff1d(np.arange(first, end), days[ours])
    ]
    history = pd.concat(logged, ignore_index=True) if logged else logged_day(world, base, end)[:0]
    older = taken[ours | (days < first)]
    answered = pd.concat([history, older], ignore_index=True)[list(_DECISION)]
    return {
        "customers": _hand_over(spark, "customers", pa.Table.from_pandas(base)),
        "actions": _hand_over(spark, "actions", _actions()),
        "interactions": _hand_over(
            spark, "interactions", interactions(world, base, first - LEAD_DAYS, end)
        ),
        "decisions": _decisions(spark, world, base, history),
        "outcomes": _hand_over(spark, "outcomes", outcomes(world, base, answered, as_of)),
    }


_DECISION = ("row", "decided_at", "treatment", "decision_id")


def _present(world: World, base: pd.DataFrame, day: np.datetime64) -> pd.DataFrame:
    arrived = day >= np.datetime64(world.drift_from)
    return base if arrived else base[: world.customers]


def _taken(decisions: DataFrame | None, base: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """The table's decisions before `as_of`, in the columns of `_DECISION` and policy."""
    if decisions is None:
        empty = {"row": "int64", "decided_at": "datetime64[us]", "treatment": "int64"}
        texts = {"decision_id": "object", "policy": "object"}
        return pd.DataFrame({k: pd.Series(dtype=v) for k, v in {**empty, **texts}.items()})
    table = (
        decisions.where(F.col("decided_at") < F.lit(as_of).cast("timestamp"))
        .select("decision_id", "customer_id", "decided_at", "treatment", "policy")
        .toArrow()
        .sort_by("decision_id")
    )
    found = table.select(["decision_id", "customer_id", "treatment", "policy"]).to_pandas()
    treatment = pd.Index(TREATMENTS).get_indexer(found["treatment"])
    strange = found["treatment"][treatment < 0]
    if len(strange):
        raise DataError(
            f"decisions: {len(strange)} of {len(found)} rows hold a treatment that the simulated"
            f" world does not have, such as {strange.iloc[0]!r}:"
            " another source wrote into this table; give each source a schema of its own"
        )
    return pd.DataFrame(
        {
            "row": customer_numbers(found["customer_id"], len(base)),
            "decided_at": table["decided_at"].cast(pa.timestamp("us")).to_numpy(),
            "treatment": treatment,
            "decision_id": found["decision_id"],
            "policy": found["policy"],
        }
    )


def _actions() -> pa.Table:
    frame = pa.Table.from_pandas(actions())
    always = pa.nulls(frame.num_rows, pa.timestamp("us", tz="UTC"))
    frame = frame.append_column("lever", pa.array(np.ones(frame.num_rows)))
    frame = frame.append_column("daily_capacity", pa.nulls(frame.num_rows, pa.int64()))
    for gate in ("applicability", "suitability"):
        frame = frame.append_column(gate, pa.nulls(frame.num_rows, pa.string()))
    frame = frame.append_column("valid_from", always).append_column("valid_to", always)
    return frame.select(
        ["treatment", "action_id", "channel", "value", "cost", "lever", "eligibility",
         "applicability", "suitability", "consent", "daily_capacity", "valid_from", "valid_to"]
    )  # fmt: skip


def _decisions(
    spark: SparkSession, world: World, base: pd.DataFrame, history: pd.DataFrame
) -> DataFrame:
    """Table `decisions`; the few different eligible sets travel once and are joined on."""
    sets, which = np.unique(eligible(base), axis=0, return_inverse=True)
    names = np.array(TREATMENTS, dtype=object)
    catalog = pa.table(
        {
            "eligible_set": pa.array(np.arange(len(sets))),
            "eligible": pa.array([names[allowed].tolist() for allowed in sets]),
        }
    )
    row, treatment = history["row"].to_numpy(), history["treatment"].to_numpy()
    action = pa.table(actions()[["treatment", "action_id", "channel"]].to_dict("list"))
    rows = pa.table(
        {
            "decision_id": pa.array(history["decision_id"], pa.string()),
            "customer_id": pa.array(base["customer_id"], pa.string()).take(pa.array(row)),
            "decided_at": pa.array(
                history["decided_at"].to_numpy().astype(np.int64), pa.timestamp("us", tz="UTC")
            ),
            "eligible_set": pa.array(which.ravel()[row]),
            **{name: action[name].take(pa.array(treatment)) for name in action.column_names},
            "propensity": pa.array(history["propensity"]),
        }
    )
    return (
        _hand_over(spark, "decisions", rows)
        .join(spark.createDataFrame(catalog), "eligible_set")
        .select(
            "decision_id", "customer_id", "decided_at", "eligible", "treatment", "action_id",
            "channel", "propensity",
            F.lit(POLICY).alias("policy"),
            F.lit("1").alias("policy_version"),
            F.lit(False).alias("control_group"),
            F.lit(world.seed).cast("bigint").alias("seed"),
            F.lit(None).cast("double").alias("p_response"),
            F.lit(None).cast("double").alias("expected_value"),
            F.lit(None).cast("string").alias("reason_code"),
        )
    )  # fmt: skip


def _hand_over(spark: SparkSession, name: str, table: pa.Table) -> DataFrame:
    if table.nbytes > _MESSAGE_BYTES:
        raise DataError(
            f"{name}: {table.num_rows} simulated rows are {table.nbytes / 1e6:.0f} MB, more than"
            f" the {_MESSAGE_BYTES / 1e6:.0f} MB that Spark Connect takes at once: lower"
            " 'customers', 'history_days' or 'decisions_per_day'"
        )
    return spark.createDataFrame(table)
