"""Models with their feature spec: the local adapter for real, Databricks' by its calls.

The real client (group `databricks`) judges our file: it reads it, and writes the same bytes.
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pandas as pd
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from nextbest.errors import DataError
from nextbest.platforms import FeatureFunction, Lookup, NewModel, TrainingSpec
from nextbest.platforms.local import feature_spec, feature_spec_file

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("feature_models")]

SCHEMA = "juan_dev.ml_nba_demo_dev"
TABLE = f"{SCHEMA}.scored_features"
MODEL = f"{SCHEMA}.scored_model"
SPINE = "customer_id string, decided_at timestamp, age double, target double"
REQUIREMENTS = ["scikit-learn", "pandas"]


def at(day):
    return dt.datetime(2026, 1, day)


def ratio(spent: float, age: float) -> float:
    return None if spent is None else spent / (1 + age)


LOOKUPS = [
    Lookup(
        TABLE, ("customer_id",), "decided_at", lookback=dt.timedelta(days=30),
        renames={"spend": "spent"}, defaults={"visits": 4},
    )
]  # fmt: skip
FUNCTIONS = [FeatureFunction(f"{SCHEMA}.ratio", {"spent": "spent", "age": "age"}, "ratio")]


def new(model):
    import mlflow

    return NewModel(
        model, MODEL, mlflow.sklearn, REQUIREMENTS, tags={"why": "a test"},
        save={"serialization_format": "cloudpickle"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def home(spark_home, local_mlflow):
    from nextbest.platforms.local import tracking

    tracking.create_database(spark_home)
    return local_mlflow(spark_home)


@pytest.fixture(scope="module")
def store(spark, home):
    from nextbest.platforms.local.feature_store import LocalFeatureStore

    store = LocalFeatureStore(spark, home)
    rows = [("a", at(1), 1.0, 2), ("a", at(3), 5.0, 7), ("b", at(1), 3.0, None)]
    frame = spark.createDataFrame(
        rows, "customer_id string, as_of timestamp, spend double, visits int"
    )
    store.write(TABLE, frame, ["customer_id"], "as_of")
    store.register(FUNCTIONS[0].function, ratio)
    return store


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


EVERY = {
    "shop": "int", "vip": "boolean", "small": "smallint", "share": "float", "spend": "double",
    "visits": "bigint", "day": "date", "seen": "timestamp", "tier": "string",
    "prices": "array<float>", "ranks": "array<int>", "flags": "array<boolean>",
    "words": "array<string>", "raw": "binary", "points": "int",
}  # fmt: skip
REQUEST = "id string, d date, t timestamp"
KNOWN = (3, True, 2, 0.5, float("nan"), 7, dt.date(2026, 1, 5), at(6), "gold",
         [1.0, 2.0], [1, None], [True, False], ["x", None], b"x", 9)  # fmt: skip


@pytest.fixture(scope="module")
def telling(store, spark):
    """A model over features of every type, one table keyed by a feature and one by a date."""
    import mlflow
    from mlflow.types import ColSpec, Schema

    class Telling(mlflow.pyfunc.PythonModel):
        """It answers with the frame that it is given: types and values."""

        def predict(self, context, rows):
            kinds = rows.dtypes.to_dict()
            return [
                "\n".join(f"{name} {kinds[name]} {value!r}" for name, value in row.items())
                for row in rows.to_dict("records")
            ]

    columns = ", ".join(f"{name} {kind}" for name, kind in EVERY.items())
    rows = [("a", *KNOWN), ("gaps", *[None] * len(EVERY))]
    who, shops, days, times = (f"{SCHEMA}.served_{k}" for k in ("who", "shops", "days", "times"))
    store.write(who, spark.createDataFrame(rows, f"id string, {columns}"), ["id"], None)
    store.write(shops, spark.createDataFrame([(3, 1.5)], "no int, size double"), ["no"], None)
    born = spark.createDataFrame([(dt.date(2026, 1, 1), 4)], "d date, open int")
    store.write(days, born, ["d"], None)
    rates = spark.createDataFrame([(at(1), 0.5)], "moment timestamp, rate double")
    store.write(times, rates, ["moment"], None)
    for table in (who, shops, days, times):
        store.publish(table)
    lookups = [
        Lookup(who, ("id",), defaults={"points": 5}), Lookup(shops, ("shop",)),
        Lookup(days, ("d",)), Lookup(times, ("t",)),
    ]  # fmt: skip
    spine = spark.createDataFrame([("a", dt.date(2026, 1, 1), at(1))], REQUEST)
    logged = NewModel(
        Telling(), f"{SCHEMA}.telling", mlflow.pyfunc, REQUIREMENTS, Schema([ColSpec("string")])
    )
    with mlflow.start_run(experiment_id=mlflow.create_experiment("telling")):
        return store.log_model(logged, TrainingSpec(spine, lookups))


def test_a_served_model_gets_what_a_batch_gives_it(store, spark, telling):
    import mlflow

    uri = f"models:/{SCHEMA}.telling/{telling}"
    served = mlflow.pyfunc.load_model(uri)
    # One at a time, since a gap decides the type of a whole column.
    for key in (("a", at(1).date(), at(1)), ("gaps", at(2).date(), at(2))):
        batch = store.score_batch(uri, spark.createDataFrame([key], REQUEST), "string")
        given = pd.DataFrame([map(str, key)], columns=["id", "d", "t"])  # as JSON has them
        (answer,) = served.predict(given)
        assert answer.splitlines() == batch.first()["prediction"].splitlines()
    days = ["2026-01-01", "2026-01-02"]
    both = pd.DataFrame({"id": ["a", "nobody"], "d": days, "t": days})
    one, other = served.predict(both)
    assert "shop float64 3.0\n" in one
    assert "points int32 9\nsize float64 1.5\nopen float64 4.0\nrate float64 0.5" in one
    assert "points int32 5\nsize float64 nan\nopen float64 nan\nrate float64 nan" in other
    with pytest.raises(DataError, match="d is a date"):
        served.predict(pd.DataFrame({"id": ["a"], "d": ["2026-01-01 08:00"], "t": days[:1]}))


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


# --- by the real client -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def client_spec():
    from databricks.ml_features_common.entities.feature_spec import FeatureSpec

    return FeatureSpec


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


def client_order(columns):
    """The client's own places for the columns of a spec that it has read."""
    from databricks.ml_features_common.utils.feature_spec_utils import assign_topological_ordering

    return [c.topological_ordering for c in assign_topological_ordering(list(columns))]


