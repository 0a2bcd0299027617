"""The Databricks adapters by the real SDK over HTTP, against a small recording server.

It answers only what these adapters ask; the full recording workspace is a later issue.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from nextbest.errors import PlatformError
from nextbest.platforms import Endpoint, Monitor

pytestmark = pytest.mark.integration

MONITOR = Monitor(
    table="prod.nba.recommendations", baseline="prod.nba.training_baseline",
    timestamp="decided_at", granularity="1 day", model_id="model_version", columns=("a",),
)  # fmt: skip


class Workspace:
    """Answers by (method, path); a list answers one after the other. Keeps what was asked."""

    def __init__(self, answers):
        self.answers = {key: list(v) if isinstance(v, list) else v for key, v in answers.items()}
        self.asked = []
        workspace = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size) or b"null")
                path = self.path.split("?")[0]
                workspace.asked.append((self.command, path, body))
                known = workspace.answers.get((self.command, path))
                if isinstance(known, list):
                    known = known.pop(0)
                status, content = (200, known) if known is not None else (
                    404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "not there"},
                )  # fmt: skip
                data = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = answer

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def client(self):
        from databricks.sdk import WorkspaceClient

        host = f"http://127.0.0.1:{self.server.server_address[1]}"
        return WorkspaceClient(host=host, token="not-a-secret")

    def writes(self):
        return [(method, path, body) for method, path, body in self.asked if method != "GET"]


@pytest.fixture
def workspace():
    opened = []

    def make(answers):
        opened.append(Workspace(answers))
        return opened[-1]

    yield make
    for each in opened:
        each.server.shutdown()
        each.server.server_close()


MONITORS = "/api/2.1/unity-catalog/tables/prod.nba.recommendations/monitor"
INFO = {
    "table_name": MONITOR.table, "status": "MONITOR_STATUS_ACTIVE", "monitor_version": "1",
    "profile_metrics_table_name": "p", "drift_metrics_table_name": "d",
    "output_schema_name": "prod.nba",
}  # fmt: skip
DONE = {"refresh_id": 7, "state": "SUCCESS", "start_time_ms": 0}


def monitors(space, monkeypatch):
    from nextbest.platforms.databricks import monitors as adapter

    monkeypatch.setattr(adapter, "POLL_SECONDS", 0)
    return adapter.DatabricksMonitors(space.client())


def test_the_first_refresh_creates_the_monitor_and_waits(workspace, monkeypatch):
    space = workspace(
        {
            ("POST", MONITORS): INFO,
            ("GET", "/api/2.0/preview/scim/v2/Me"): {"userName": "me@example.com"},
            ("POST", f"{MONITORS}/refreshes"): {**DONE, "state": "PENDING"},
            ("GET", f"{MONITORS}/refreshes/7"): [{**DONE, "state": "RUNNING"}, DONE],
        }
    )
    adapter = monitors(space, monkeypatch)
    adapter.refresh(MONITOR, dt.date(2026, 3, 1))
    (_, _, created), (_, refreshed, _) = space.writes()
    assert refreshed == f"{MONITORS}/refreshes"
    assert created["output_schema_name"] == "prod.nba"
    assert created["baseline_table_name"] == "prod.nba.training_baseline"
    assert created["time_series"] == {"timestamp_col": "decided_at", "granularities": ["1 day"]}
    assert adapter.tables(MONITOR).drift == "prod.nba.recommendations_drift_metrics"


def test_the_second_refresh_updates_it(workspace, monkeypatch):
    space = workspace(
        {
            ("GET", MONITORS): INFO, ("PUT", MONITORS): INFO,
            ("POST", f"{MONITORS}/refreshes"): DONE,
        }
    )  # fmt: skip
    monitors(space, monkeypatch).refresh(MONITOR, dt.date(2026, 3, 1))
    assert [method for method, _, _ in space.writes()] == ["PUT", "POST"]


def test_a_refresh_that_fails_is_told(workspace, monkeypatch):
    failed = {**DONE, "state": "FAILED", "message": "no column decided_at"}
    space = workspace(
        {
            ("GET", MONITORS): INFO, ("PUT", MONITORS): INFO,
            ("POST", f"{MONITORS}/refreshes"): failed,
        }
    )  # fmt: skip
    with pytest.raises(PlatformError, match="refresh 7 is .*FAILED.*no column decided_at"):
        monitors(space, monkeypatch).refresh(MONITOR, dt.date(2026, 3, 1))


ENDPOINTS = "/api/2.0/serving-endpoints"
READY = {
    "name": "nba", "state": {"ready": "READY", "config_update": "NOT_UPDATING"},
    "config": {"served_entities": []},
}  # fmt: skip


@pytest.mark.parametrize("there", [False, True], ids=["created", "updated"])
def test_an_endpoint_is_created_then_updated(workspace, there):
    from nextbest.platforms.databricks.serving import DatabricksServing

    seen = [READY, READY] if there else [None, READY]
    space = workspace(
        {
            ("GET", f"{ENDPOINTS}/nba"): seen, ("POST", ENDPOINTS): READY,
            ("PUT", f"{ENDPOINTS}/nba/config"): READY,
        }
    )  # fmt: skip
    endpoint = DatabricksServing(space.client()).deploy("nba", "prod.nba.model", "3")
    ((method, _, body),) = space.writes()
    assert method == ("PUT" if there else "POST")
    (entity,) = (body if there else body["config"])["served_entities"]
    assert (entity["entity_name"], entity["entity_version"]) == ("prod.nba.model", "3")
    assert endpoint.version == "3"


def test_an_endpoint_is_asked_by_records(workspace):
    from nextbest.platforms.databricks.serving import DatabricksServing

    url = "/serving-endpoints/nba/invocations"
    space = workspace(
        {("POST", url): {"predictions": [{"p": 0.5}]}, ("GET", f"{ENDPOINTS}/nba"): READY}
    )
    endpoint = Endpoint("nba", "prod.nba.model", "3", url)
    assert DatabricksServing(space.client()).query(endpoint, [{"a": 1.0}]) == [{"p": 0.5}]
    assert space.writes()[-1][2] == {"dataframe_records": [{"a": 1.0}]}
