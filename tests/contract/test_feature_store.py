"""One suite for the feature store port: the local adapter for real, and Databricks' adapter.

Databricks' client is an autospec of the real class: it refuses calls that the client would not
take, and answers from a local store, so that what the adapter says must mean what was asked.
"""

from __future__ import annotations

import datetime as dt
import textwrap
from types import SimpleNamespace

import pytest

from nextbest.errors import DataError
from nextbest.platforms import FeatureFunction, Lookup, TrainingSpec

pytestmark = pytest.mark.integration

SCHEMA = "juan_dev.ml_nba_demo_dev"
ROWS = "customer_id string, as_of timestamp, spend double, kind string"
SPINE = "customer_id string, decided_at timestamp, response double"


def at(day, hour=0):
    return dt.datetime(2026, 1, day, hour)


def margin(spend: float, share: float) -> float:
    return None if spend is None or share is None else spend * share


class Workspace:
    """The session of a workspace: its statements about functions are only noted."""

    def __init__(self, spark):
        self.catalog, self.table, self.said = spark.catalog, spark.table, []

    def sql(self, text):
        self.said.append(text)


@pytest.fixture(params=["local", "databricks"])
def port(request, spark, spark_home):
    """The adapter, and for Databricks the client and what the session was told."""
    from nextbest.platforms.local.feature_store import LocalFeatureStore

    local = LocalFeatureStore(spark, spark_home)
    made = SimpleNamespace(name=request.param, store=local, client=None, said=[], local=local)
    if request.param == "databricks":
        from workspace.feature_client import Answers, autospec

        from nextbest.platforms.databricks.feature_store import DatabricksFeatureStore

        answered = ("create_table", "write_table", "get_table", "read_table", "create_training_set")
        made.client, session = autospec(Answers(spark, local), answered), Workspace(spark)
        made.store, made.said = DatabricksFeatureStore(session, None, made.client), session.said
    return made


@pytest.fixture
def table(port, spark, request):
    """A feature table of its own for each test."""
    name = f"{SCHEMA}.port_{port.name}_{abs(hash(request.node.name))}"
    rows = [("a", at(1), 1.0, "x"), ("a", at(3), None, "y"), ("b", at(2), 5.0, None)]
    port.store.write(name, spark.createDataFrame(rows, ROWS), ["customer_id"], "as_of")
    return name


def joined(port, spark, rows, lookups, schema=SPINE, **options):
    spine = spark.createDataFrame(rows, schema)
    frame = port.store.training_set(TrainingSpec(spine, lookups, **options))
    return frame.columns, sorted((tuple(row) for row in frame.collect()), key=repr)


def test_rows_are_merged_by_key_and_time_and_columns_added(port, spark, table):
    more = spark.createDataFrame(
        [("b", at(2), 6.0, "z", True), ("c", at(2), 7.0, "z", False)], f"{ROWS}, fresh boolean"
    )
    for _ in range(2):
        port.store.write(table, more, ["customer_id"], "as_of")
    rows = sorted(tuple(row) for row in port.store.read(table).collect())
    assert rows == [
        ("a", at(1), 1.0, "x", None), ("a", at(3), None, "y", None),
        ("b", at(2), 6.0, "z", True), ("c", at(2), 7.0, "z", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "time"),
    [(["kind"], "as_of"), (["customer_id"], None), (["customer_id", "kind"], None)],
)
def test_other_keys_are_refused(port, table, keys, time):
    with pytest.raises(DataError, match=f"{table}: its keys are .*'customer_id'.* as_of"):
        port.store.write(table, port.store.read(table), keys, time)


@pytest.mark.parametrize(
    ("rows", "schema", "told"),
    [
        (
            [(None, at(1), 1.0, "x")],
            ROWS,
            "'customer_id' is null in 1 rows|NOT NULL constraint violated for column: customer_id",
        ),
        ([("a", at(1), 1.0, "x")] * 2, ROWS, "several rows for one key"),
        ([("a", at(1), 1.0)], "customer_id string, as_of timestamp, spend double", "lack kind"),
        ([("a", at(1), "1", "x")], ROWS.replace("double", "string"), "'spend' is double"),
    ],
    ids=["null key", "duplicates", "a column less", "another type"],
)
def test_rows_that_do_not_fit_are_refused(port, spark, table, rows, schema, told):
    before = port.store.read(table).count()
    with pytest.raises(DataError, match=told):
        port.store.write(table, spark.createDataFrame(rows, schema), ["customer_id"], "as_of")
    assert port.store.read(table).count() == before


def test_columns_come_in_order_and_rows_as_of_their_time(port, spark, table):
    lookup = Lookup(
        table, ("customer_id",), "decided_at", ("kind", "spend"), dt.timedelta(days=1),
        {"spend": "spent"}, {"kind": "none"},
    )  # fmt: skip
    spine = [("a", at(2), 0.0), ("a", at(2, 1), 1.0), ("b", at(2), 1.0), ("b", at(2), 1.0)]
    columns, rows = joined(
        port, spark, spine, [lookup], labels=["response"], exclude=["decided_at"]
    )
    assert columns == ["customer_id", "kind", "spent", "response"]
    assert rows == [
        ("a", "none", None, 1.0),  # 25 hours old
        ("a", "x", 1.0, 0.0),  # 24 hours old
        ("b", "none", 5.0, 1.0),
        ("b", "none", 5.0, 1.0),
    ]