@pytest.mark.parametrize("case", range(30))
def test_the_client_writes_the_same_file_and_the_same_order(client_spec, tmp_path, case):
    spec = generated(case)
    text = feature_spec_file.to_yaml(spec)
    (tmp_path / feature_spec_file.NAME).write_text(text, "utf-8")
    theirs = client_spec.load(str(tmp_path))
    assert client_order(theirs.column_infos) == [column.order for column in spec.columns]
    again = tmp_path / "again"
    again.mkdir()
    theirs.save(str(again))
    assert (again / feature_spec_file.NAME).read_text("utf-8") == text
    assert feature_spec_file.from_yaml(text, "here") == spec


def generated(case):
    """A spec of several tables and functions that lean on each other, by the case's number."""
    import random

    draw = random.Random(case)
    spine = ["id", "place", "at", "größe"]
    lookups, there = [], list(spine)
    for table in range(draw.randint(0, 3)):
        features = {f"f{i}": f"{draw.choice('zmaq')}{table}{i}" for i in range(draw.randint(1, 4))}
        default = {new: draw.choice([0, 1.5, True, "x: y"]) for new in features.values()}
        window = (
            dt.timedelta(seconds=draw.choice([0, 0.25, 86_400])) if draw.random() < 0.5 else None
        )
        keys = tuple(draw.sample(there, draw.randint(1, 2)))
        lookups.append(
            Lookup(f"a.b.t{draw.randint(0, 9)}{table}", keys, "at", tuple(features), window,
                   features, default if draw.random() < 0.5 else {})
        )  # fmt: skip
        there += features.values()
    functions = []
    for number in range(draw.randint(0, 4)):
        inputs = {f"p{i}": name for i, name in enumerate(draw.sample(there, draw.randint(0, 3)))}
        functions.append(
            FeatureFunction(f"a.b.g{number % 3}", inputs, f"{draw.choice('by')}{number}")
        )
        there.append(functions[-1].output)
    types = {
        name: draw.choice(["int", "string", "decimal(10,2)", "array<double>"]) for name in there
    }
    ids = {lookup.table: f"id {lookup.table}" for lookup in lookups}
    exclude = draw.sample(there[1:], draw.randint(0, 2))
    rows = SimpleNamespace(columns=spine)
    return feature_spec.build(types, TrainingSpec(rows, lookups, functions, exclude=exclude), ids)


# --- the Databricks adapter: calls by name, type and order -----------------------------------


@pytest.fixture
def client(client_spec, monkeypatch):
    """The real client's class without a workspace, where the adapter looks for it."""
    import databricks.feature_engineering as package

    made = mock.create_autospec(package.FeatureEngineeringClient, instance=True)
    monkeypatch.setattr(package, "FeatureEngineeringClient", lambda: made)
    return made


@pytest.fixture
def on_databricks(client):
    from nextbest.platforms.databricks.feature_store import DatabricksFeatureStore

    return DatabricksFeatureStore(mock.Mock(), mock.Mock())


