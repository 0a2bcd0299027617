"""Real logs: the small Open Bandit Dataset (ZOZO, 24-30 November 2019), two logging policies."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import yaml
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbest.errors import DataError

CAMPAIGNS = ("all", "men", "women")
POLICIES = ("random", "bts")
POSITIONS = (1, 2, 3)
GATES = ("applicability", "suitability", "consent")  # no item has them
USER_FEATURES = [f"user_feature_{k}" for k in range(4)]
ITEM_FEATURES = [f"item_feature_{k}" for k in range(4)]


def read(spark: SparkSession, campaign: str, as_of: dt.date) -> dict[str, DataFrame]:
    """Frames customers, actions, interactions, decisions, outcomes of one campaign.

    Both policies' rows with a timestamp before the midnight (UTC) of `as_of`; the timestamps are
    the dataset's own. Every row is a decision (policy "random" or "bts", its exact logged
    propensity) about a customer of its own, since users have no identity there; treatment is
    "<item>:position-<p>", and eligible are all items at that position. A click is an outcome
    of value 1 at the decision's own time, for the log tells no other. There are no interactions.

    The many user-item affinities (clicks of that user on that item before; .1 % are not 0) become
    two columns of customers that are the same for every campaign: past_clicks, their sum, and
    past_items, how many are not 0. Raises DataError when the campaign is unknown, the dataset is
    not installed, or nothing lies before `as_of`.
    """
    # The other log says the same of every item, by other hashes.
    items = pd.read_csv(_file("dataset", "obd", "random", _known(campaign), "item_context.csv"))
    log = pd.concat([_log(policy, campaign) for policy in POLICIES], ignore_index=True)
    begin = log["decided_at"].min()
    log = log[log["decided_at"] < pd.Timestamp(as_of, tz="UTC")]
    if log.empty:
        raise DataError(
            f"'as_of' is {as_of}: the Open Bandit logs of '{campaign}' begin on {begin:%Y-%m-%d};"
            " use a later day, 2019-12-01 to see all of them"
        )
    customers = log[["customer_id", *USER_FEATURES, "past_clicks", "past_items"]]
    return {
        "customers": _frame(spark, customers),
        "actions": _actions(spark, items),
        "interactions": spark.createDataFrame([], _INTERACTIONS),
        "decisions": _decisions(spark, log, len(items)),
        "outcomes": _outcomes(spark, log),
    }


def bts_distribution(campaign: str) -> np.ndarray:
    """Probability [K, 3] of each item at each position under the production policy (bts).

    Beta-Bernoulli Thompson sampling with the campaign's production prior, 100,000 draws; the
    legacy generator makes it the same on any numpy. Raises DataError as `read` does.
    """
    text = _file("policy", "conf", "prior_bts.yaml").read_text(encoding="utf-8")
    prior = yaml.safe_load(text)[_known(campaign)]
    draws = np.random.RandomState(12345)
    size = (100_000, len(prior["alpha"]))
    theta = draws.beta(prior["alpha"], prior["beta"], size=size)
    top = np.argsort(theta, axis=1)[:, ::-1][:, : len(POSITIONS)]
    counts = [np.bincount(top[:, k], minlength=size[1]) for k in range(len(POSITIONS))]
    return np.stack(counts, axis=1) / size[0]


def _known(campaign: str) -> str:
    if campaign not in CAMPAIGNS:
        raise DataError(
            f"'campaign' is '{campaign}', which the Open Bandit logs do not have: use one of"
            f" {', '.join(CAMPAIGNS)}"
        )
    return campaign


def _file(*parts: str) -> Path:
    """A file of the wheel, found by the wheel's own record: its code is never imported."""
    try:
        wheel = importlib.metadata.distribution("obp")
    except importlib.metadata.PackageNotFoundError as error:
        raise DataError(
            "the Open Bandit logs are not installed: they are data in the package obp 0.4.1, of"
            " the dependency group 'datasets'; 'make demo' and 'make test' install it, elsewhere"
            " 'pip install --no-deps obp==0.4.1'"
        ) from error
    path = Path(str(wheel.locate_file("obp"))).joinpath(*parts)
    if not path.is_file():
        raise DataError(
            f"obp {wheel.version} is installed without {'/'.join(parts)}: the logs come with"
            " obp 0.4.1; 'pip install --no-deps --force-reinstall obp==0.4.1'"
        )
    return path


