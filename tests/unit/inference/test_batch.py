import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from nextbest.decisions.eligibility import decision_time, with_eligible
from nextbest.errors import DataError
from nextbest.inference.batch import decide_rows, recommend
from nextbest.inference.online import answer
from nextbest.platforms.local.feature_store import LocalFeatureStore
from nextbest.platforms.local.online_reader import OnlineTable

pytestmark = pytest.mark.integration

DAY = dt.date(2026, 1, 31)
TOLD = {"as_of": DAY, "seed": 5, "use_case": "nba", "model_version": "7"}
FIRST = [
    *("decision_id", "customer_id", "decided_at", "eligible", "treatment", "action_id", "channel"),
    *("propensity", "policy_propensity", "policy", "policy_version", "control_group", "seed"),
    *("limits", "p_response"),
    *("expected_value", "incremental_value", "score", "cost", "p_opt_out", "value_response"),
    *("value_opt_out", "reason_code", "reason", "as_of", "model_version"),
]


def run(frame, actions, decider, **changed):
    eligible = with_eligible(frame, actions, DAY)
    return recommend(eligible, decider, **{**TOLD, **changed})


@pytest.fixture(scope="module")
def customers(make_customers):
    return make_customers(3_000)


@pytest.fixture(scope="module")
def found(spark, customers, actions, decider):
    frame = run(spark.createDataFrame(customers), actions, decider)
    return frame.toPandas().sort_values("customer_id", ignore_index=True)


def test_columns_and_constants(found, customers, decider):
    features = [name for name in customers.columns if name != "customer_id"]
    assert list(found.columns) == [*FIRST, *features]
    assert len(found) == len(customers)
    assert found["decision_id"].is_unique
    moment = pd.to_datetime(found["decided_at"], utc=True)
    assert (moment == pd.Timestamp(decision_time(DAY))).all()
    assert set(found["as_of"]) == {DAY}
    assert set(found["policy_version"]) == {"7"}
    assert found["x"].isna().sum() == customers["x"].isna().sum()
    pd.testing.assert_series_equal(found["visits"], customers["visits"])


def test_only_eligible_treatments_with_true_propensities(found, decider):
    assert all(t in names for t, names in zip(found["treatment"], found["eligible"], strict=True))
    counts = found["eligible"].map(len)
    control = found["control_group"]
    assert (found["propensity"] == 1 / counts)[control].all()
    best = found["reason_code"] == "best"
    np.testing.assert_allclose(found["propensity"][best], 0.8 + 0.2 / counts[best], atol=1e-15)
    explored = found["reason_code"] == "explored"
    np.testing.assert_allclose(found["propensity"][explored], 0.2 / counts[explored], atol=1e-15)
    assert (control | best | explored).all()
    assert min(control.sum(), best.sum(), explored.sum()) > 100


def test_score_parts_add_up(found):
    total = found["value_response"] + found["value_opt_out"] - found["cost"]
    np.testing.assert_allclose(total, found["expected_value"], rtol=1e-12, atol=1e-12)
    none = found["treatment"] == "none"
    assert none.any()
    assert (found.loc[none, ["p_response", "p_opt_out", "expected_value"]] == 0).all().all()


def test_partitions_and_order_change_nothing(spark, customers, actions, decider, found):
    shuffled = spark.createDataFrame(customers.sample(frac=1, random_state=1)).repartition(5)
    again = run(shuffled, actions, decider).toPandas()
    again = again.sort_values("customer_id", ignore_index=True)
    again["eligible"], expected = again["eligible"].map(list), found["eligible"].map(list)
    pd.testing.assert_frame_equal(again, found.assign(eligible=expected))


def test_another_seed_or_day_draws_anew(spark, customers, actions, decider, found):
    frame = spark.createDataFrame(customers)
    for changed in ({"seed": 6}, {"as_of": dt.date(2026, 2, 1)}):
        other = run(frame, actions, decider, **changed).toPandas().sort_values("customer_id")
        differ = other["treatment"].to_numpy() != found["treatment"].to_numpy()
        assert 0.05 < differ.mean() < 0.5
        assert (other["control_group"].to_numpy() == found["control_group"].to_numpy()).all()


def test_keys_alone_decide_the_same_by_the_online_store(
    spark, spark_home, customers, actions, decider, found
):
    store, table = LocalFeatureStore(spark, spark_home), "juan_dev.ml_nba_demo_dev.batch_online"
    features = spark.createDataFrame(customers).withColumn("seen_at", F.lit(decision_time(DAY)))
    store.write(table, features, ["customer_id"], "seen_at")
    assert store.publish(table).written == len(customers)
    expected = found[::100]  # with x and segment unknown for some
    online = OnlineTable(spark_home, table)
    rows = online.read([{"customer_id": name} for name in expected["customer_id"]])
    online.close()
    gated = with_eligible(spark.createDataFrame(pd.DataFrame(rows)), actions, DAY).toPandas()
    eligible = gated.set_index("customer_id")["eligible"]
    records = [{**row, "eligible": list(eligible[row["customer_id"]])} for row in rows]
    same = ["decision_id", "treatment", "propensity", "policy_propensity", "score", "reason"]
    got = pd.DataFrame(answer(records, decider, **TOLD))
    pd.testing.assert_frame_equal(got[same], expected[same].reset_index(drop=True), rtol=1e-9)