def test_databricks_logs_with_its_training_set_and_registers_once(on_databricks, client, home):
    import mlflow
    from databricks.feature_engineering import FeatureFunction as ClientFunction
    from databricks.feature_engineering import FeatureLookup

    client.log_model.return_value.model_uri = "models:/m-1"
    # What the rows bring is no feature to look up: the client would refuse it.
    spine, model = (
        mock.Mock(columns=["customer_id", "decided_at", "age", "target", "visits"]),
        object(),
    )
    client.get_table.return_value = SimpleNamespace(
        primary_keys=["customer_id", "as_of"], timestamp_keys=["as_of"]
    )
    client.read_table.return_value.columns = ["customer_id", "as_of", "spend", "visits"]
    asked = TrainingSpec(spine, LOOKUPS, FUNCTIONS, ["target"], ["customer_id"])
    with mlflow.start_run(), mock.patch.object(mlflow, "register_model") as register:
        register.return_value.version = 7
        version = on_databricks.log_model(new(model), asked)
    assert version == "7"
    names = [call[0] for call in client.method_calls]
    assert names == ["get_table", "read_table", "create_training_set", "log_model"]
    asked = client.create_training_set.call_args.kwargs
    lookup, function = asked["feature_lookups"]
    assert isinstance(lookup, FeatureLookup)
    assert isinstance(function, ClientFunction)
    assert (lookup.lookup_key, lookup.timestamp_lookup_key) == (["customer_id"], "decided_at")
    assert lookup.lookback_window == dt.timedelta(days=30)
    assert (lookup.feature_names, lookup.default_values) == (["spend"], {})
    assert function.input_bindings == {"spent": "spent", "age": "age"}
    assert (asked["df"], asked["label"], asked["exclude_columns"]) == (
        spine, ["target"], ["customer_id"],
    )  # fmt: skip
    client.log_model.assert_called_once_with(
        model=model, artifact_path="model", flavor=mlflow.sklearn,
        training_set=client.create_training_set.return_value, pip_requirements=REQUIREMENTS,
        serialization_format="cloudpickle",
    )  # fmt: skip
    register.assert_called_once_with("models:/m-1", MODEL, tags={"why": "a test"})


def test_databricks_logs_only_within_a_run(on_databricks, client, home):
    with pytest.raises(DataError, match="no active MLflow run"):
        on_databricks.log_model(new(None), TrainingSpec(mock.Mock(), LOOKUPS, labels=["target"]))
    client.log_model.assert_not_called()


def test_databricks_scores_by_the_client(on_databricks, client):
    frame = mock.Mock()
    answer = on_databricks.score_batch("models:/a.b.c/1", frame, "float")
    client.score_batch.assert_called_once_with(
        model_uri="models:/a.b.c/1", df=frame, result_type="float"
    )
    assert answer is client.score_batch.return_value


@pytest.mark.parametrize("there", [True, False])
def test_databricks_knows_what_is_online(client, there):
    from nextbest.platforms.databricks.feature_store import DatabricksFeatureStore

    spark = mock.Mock()
    spark.catalog.tableExists.side_effect = lambda name: there and name == "a.b.c_online"
    assert DatabricksFeatureStore(spark, mock.Mock()).online("a.b.c") is there


@pytest.mark.parametrize(
    "error",
    [ValueError, TypeError, KeyError, IndexError, OverflowError, NotImplementedError, RuntimeError,
     PySparkException, Exception],
)  # fmt: skip
def test_what_databricks_refuses_is_told(on_databricks, client, home, error):
    import mlflow

    spine = mock.Mock(columns=["customer_id", "decided_at"])
    asked = TrainingSpec(spine, functions=FUNCTIONS)
    client.score_batch.side_effect = error("not so\n\nJVM stacktrace:\n at ...")
    with pytest.raises(DataError, match=r"^models:/a.b.c/1: the frame can't be scored: \W?not so"):
        on_databricks.score_batch("models:/a.b.c/1", spine)
    client.log_model.side_effect = error("not so")
    with mlflow.start_run(), pytest.raises(DataError, match=r"was not logged: \W?not so"):
        on_databricks.log_model(new(None), asked)
    client.create_training_set.side_effect = error("not so")
    with pytest.raises(DataError, match=r"^no training set: \W?not so"):
        on_databricks.training_set(asked)
    client.get_table.side_effect = error("not so")
    with pytest.raises(DataError, match=r"^no training set: \W?not so"):
        on_databricks.training_set(TrainingSpec(spine, LOOKUPS))
    with pytest.raises(DataError, match=r"^feature table a.b.c: \W?not so"):
        on_databricks.write("a.b.c", spine, ["customer_id"], None)
    client.get_online_store.side_effect = error("not so")
    with pytest.raises(DataError, match=r"^a.b.c was not published: \W?not so"):
        on_databricks.publish("a.b.c")
