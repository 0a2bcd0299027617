"""Models with their feature spec: the local adapter for real, its file by the real client, too."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

import pandas as pd
import pytest
from pyspark.sql import functions as F
from scored_models import FUNCTIONS, LOOKUPS, MODEL, REQUIREMENTS, TABLE, at, new

from nextbest.errors import DataError
from nextbest.platforms import TrainingSpec

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("feature_models")]

SPINE = "customer_id string, decided_at timestamp, age double, target double"


@pytest.fixture(scope="module")
def logged(store, spark):
    """A model trained on the training set and logged with it: its version and its folder."""
    import mlflow
    from sklearn.tree import DecisionTreeRegressor

    rows = [("a", at(2), 1.0, 0.5), ("b", at(2), 2.0, 0.25), ("a", at(4), 1.0, 1.5)]
    spine = spark.createDataFrame(rows, SPINE)
    asked = TrainingSpec(spine, LOOKUPS, FUNCTIONS, ["target"], ["customer_id", "decided_at"])
    frame = store.training_set(asked).toPandas()
    inputs = frame.drop(columns="target")
    model = DecisionTreeRegressor(random_state=0).fit(inputs, frame["target"])
    # Not set_experiment: that would hold for the tests of other files, too.
    with mlflow.start_run(experiment_id=mlflow.create_experiment("feature_models")):
        version = store.log_model(new(model), asked)
    folder = mlflow.artifacts.download_artifacts(f"models:/{MODEL}/{version}")
    return version, Path(folder), inputs.columns.tolist()


def to_score(spark):
    rows = [("a", at(2), 1.0, "x"), ("a", at(4), 1.0, "y"), ("b", at(2), 2.0, "z"),
            ("nobody", at(2), 2.0, "z")]  # fmt: skip
    return spark.createDataFrame(
        rows, "customer_id string, decided_at timestamp, age double, note string"
    )


def scored(store, frame, version, **more):
    answer = store.score_batch(f"models:/{MODEL}/{version}", frame, **more)
    return answer.orderBy("customer_id", "decided_at").toPandas()


def test_it_is_registered_with_its_signature_and_tags(logged):
    import mlflow

    version, folder, _ = logged
    told = mlflow.MlflowClient().get_model_version(MODEL, version)
    assert told.tags == {"why": "a test"}
    signature = mlflow.models.Model.load(str(folder)).signature
    required = {column.name: column.required for column in signature.inputs}
    assert required == {
        "customer_id": True, "age": True, "spent": False, "visits": False, "ratio": False,
    }  # fmt: skip
    assert signature.outputs.input_names() == ["target"]


def test_a_batch_is_scored_from_keys_alone(store, spark, logged):
    found = scored(store, to_score(spark), logged[0])
    assert found.columns.tolist() == [
        "customer_id", "decided_at", "age", "note", "spent", "visits", "ratio", "prediction",
    ]  # fmt: skip
    assert found["visits"].tolist() == [2, 7, 4, 4]  # the default where there is none
    assert found["ratio"].tolist()[:3] == [0.5, 2.5, 1.0]
    assert found["prediction"].tolist()[:3] == [0.5, 1.5, 0.25]


def test_what_the_frame_brings_overrides_lookup_and_function(store, spark, logged):
    frame = to_score(spark).withColumn("spent", F.lit(9.0)).withColumn("ratio", F.lit(0.5))
    found = scored(store, frame, logged[0])
    assert found["spent"].tolist() == [9.0] * 4
    assert found["ratio"].tolist() == [0.5] * 4
    assert found.columns.tolist()[-2:] == ["visits", "prediction"]


def test_the_result_type_is_the_one_asked_for(store, spark, logged):
    answer = store.score_batch(f"models:/{MODEL}/{logged[0]}", to_score(spark), "float")
    assert dict(answer.dtypes)["prediction"] == "float"


def test_results_are_one_column():
    from nextbest.platforms.local.feature_scoring import answers

    assert answers([1, 2], "double").tolist() == [1, 2]
    two = pd.DataFrame({"a": [0.25, 0.5], "b": [0.75, 0.5]}, index=[7, 9])
    assert answers(two, "double").tolist() == [0.25, 0.5]
    assert answers(two.to_numpy(), "array<double>").tolist() == [[0.25, 0.75], [0.5, 0.5]]


def test_threads_that_ask_at_once_get_one_model(logged):
    from nextbest.platforms.local.feature_scoring import loaded

    folder = str(logged[1] / "data" / "feature_store" / "raw_model")
    with ThreadPoolExecutor(8) as threads:
        assert len(set(map(id, threads.map(loaded, [folder] * 64)))) == 1


def test_many_partitions_are_scored_at_once(store, spark, logged):
    frame = to_score(spark).withColumn("n", F.explode(F.sequence(F.lit(1), F.lit(500))))
    found = scored(store, frame.repartition(16), logged[0])
    assert found["prediction"].tolist()[:1500] == [0.5] * 500 + [1.5] * 500 + [0.25] * 500


FRESH = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from nextbest.platforms.local.feature_store import LocalFeatureStore
from nextbest.platforms.local.session import open_session

home, uri = Path(sys.argv[1]), sys.argv[2]
spark = open_session(home, ["juan_dev.ml_nba_demo_dev"])
frame = spark.sql(
    "SELECT 'a' AS customer_id, TIMESTAMP '2026-01-04' AS decided_at, 1.0D AS age "
    "UNION ALL SELECT 'b', TIMESTAMP '2026-01-02', 2.0D"
)
rows = LocalFeatureStore(spark, home).score_batch(uri, frame).orderBy("customer_id").collect()
print([row.prediction for row in rows])
"""