def test_online_answers_the_same(customers, decider, found):
    names = [*decider.model.features, "customer_id", "margin"]
    records = customers[names].assign(eligible=found["eligible"].map(list)).to_dict("records")
    features = [name for name in customers.columns if name != "customer_id"]
    batch = found.drop(columns=features).assign(
        eligible=found["eligible"].map(list),
        decided_at=pd.to_datetime(found["decided_at"], utc=True),
    )
    for some in (records[:1], records[40:300]):
        got = pd.DataFrame(answer(some, decider, **TOLD))
        first = int(some[0]["customer_id"][2:])
        same = batch.iloc[first : first + len(some)].reset_index(drop=True)
        pd.testing.assert_frame_equal(got[FIRST], same, check_dtype=False, check_exact=True)


def test_missing_and_taken_columns_are_named(spark, customers, actions, decider):
    frame = spark.createDataFrame(customers).drop("x").withColumn("policy", F.lit("p"))
    eligible = frame.withColumn("eligible", F.array(F.lit("none")))
    with pytest.raises(DataError, match="column 'x' is missing.*'policy' is one that deciding"):
        recommend(eligible, decider, **TOLD)


def test_what_eligibility_alone_allows_and_context(spark, customers, actions, decider):
    """Batch and online give both to the decision alike, whatever the partitions."""
    names = list(decider.treatments.names)
    policy = dataclasses.replace(decider.policy, eligibility_share=0.2)
    other = dataclasses.replace(decider, policy=policy)
    weights = [float(k % 3) for k in range(len(names))]
    frame = with_eligible(spark.createDataFrame(customers.head(500)), actions, DAY)
    frame = frame.withColumn("allowed", F.array(*map(F.lit, names)))
    frame = frame.withColumn("context", F.array(*map(F.lit, weights)))
    batch = recommend(frame.repartition(3), other, **TOLD).toPandas()
    batch = batch.sort_values("customer_id", ignore_index=True)
    only = batch["reason_code"] == "eligibility_only"
    assert 50 < only.sum() < 150
    assert batch["control_group"][only].all()
    assert all(list(each) == names for each in batch["eligible"][only])
    assert (batch["propensity"][only] == 1 / len(names)).all()
    assert (batch["eligible"][~only].map(len) < len(names)).any()
    records = frame.toPandas().sort_values("customer_id").to_dict("records")
    online = pd.DataFrame(answer(records, other, **TOLD))
    for name in ("decision_id", "treatment", "propensity", "score", "reason_code", "reason"):
        assert (online[name] == batch[name]).all(), name
    assert online["eligible"].map(list).tolist() == batch["eligible"].map(list).tolist()
    at = batch["treatment"].map(names.index)
    gains = batch["value_response"] + batch["value_opt_out"]
    expected = gains * at.map(weights.__getitem__) - batch["cost"]
    np.testing.assert_allclose(batch["score"], expected, rtol=1e-12, atol=1e-12)
    with pytest.raises(DataError, match="column 'allowed' is missing"):
        recommend(frame.drop("allowed"), other, **TOLD)


def test_bad_lists_are_named(decider):
    def lists(*values):
        return pa.array(values, pa.list_(pa.string()))

    rows = {"customer_id": ["c-1", "c-2"], "x": [0.0, 1.0], "visits": [1, 2]}
    rows |= {"segment": ["s1", "s2"], "consent": [True, False], "margin": [1.0, 2.0]}
    good, weights = lists(["none"], ["none", "a:sms"]), [1.0] * len(decider.treatments)
    ragged = pa.array([weights, [1.0]])
    for found, problem in (
        ({"eligible": lists(["none"], None)}, "eligible is missing in 1 of 2 rows"),
        ({"eligible": lists(["none"], ["z:fax"])}, "not in the actions table: z:fax"),
        ({"eligible": lists(["none"], [None])}, "names no treatment .null. in 1 rows"),
        ({"eligible": lists(["none"], [])}, "1 of 2 customers have no eligible treatment"),
        ({"eligible": good, "context": ragged}, "in 1 of 2 rows"),
    ):
        batch = pa.RecordBatch.from_pydict({**rows, **found})
        with pytest.raises(DataError, match=problem):
            decide_rows(batch, decider, "nba", "2026-01-31", 1)
    empty = pa.RecordBatch.from_pydict({**rows, "eligible": good}).slice(0, 0)
    whole = pa.RecordBatch.from_pydict({**rows, "eligible": good})
    assert (
        decide_rows(empty, decider, "nba", "2026-01-31", 1).schema
        == decide_rows(whole, decider, "nba", "2026-01-31", 1).schema
    )
