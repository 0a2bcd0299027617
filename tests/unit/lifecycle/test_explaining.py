"""`dbb explain` over real tables and a real registry, in a small made-up world."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F

from nextbest import use_cases
from nextbest.commands.explain import as_json, as_text, settings_of
from nextbest.data import world
from nextbest.decisions.arbitration import Arbitration
from nextbest.decisions.decide import Decider
from nextbest.decisions.limits import limits_from
from nextbest.decisions.policy import Policy
from nextbest.decisions.treatments import Treatments
from nextbest.errors import DataError, UsageError
from nextbest.inference.batch import recommend
from nextbest.lifecycle.asking import asked
from nextbest.lifecycle.explaining import explain_decision
from nextbest.platforms import Lookup, NewModel, TrainingSpec, open_platform
from nextbest.settings import Settings
from nextbest.training import packaging
from nextbest.training.reward_model import fit
from nextbest.use_cases.nba_heads import SIMULATED_HEADS

pytestmark = [pytest.mark.integration, pytest.mark.slow]

DAY, LATER = dt.date(2026, 1, 31), dt.date(2026, 2, 3)
SETTINGS = {
    "platform": "local", "catalog": "prod", "schema": "ml_nba_demo", "volume": "landing",
    "use_case": "nba", "source": "simulated", "mapping": "none", "campaign": "all", "seed": "5",
    "endpoint": "e",
    "model_name": "prod.ml_nba_demo.nba", "experiment": "/e", "as_of": "2000-01-01",
    "customers": "200", "history_days": "10", "decisions_per_day": "20", "attribution_days": "7",
    "holdout_share": "0.4", "exploration": "0.3", "control_share": "0.1", "confidence": "0.95",
    "min_lift": "0", "min_ess": "1", "max_contact_growth": "0.1", "monitor_slices": "channel",
    "model_version": "candidate", "release_to": "champion", "drift": "none",
    "drift_threshold": "0.2",
    "drift_windows": "3 of 4", "max_rejected_share": "0.02",
    "drift_from": "live", "exploration_floor": "0", "temperature": "0",
    "thompson_draws": "0",
    "eligibility_share": "0", "contact_policy": "at most 1 in 7 days per channel",
    "channel_capacity": "none", "daily_budget": "none",
    "retrain_cooldown_days": "3", "retrain_cap": "5", "retrain_window_days": "30",
    "alert_channels": "log", "alert_reminder_days": "7", "profiling": "own",
}  # fmt: skip
FEATURES = ("usage_level", "tenure_months", "segment", "call_consent", "sms_consent")


@pytest.fixture(scope="module")
def settings():
    return Settings.parse(SETTINGS)


@pytest.fixture(scope="module")
def actions():
    return world.actions().assign(
        lever=1.0,
        valid_from=pd.NaT,
        valid_to=pd.Series([pd.NaT] * 28 + [pd.Timestamp("2026-01-01", tz="UTC")]),
        daily_capacity=np.nan,
    )


def customers_of(count):
    told = world.World(1, 3_000, 10, 20, 7, "none", dt.date(2030, 1, 1))
    return world.customers(told, DAY).head(count)


def moment(day, hour=0):
    return F.lit(dt.datetime(day.year, day.month, day.day, hour, tzinfo=dt.UTC))


@pytest.fixture(scope="module")
def customers():
    return customers_of(3_000)


@pytest.fixture(scope="module")
def decider(actions, customers):
    rng = np.random.default_rng(1)
    log = customers.assign(
        decided_at=pd.Timestamp("2026-01-01", tz="UTC")
        + pd.to_timedelta(np.arange(len(customers)) // 300, unit="D")
    )
    given = actions.iloc[rng.integers(0, len(actions), len(log))]
    log["action_id"], log["channel"] = given["action_id"].to_numpy(), given["channel"].to_numpy()
    contact = log["channel"] != "none"
    for head in SIMULATED_HEADS:
        log[head.kind] = (contact & (rng.random(len(log)) < 0.1)).astype(float)
    model = fit(log, SIMULATED_HEADS, FEATURES, 1, lambda text: None)
    policy = Policy("nba", "new", epsilon=0.3, control_share=0.1, eligibility_share=0.1)
    treatments = Treatments.from_frame(actions)
    return Decider(model, treatments, Arbitration(SIMULATED_HEADS), policy)


@pytest.fixture(scope="module")
def platform(spark, spark_home, settings, local_mlflow):
    """The laptop's ports, with customers' features of both days."""
    local_mlflow(spark_home)
    platform = open_platform(settings, spark)
    today = spark.createDataFrame(customers_of(200))
    both = today.withColumn("as_of", moment(DAY)).unionByName(
        today.withColumn("as_of", moment(LATER))
    )
    platform.features.write(settings.table("customer_features"), both, ["customer_id"], "as_of")
    return platform


@pytest.fixture(scope="module")
def version(spark, platform, decider, customers, settings):
    """The decider as a registered version, logged with its features."""
    import mlflow

    example = customers.head(3).assign(action_id="none", channel="none")
    spine = spark.createDataFrame(example[["customer_id", "action_id", "channel"]])
    lookup = Lookup(settings.table("customer_features"), ("customer_id",), "t", FEATURES)
    spec = TrainingSpec(spine.withColumn("t", moment(DAY)), [lookup], exclude=["customer_id", "t"])
    with mlflow.start_run(), packaging.packaged(decider, example) as parts:
        new = NewModel(
            parts.model, settings.model, mlflow.pyfunc, parts.requirements,
            output_schema=parts.outputs, save=parts.save,
        )  # fmt: skip
        return platform.features.log_model(new, spec)


@pytest.fixture(scope="module")
def logged(spark, platform, settings, actions, customers, decider, version, tmp_path_factory):
    """The tables that explain reads, as the pipeline writes them; the recommendations.

    Two days: the first without limits, the second with few calls. Every third customer had a call
    by somebody else's policy the day before the first.
    """

    def write(frame, name):
        frame.write.mode("overwrite").format("delta").saveAsTable(settings.table(name))

    kinds = "daily_capacity double, valid_from timestamp, valid_to timestamp"
    times = spark.createDataFrame(actions.drop(columns=["valid_from", "valid_to"])).drop(
        "daily_capacity"
    )
    ends = [(t, None, None, None if pd.isna(v) else v.to_pydatetime())
            for t, v in zip(actions["treatment"], actions["valid_to"], strict=True)]  # fmt: skip
    write(times.join(spark.createDataFrame(ends, f"treatment string, {kinds}"), "treatment"),
          "actions")  # fmt: skip
    called = spark.createDataFrame(customers.head(200).iloc[::3][["customer_id"]])
    before = called.select(
        F.concat(F.lit("logging-"), "customer_id").alias("decision_id"), "customer_id",
        moment(DAY - dt.timedelta(days=1), 8).alias("decided_at"),
        F.array(F.lit("none"), F.lit("streaming_addon:call")).alias("eligible"),
        F.lit("streaming_addon:call").alias("treatment"),
        F.lit("streaming_addon").alias("action_id"),
        F.lit("call").alias("channel"), F.lit(0.5).alias("propensity"),
        F.lit("logging").alias("policy"), F.lit("3").alias("policy_version"),
    )  # fmt: skip
    write(before, "decisions")
    write(before.limit(0).select("decision_id", F.col("decided_at").alias("observed_at"),
                                 F.lit("response").alias("kind")), "outcomes")  # fmt: skip
    live = dataclasses.replace(decider, policy=dataclasses.replace(decider.policy, version=version))
    parts = []
    for day, limits in ((DAY, None), (LATER, limits_from(actions, {"call": 5, "email": 20}))):
        then, case = dataclasses.replace(settings, as_of=day), use_cases.load(settings)
        gated = asked(then, platform, case, actions, wide=True).drop("rejected")
        parts.append(
            recommend(
                gated, live, as_of=day, seed=5, use_case="nba", model_version=version,
                limits=limits, land=tmp_path_factory.mktemp("land") / "decided.parquet",
            )  # fmt: skip
        )
        # As of the second day the first one's contacts are known.
        write(before.unionByName(parts[0].select(*before.columns)), "decisions")
    write(parts[0].unionByName(parts[1]), "recommendations")
    ours = spark.table(settings.table("recommendations"))
    return ours.toPandas().sort_values("decision_id", ignore_index=True)


def test_every_kind_of_decision_comes_out_the_same(spark, settings, logged):
    one_each = logged.drop_duplicates(["as_of", "reason_code"])
    assert {"best", "explored", "control", "eligibility_only"} <= set(one_each["reason_code"])
    assert "capped" in set(one_each["reason_code"][one_each["as_of"] == LATER])
    for row in one_each.itertuples():
        found = explain_decision(settings, spark, row.decision_id)
        assert found.differences == (), row
        chosen = found.table[found.table["chosen"]].iloc[0]
        assert (chosen["treatment"], chosen["probability"]) == (
            row.treatment,
            row.policy_propensity,
        )
        assert set(found.table.loc[found.table["eligible"], "treatment"]) == set(row.eligible)
        text = as_text(found)
        assert "choice and propensity are the logged ones" in text
        assert "home_internet:call: expired" in text
        assert ("channel call 5, channel email 20" in text) == (row.as_of == LATER)
        assert '"same": true' in as_json(found)


def test_the_contact_policy_is_among_the_reasons(spark, settings, logged, customers):
    day = logged[(logged["as_of"] == DAY) & (logged["reason_code"] != "eligibility_only")]
    mine = day.set_index("customer_id").loc[customers["customer_id"].iloc[3]]
    assert not any(name.endswith(":call") for name in mine["eligible"])
    text = as_text(explain_decision(settings, spark, mine["decision_id"]))
    assert "streaming_addon:call: " in text
    assert "contact_policy:call<=1/7d" in text


def test_limits_hold_and_what_they_changed_is_logged(logged):
    day = logged[logged["as_of"] == LATER]
    counts = day["channel"].value_counts()
    assert counts["call"] <= 5
    assert counts["email"] <= 20
    assert set(day["limits"]) == {"channel call 5, channel email 20"}
    assert (day["propensity"] < day["policy_propensity"] - 0.1).any()
    before = logged[logged["as_of"] == DAY]
    assert (before["propensity"] == before["policy_propensity"]).all()
    assert set(before["limits"]) == {""}


def test_what_changed_since_is_told(spark, settings, logged):
    row = logged[(logged["treatment"] != "none") & (logged["as_of"] == DAY)].iloc[0]
    table = settings.table("actions")
    where = f"treatment = '{row['treatment']}'"
    spark.sql(f"UPDATE {table} SET eligibility = 'tenure_months < 0' WHERE {where}").collect()
    try:
        found = explain_decision(settings, spark, row["decision_id"])
    finally:
        rule = world.actions().set_index("treatment").loc[row["treatment"], "eligibility"]
        spark.sql(f"UPDATE {table} SET eligibility = '{rule}' WHERE {where}").collect()
    assert f"{row['treatment']} was eligible and is no longer" in found.differences
    assert f'{row["treatment"]}: eligibility "tenure_months < 0"' in as_text(found)
    assert any(text.startswith("treatment was") for text in found.differences)
    assert "computed again it differs from the log" in as_text(found)


def test_decisions_of_others_and_unknown_ones(spark, settings, logged):
    found = explain_decision(settings, spark, f"logging-{logged['customer_id'].min()}")
    assert found.table is None
    assert "by policy 'logging' version 3, which is not ours" in found.sentence
    assert '"same": null' in as_json(found)
    first = logged.iloc[0]
    with pytest.raises(UsageError, match=f"did you mean {first['decision_id']}"):
        explain_decision(settings, spark, first["decision_id"][:-1])
    with pytest.raises(UsageError, match=f"customer {first['customer_id']} has "):
        explain_decision(settings, spark, first["customer_id"])


def test_features_that_are_gone_are_named(spark, settings, logged):
    row = logged.iloc[0]
    name = settings.table("customer_features")
    kept = spark.table(name).toPandas()
    spark.sql(f"DELETE FROM {name} WHERE customer_id = '{row['customer_id']}'").collect()
    try:
        with pytest.raises(DataError, match=f"has 0 rows of customer {row['customer_id']} for"):
            explain_decision(settings, spark, row["decision_id"])
    finally:
        spark.createDataFrame(kept).write.mode("overwrite").format("delta").saveAsTable(name)


def test_the_bundle_tells_the_settings():
    from pathlib import Path

    from nextbest.bundle import load

    found = settings_of(load(Path(__file__).parents[3], "dev", {"source": "open_bandit"}, "me"))
    assert (found.platform, found.schema, found.source) == (
        "local",
        "ml_nba_demo_dev",
        "open_bandit",
    )
