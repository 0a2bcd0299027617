"""The real client, its join in a process of its own; what is online, and what models are fed by."""

from __future__ import annotations

import importlib.util
import pickle
import sys
from pathlib import Path

import pytest
from online_rows import COLUMNS, SCHEMA
from scored_models import FUNCTIONS, TABLE, at, ratio

from nextbest.platforms.local import online_store
from nextbest.platforms.local.online_reader import OnlineTable

SCRIPT = Path(__file__).with_name("oracle_engine.py")


@pytest.fixture(scope="session")
def cases():
    """The module cases.py under the name by which the oracle knows it."""
    spec = importlib.util.spec_from_file_location("cases", SCRIPT.with_name("cases.py"))
    sys.modules["cases"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def oracle(engine_apart, tmp_path_factory):
    """Databricks' own join on Apache Spark: (tables, cases) -> () -> [("frame"|"error", what)]."""
    ask = engine_apart(SCRIPT)

    def asked(tables, cases):
        folder = tmp_path_factory.mktemp("cases")
        (folder / "tables.pickle").write_bytes(pickle.dumps(tables))
        (folder / "cases.pickle").write_bytes(pickle.dumps(cases))
        return ask(folder)

    return asked


@pytest.fixture
def table(request):
    return f"{SCHEMA}.{request.node.name.split('[')[0]}"


@pytest.fixture
def write(spark, table):
    """Append rows to the test's table, or overwrite it."""

    def go(rows, columns=COLUMNS, mode="append"):
        frame = spark.createDataFrame(rows, columns)
        options = {"mergeSchema": "true"} if mode == "append" else {"overwriteSchema": "true"}
        frame.write.format("delta").mode(mode).options(**options).saveAsTable(table)

    return go


@pytest.fixture
def publish(spark, spark_home, table):
    def go():
        return online_store.publish(spark, spark_home, table, ["customer_id"], "as_of")

    return go


@pytest.fixture
def read(spark_home, table):
    opened = []

    def go(*names):
        if not opened:
            opened.append(OnlineTable(spark_home, table))
        return opened[0].read([{"customer_id": name} for name in names])

    yield go
    for each in opened:
        each.close()


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
def client_spec():
    from databricks.ml_features_common.entities.feature_spec import FeatureSpec

    return FeatureSpec