def test_a_column_of_the_spine_overrides(port, spark, table):
    lookup = Lookup(table, ("customer_id",), "decided_at", defaults={"spend": 9.0})
    spine = [("a", at(2), 99.0), ("b", at(1), None)]
    schema = "customer_id string, decided_at timestamp, spend double"
    columns, rows = joined(port, spark, spine, [lookup], schema)
    assert columns == ["customer_id", "decided_at", "spend", "kind"]
    assert rows == [("a", at(2), 99.0, "x"), ("b", at(1), 9.0, None)]


def test_a_table_without_time_and_a_table_keyed_by_a_feature(port, spark, table, request):
    names = f"{table}_names"
    rows = spark.createDataFrame([("x", 10), ("y", 20)], "kind string, rank int")
    port.store.write(names, rows, ["kind"], None)
    lookups = [
        Lookup(names, ("sort",)),
        Lookup(table, ("customer_id",), "decided_at", ("kind",), renames={"kind": "sort"}),
    ]
    columns, rows = joined(port, spark, [("a", at(2), 0.0), ("b", at(2), 0.0)], lookups)
    assert columns == ["customer_id", "decided_at", "response", "rank", "sort"]
    assert [row[3:] for row in rows] == [(10, "x"), (None, None)]


def test_functions_see_features_before_defaults(port, spark, table):
    name = f"{SCHEMA}.margin"
    port.store.register(name, margin)
    port.local.register(name, margin)
    lookup = Lookup(table, ("customer_id",), "decided_at", ("spend",), defaults={"spend": 4.0})
    function = FeatureFunction(name, {"share": "response", "spend": "spend"}, "margin")
    spine = [("a", at(1), 0.5), ("a", at(4), 0.5)]
    columns, rows = joined(port, spark, spine, [lookup], functions=[function], exclude=["spend"])
    assert columns == ["customer_id", "decided_at", "response", "margin"]
    assert [row[3] for row in rows] == [0.5, None]
    for said in port.said:
        head, body, _ = said.split("$$")
        assert head == (
            "CREATE OR REPLACE FUNCTION `juan_dev`.`ml_nba_demo_dev`.`margin`"
            "(`spend` double, `share` double) RETURNS double LANGUAGE PYTHON AS "
        )
        scope = {}
        exec(f"def margin_udf(spend, share):\n{textwrap.indent(body, '    ')}", scope)
        assert scope["margin_udf"](4.0, 0.5) == 2.0


@pytest.mark.parametrize(
    ("change", "options"),
    [
        ({"keys": ("decided_at",)}, {}), ({"keys": ("customer_id", "response")}, {}),
        ({"timestamp": None}, {}), ({"timestamp": "response"}, {}),
        ({"features": ("absent",)}, {}),
        ({"renames": {"kind": "response"}}, {"labels": ["response"]}),
        ({}, {"labels": ["customer_id"]}), ({}, {"labels": ["absent"]}),
        ({}, {"labels": ["response"], "exclude": ["response"]}),
        ({"defaults": {"spend": "much"}}, {}),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(port, spark, table, change, options):
    given = {"table": table, "keys": ("customer_id",), "timestamp": "decided_at", **change}
    with pytest.raises(DataError, match="no training set: "):
        joined(port, spark, [("a", at(1), 0.5)], [Lookup(**given)], **options)


@pytest.mark.parametrize("port", ["databricks"], indirect=True)
def test_the_client_is_called_as_it_wants_to_be(spark, port, table):
    from databricks.feature_engineering import FeatureLookup

    lookup = Lookup(table, ("customer_id",), "decided_at", (), dt.timedelta(hours=6))
    joined(port, spark, [("a", at(1), 0.5)], [lookup], labels=["response"])
    calls = [(name, given) for name, args, given in port.client.mock_calls if not args]
    assert len(calls) == len(port.client.mock_calls)  # every argument is named
    names = [name for name, _ in calls]
    assert names == ["create_table", "write_table", "get_table", "read_table",
                     "create_training_set"]  # fmt: skip
    told = dict(calls)
    assert told["create_table"]["primary_keys"] == ["customer_id", "as_of"]
    assert told["create_table"]["timeseries_column"] == "as_of"
    assert told["write_table"]["mode"] == "merge"
    (wanted,) = told["create_training_set"]["feature_lookups"]
    assert type(wanted) is FeatureLookup
    assert (wanted.table_name, wanted.lookup_key) == (table, ["customer_id"])
    assert wanted.timestamp_lookup_key == "decided_at"
    assert wanted.lookback_window == dt.timedelta(hours=6)
    assert told["create_training_set"]["label"] == ["response"]
    assert told["create_training_set"]["exclude_columns"] == []
