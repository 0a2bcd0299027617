"""Answers lost between the embedded engine and its client: asked for again, never done twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from nextbest.platforms.local.retrying import AnswerLost
from nextbest.platforms.local.session import open_session

pytestmark = pytest.mark.integration

STREAMS = ("ExecutePlan", "ReattachExecute")
GARBLED = b"\xff"


class Wire(grpc.GenericRpcHandler):
    """Hands calls on to an engine; of each named call, the first answers come back unreadable."""

    def __init__(self, address: str, garbled: dict[str, int]) -> None:
        self.channel, self.garbled = grpc.insecure_channel(address), garbled

    def service(self, details):
        call = details.method.rsplit("/", 1)[1]
        if call in STREAMS:
            onward = self.channel.unary_stream(details.method)
            return grpc.unary_stream_rpc_method_handler(
                lambda asked, _: (self.spoilt(call, answer) for answer in onward(asked))
            )
        onward = self.channel.unary_unary(details.method)
        return grpc.unary_unary_rpc_method_handler(
            lambda asked, _: self.spoilt(call, onward(asked))
        )

    def spoilt(self, call, answer):
        self.garbled[call] = self.garbled.get(call, 0) - 1
        return answer if self.garbled[call] < 0 else GARBLED


@pytest.fixture
def behind(tmp_path):
    """A function: a client of a new engine behind such a wire."""
    engine = open_session(tmp_path, ["c.s"])
    port = engine._nextbest_server.listening_address[1]
    servers = []

    def start(**garbled):
        servers.append(grpc.server(ThreadPoolExecutor(4)))
        servers[-1].add_generic_rpc_handlers((Wire(f"127.0.0.1:{port}", garbled),))
        mine = servers[-1].add_insecure_port("127.0.0.1:0")
        servers[-1].start()
        client = SparkSession.builder.remote(f"sc://127.0.0.1:{mine}").create()
        client.client.set_retry_policies(engine.client.get_retry_policies())
        return client

    yield start
    for server in servers:
        server.stop(0)


def test_settings_and_plans_are_asked_for_again(behind):
    spark = behind(Config=2, AnalyzePlan=2)
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"
    assert spark.range(3).columns == ["id"]


def test_a_statement_is_not_repeated(behind, tmp_path):
    spark = behind(ExecutePlan=1)
    folder = str(tmp_path / "rows")
    with pytest.raises(PySparkException, match="Exception deserializing response"):
        spark.range(3).write.format("delta").mode("append").save(folder)
    assert spark.read.format("delta").load(folder).count() == 3


def test_what_stays_unreadable_is_an_error(behind):
    spark = behind(Config=100)
    with pytest.raises(PySparkException, match="retries has been exceeded"):
        spark.conf.get("spark.sql.session.timeZone")


def test_other_failures_are_not_repeated():
    assert not AnswerLost().can_retry(ValueError("Exception deserializing response!"))
