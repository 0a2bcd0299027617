"""What the feature client's own requests come to, over HTTP, by the code that makes them."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from unittest import mock

import pytest
from pyspark.errors import PySparkException
from workspace.faults import DROPPED, Fault
from workspace.server import TOKEN, Workspace

from nextbest.errors import DataError, PlatformError
from nextbest.platforms import Lookup, TrainingSpec
from nextbest.platforms.databricks.feature_store import DatabricksFeatureStore

pytestmark = pytest.mark.integration

PLACE = "/api/2.0/feature-store/feature-tables/get"
TABLE = "prod.nba.customer_features"
LOOKUPS = [Lookup(TABLE, ("customer_id",), timestamp="decided_at")]
LASTING = {
    401: "who asks is unknown .*renew the token",
    403: f"not allowed .*it needs SELECT on {TABLE}: ask an owner",
    404: f"not there, or hidden from who asks .*it needs SELECT on {TABLE}",
    409: "something else is changing it .*run this again later",
    429: "refused .Too many requests",
    500: "the workspace did not answer .*run this again",
    502: "the workspace did not answer .*run this again",
    503: "the workspace did not answer .*run this again",
    DROPPED: "the workspace did not answer .*run this again",
}


@pytest.fixture
def space(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    space = Workspace()
    yield space
    space.close()


def client_of(space):
    """A client that asks the workspace of a table as the real one does."""
    from databricks.ml_features.utils import rest_utils

    creds = SimpleNamespace(
        host=space.url, token=TOKEN, username=None, password=None, server_cert_path=None,
        ignore_tls_verification=False, client_cert_path=None,
    )  # fmt: skip

    def get_table(**given):
        answer = rest_utils.http_request(creds, PLACE, method="GET", params=given)
        return rest_utils.verify_rest_response(answer, PLACE)

    return mock.Mock(get_table=get_table)


def store_of(client):
    return DatabricksFeatureStore(mock.Mock(), mock.Mock(), client)


SPEC = TrainingSpec(mock.Mock(columns=["customer_id", "decided_at"]), LOOKUPS)


@pytest.mark.parametrize("kind", LASTING)
def test_each_refusal_names_table_and_right(space, kind):
    space.faults.append(Fault(kind, "GET", PLACE, times=1000))
    with pytest.raises(PlatformError, match=f"^no training set: {LASTING[kind]}") as told:
        store_of(client_of(space)).training_set(SPEC)
    assert TOKEN not in str(told.value)


def test_what_does_not_fit_names_table_and_keys():
    client = mock.Mock()
    client.get_table.side_effect = ValueError("Unable to join feature table")
    mend = rf"Unable to join .*; give the spine .* \({TABLE} by customer_id, decided_at\)"
    with pytest.raises(DataError, match=mend):
        store_of(client).training_set(SPEC)
    with pytest.raises(DataError, match="; its rows need customer_id, as_of, none of them null"):
        store_of(client).write(TABLE, mock.Mock(), ["customer_id"], "as_of")


def test_who_may_not_write_is_told_what_it_takes():
    client = mock.Mock()
    client.get_table.side_effect = PermissionError("You do not have permission to write")
    with pytest.raises(PlatformError, match=rf"^feature table {TABLE}: not allowed .*MODIFY on it"):
        store_of(client).write(TABLE, mock.Mock(), ["customer_id"], None)


def test_a_table_or_function_that_the_engine_refuses():
    client, spark = mock.Mock(), mock.Mock()
    client.read_table.side_effect = PySparkException("[INSUFFICIENT_PERMISSIONS] SELECT")
    with pytest.raises(DataError, match=rf"^feature table {TABLE}: .INSUFFICIENT_PERMISSIONS"):
        store_of(client).read(TABLE)
    spark.sql.side_effect = PySparkException("[INSUFFICIENT_PERMISSIONS] CREATE FUNCTION")
    with pytest.raises(
        DataError, match=r"^function prod.nba.twice: .*needs CREATE FUNCTION on its"
    ):
        DatabricksFeatureStore(spark, mock.Mock(), client).register("prod.nba.twice", twice)


def twice(spend: float) -> float:
    return 2 * spend


def test_what_is_no_refusal_is_a_defect_and_shows_its_traceback():
    client = mock.Mock()
    client.get_table.side_effect = AttributeError("ours")
    with pytest.raises(AttributeError):
        store_of(client).training_set(SPEC)


def test_without_the_client_it_says_where_it_comes_from(monkeypatch):
    monkeypatch.setitem(sys.modules, "databricks.feature_engineering", None)
    with pytest.raises(PlatformError, match="can't be imported .*take the ML runtime, or add"):
        store_of(None).read(TABLE)


def test_outside_of_databricks_the_client_does_not_start(monkeypatch):
    import databricks.feature_engineering as engineering

    broken = mock.Mock(side_effect=Exception("no workspace"))
    monkeypatch.setattr(engineering, "FeatureEngineeringClient", broken)
    with pytest.raises(DataError, match="^the feature engineering client: no workspace; start it"):
        store_of(None).read(TABLE)