@pytest.mark.slow
def test_a_fresh_process_scores_from_keys_alone(home, logged):
    done = subprocess.run(
        [sys.executable, "-c", FRESH, str(home), f"models:/{MODEL}/{logged[0]}"],
        env={**os.environ, "TZ": "UTC"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == "[1.5, 0.25]"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda frame: frame.drop("age"), "lacks age"),
        (lambda frame: frame.drop("customer_id", "decided_at"), "lacks customer_id, decided_at"),
        (lambda frame: frame.withColumnRenamed("note", "prediction"), "column 'prediction'"),
        (lambda frame: frame.select("*", "age"), "'age' is there twice"),
    ],
    ids=["input", "keys", "prediction", "twice"],
)
def test_frames_that_can_not_be_scored_are_refused(store, spark, logged, change, told):
    with pytest.raises(DataError, match=told):
        store.score_batch(f"models:/{MODEL}/{logged[0]}", change(to_score(spark)))


def test_a_stream_is_refused(store, logged):
    stream = mock.Mock(isStreaming=True, columns=["customer_id"])  # the engine here has none
    with pytest.raises(DataError, match="foreachBatch"):
        store.score_batch(f"models:/{MODEL}/{logged[0]}", stream)


def test_a_model_without_a_spec_is_refused(store, spark, home):
    import mlflow
    from mlflow.models import infer_signature
    from sklearn.linear_model import LinearRegression

    rows = pd.DataFrame({"age": [1.0, 2.0]})
    model = LinearRegression().fit(rows, [1.0, 2.0])
    with mlflow.start_run():
        plain = mlflow.sklearn.log_model(
            model, name="plain", signature=infer_signature(rows, model.predict(rows)),
            pip_requirements=REQUIREMENTS,
        )  # fmt: skip
    with pytest.raises(DataError, match="without a feature spec"):
        store.score_batch(plain.model_uri, to_score(spark))


def test_what_can_not_be_logged_is_refused(store, spark):
    import mlflow

    spine = spark.createDataFrame([], SPINE)
    with pytest.raises(DataError, match="no active MLflow run"):
        store.log_model(new(None), TrainingSpec(spine, LOOKUPS, labels=["target"]))
    with mlflow.start_run(), pytest.raises(DataError, match="name the label, or give output_sch"):
        store.log_model(new(None), TrainingSpec(spine, LOOKUPS))


def test_a_served_model_takes_features_from_the_online_store(store, logged):
    import mlflow

    store.publish(TABLE)
    served = mlflow.pyfunc.load_model(f"models:/{MODEL}/{logged[0]}")
    rows = pd.DataFrame(
        {"customer_id": ["a", "b", "nobody"], "age": [1.0, 2.0, 2.0], "ratio": [2.5, 1.0, 1.0]}
    )
    assert served.predict(rows).tolist()[:2] == [1.5, 0.25]
    with pytest.raises(DataError, match="ratio: computed on demand"):
        served.predict(rows.drop(columns="ratio"))


def test_an_endpoint_answers_for_a_model_with_its_spec(store, home, logged):
    from nextbest.platforms.local.serving import LocalServing

    store.publish(TABLE)
    assert store.online(TABLE)
    assert not store.online(f"{TABLE}_other")
    serving = LocalServing(home)
    endpoint = serving.deploy("scored", MODEL, logged[0])
    asked = [{"customer_id": "a", "age": 1.0, "ratio": 2.5}, {"customer_id": "b", "age": 2.0,
             "ratio": 1.0}]  # fmt: skip
    assert serving.query(endpoint, asked) == [1.5, 0.25]
    with pytest.raises(DataError, match="'scored' refused the records: .*ratio: computed on dem"):
        serving.query(endpoint, [{"customer_id": "a", "age": 1.0}])


def test_the_packaged_spec_loads_with_the_clients_parser(client_spec, logged):
    from databricks.ml_features_common.utils.feature_spec_utils import load_feature_spec

    _, folder, inputs = logged
    packaged = folder / "data" / "feature_store"
    assert (packaged / "raw_model" / "MLmodel").is_file()
    spec = load_feature_spec(str(packaged), None)
    assert [c.output_name for c in spec.column_infos if c.include] == inputs
    looked_up, visits = spec.feature_column_infos
    assert (looked_up.feature_name, looked_up.output_name) == ("spend", "spent")
    assert (visits.default_value_str, visits.timestamp_lookup_key) == ("4", ["decided_at"])
    assert spec.table_infos[0].lookback_window == 30 * 86_400