def _log(policy: str, campaign: str) -> pd.DataFrame:
    log = pd.read_csv(_file("dataset", "obd", policy, campaign, f"{campaign}.csv"), index_col=0)
    affinity = log.filter(regex="^user-item_affinity_")
    position = log["position"].astype(str)
    return log[["click", "position", *USER_FEATURES]].assign(
        customer_id=[f"{policy}-{row}" for row in log.index],
        decision_id=[f"open_bandit-{campaign}-{policy}-{row}" for row in log.index],
        decided_at=pd.to_datetime(log["timestamp"], utc=True, format="ISO8601"),
        action_id=log["item_id"].astype(str),
        channel="position-" + position,
        treatment=log["item_id"].astype(str) + ":position-" + position,
        propensity=log["propensity_score"].astype(float),
        policy=policy,
        past_clicks=affinity.sum(axis=1),
        past_items=(affinity > 0).sum(axis=1).astype(float),
    )


def _actions(spark: SparkSession, items: pd.DataFrame) -> DataFrame:
    rows = items.merge(pd.DataFrame({"position": POSITIONS}), how="cross")
    item, channel = rows["item_id"].astype(str), "position-" + rows["position"].astype(str)
    frame = pd.DataFrame({"treatment": item + ":" + channel, "action_id": item, "channel": channel})
    frame = frame.assign(value=1.0, cost=0.0, lever=1.0, eligibility="true")
    return _frame(spark, pd.concat([frame, rows[ITEM_FEATURES]], axis=1)).select(
        *frame.columns,
        *[F.lit(None).cast("string").alias(gate) for gate in GATES],
        F.lit(None).cast("bigint").alias("daily_capacity"),
        F.lit(None).cast("timestamp").alias("valid_from"),
        F.lit(None).cast("timestamp").alias("valid_to"),
        *ITEM_FEATURES,
    )


def _decisions(spark: SparkSession, log: pd.DataFrame, count: int) -> DataFrame:
    eligible = {
        "position": list(POSITIONS),
        "eligible": [[f"{item}:position-{p}" for item in range(count)] for p in POSITIONS],
    }
    known = ["decision_id", "customer_id", "decided_at", "treatment", "action_id", "channel",
             "propensity", "policy", "position"]  # fmt: skip
    return (
        _frame(spark, log[known])
        .join(spark.createDataFrame(pa.table(eligible)), "position")
        .select(
            "decision_id", "customer_id", "decided_at", "eligible", "treatment", "action_id",
            "channel", "propensity", "policy",
            F.lit("2019-11").alias("policy_version"),
            F.lit(False).alias("control_group"),
            F.lit(0).cast("bigint").alias("seed"),
            F.lit(None).cast("double").alias("p_response"),
            F.lit(None).cast("double").alias("expected_value"),
            F.lit(None).cast("string").alias("reason_code"),
        )
    )  # fmt: skip


def _outcomes(spark: SparkSession, log: pd.DataFrame) -> DataFrame:
    clicks = log.loc[log["click"] == 1, ["decision_id", "decided_at"]]
    clicks = clicks.rename(columns={"decided_at": "observed_at"})
    return _frame(spark, clicks.assign(kind="click", reward=1.0, value=1.0))


def _frame(spark: SparkSession, rows: pd.DataFrame) -> DataFrame:
    table = pa.Table.from_pandas(rows, preserve_index=False)
    time = pa.timestamp("us", tz="UTC")
    schema = [
        pa.field(f.name, time if pa.types.is_timestamp(f.type) else f.type) for f in table.schema
    ]
    return spark.createDataFrame(table.cast(pa.schema(schema)))


_INTERACTIONS = (
    "event_id string, customer_id string, event_time timestamp, kind string, amount double"
)
