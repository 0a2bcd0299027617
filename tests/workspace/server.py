"""The recording workspace itself: HTTP on loopback, state, transcript, faults."""

from __future__ import annotations

import importlib
import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from workspace import message_types
from workspace.faults import (
    ANSWERS,
    BROKEN,
    DROPPED,
    GATEWAYS,
    LOST,
    NO_API,
    NOT_READY,
    SLOW,
    Fault,
)
from workspace.routes import ROUTES, Refused, Request, Route
from workspace.sdk_types import answer_problems, request_problems

for service in ("alerts", "compute", "dashboards", "data_quality", "experiments", "features",
                "files", "identity", "jobs", "mlflow_tracking", "monitors", "pipelines",
                "registered_models", "secrets", "serving", "tags", "unity_catalog",
                "unity_models", "warehouses"):  # fmt: skip
    importlib.import_module(f"workspace.{service}")  # declares its routes
TOKEN = "dapi-of-the-recorder"
ANSWERED = "RECORDER_ANSWERED"  # variable: a file that gets each workspace's answered endpoints


@dataclass(frozen=True)
class Exchange:
    """One line of the transcript: what was asked of which endpoint, and what came back."""

    method: str
    path: str
    endpoint: str  # the template of the route, or the path where there is none
    body: Any
    status: int  # 0: the connection was cut
    answer: Any


class Workspace:
    """A workspace that keeps state (`kept[service][name]`) and a `transcript`.

    Put `Fault`s into `faults`. What no endpoint answers, what the SDK has no such field for, and
    what comes without the token is refused, and stands in the transcript like everything else.
    """

    def __init__(self, **config: Any) -> None:
        self.config = config  # of its clients, beside host and token
        self.kept: dict[str, dict[str, Any]] = defaultdict(dict)
        self.transcript: list[Exchange] = []
        self.answered: set[str] = set()  # method and endpoint, whatever becomes of the transcript
        self.faults: list[Fault] = []
        # What happens behind an endpoint, where it should: see monitors and serving.
        self.hooks: dict[str, Callable[..., Any]] = {}
        self.lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"space": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        # It is asked to stop that often: after half a second by default.
        serve = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        serve.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def client(self) -> Any:
        """The SDK's client of it."""
        from databricks.sdk import WorkspaceClient
        from databricks.sdk.config import Config

        return WorkspaceClient(config=Config(host=self.url, token=TOKEN, **self.config))

    def close(self) -> None:
        """Stop listening, and close what MLflow's store keeps open."""
        self.server.shutdown()
        self.server.server_close()
        if place := os.environ.get(ANSWERED):
            with Path(place).open("a") as log:
                log.writelines(f"{each}\n" for each in sorted(self.answered))
        if "store" in (tracking := self.kept.pop("tracking", {})):
            tracking["store"].engine.dispose()
            tracking["folder"].cleanup()

    def number(self) -> int:
        """An id that nothing has had."""
        self.kept["numbers"]["last"] = self.kept["numbers"].get("last", 100) + 1
        return self.kept["numbers"]["last"]

    def writes(self) -> list[Exchange]:
        """What changed something."""
        return [each for each in self.transcript if each.method != "GET" and each.status == 200]

    def fault(self, method: str, endpoint: str) -> Fault | None:
        """The fault that befalls this call, if one does."""
        struck = [fault for fault in self.faults if fault.strikes(method, endpoint)]
        return struck[0] if struck else None

    def answer(self, route: Route | None, method: str, asked: Request) -> tuple[int, Any]:
        """Status and JSON for a call."""
        try:
            if route is None:
                raise Refused(404, "ENDPOINT_NOT_FOUND", f"No API found for '{method}'")
            body = {route.body: asked.body} if route.body else asked.body or {}
            given = {**asked.query, **asked.path, **body}
            if problems := _wrong_request(route, given):
                raise Refused(400, "INVALID_PARAMETER_VALUE", "; ".join(problems))
            answer = route.answer(self, asked)
            if problems := _wrong_answer(route, answer):
                raise Refused(501, "RECORDER_IS_WRONG", "; ".join(problems))
            return 200, answer
        except Refused as refused:
            return refused.status, {"error_code": refused.code, "message": str(refused)}
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            told = f"{method} {route.template}: {type(error).__name__}: {error}"
            return 501, {"error_code": "RECORDER_IS_WRONG", "message": told}


def _wrong_request(route: Route, given: dict[str, Any]) -> list[str]:
    if isinstance(route.sdk, type):
        return message_types.problems(route.sdk, given)
    return request_problems(route.sdk, given)


def _wrong_answer(route: Route, answer: Any) -> list[str]:
    if isinstance(answer, bytes):
        return []
    if isinstance(route.sdk, type):
        return message_types.problems(message_types.response_of(route.sdk), answer)
    return answer_problems(route.sdk, route.gives, answer)


def _noted(payload: Any) -> Any:
    return f"{len(payload)} bytes" if isinstance(payload, bytes) else payload


class _Handler(BaseHTTPRequestHandler):
    space: Workspace
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one packet: in two, each costs forty milliseconds
    disable_nagle_algorithm = True

    def _take(self) -> None:
        space, url = self.space, urlsplit(self.path)
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_file = self.headers.get("Content-Type") == "application/octet-stream"
        body = sent if is_file else json.loads(sent or b"null")
        path = unquote(url.path)
        found = [(each, names) for each in ROUTES if (names := each.match(self.command, path))
                 is not None]  # fmt: skip
        route, names = found[0] if found else (None, {})
        endpoint = route.template if route else path
        with space.lock:
            fault = space.fault(self.command, endpoint)
            kind = fault.kind if fault else None
            status, answer = 0, None
            if kind in ANSWERS:
                code, message = ANSWERS[kind]
                status = {NO_API: 404, NOT_READY: 400}.get(kind, kind)
                answer = {"error_code": code, "message": message}
            elif kind in GATEWAYS:
                page = f"<html><head><title>{kind} {GATEWAYS[kind]}</title></head></html>"
                status, answer = kind, page.encode()
            elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
                code, message = ANSWERS[401]
                status, answer = 401, {"error_code": code, "message": message}
            elif kind != DROPPED:
                asked = Request(names, dict(parse_qsl(url.query)), body)
                status, answer = space.answer(route, self.command, asked)
                if kind == BROKEN:
                    status, answer = 500, {"error_code": ANSWERS[500][0], "message": "broken"}
            cut = kind in (DROPPED, LOST)
            if status == 200 and not cut:
                space.answered.add(f"{self.command} {endpoint}")
            if not path.startswith("/.well-known/"):  # the SDK looks whether there is something
                space.transcript.append(
                    Exchange(self.command, path, endpoint, _noted(body), 0 if cut else status,
                             _noted(answer))
                )  # fmt: skip
        if kind == SLOW:
            time.sleep(fault.seconds)
        if cut:
            self.close_connection = True
            return
        is_file = isinstance(answer, bytes)
        data = answer if is_file else json.dumps(answer).encode()
        kind_of_file = "text/html" if status in GATEWAYS else "application/octet-stream"
        self.send_response(status)
        self.send_header("Content-Type", kind_of_file if is_file else "application/json")
        self.send_header("Content-Length", str(len(data)))
        # MLflow makes a client for each call and closes none: two descriptors each, if kept open.
        self.send_header("Connection", "close")
        if status in (429, 503):
            self.send_header("Retry-After", "1")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_HEAD = do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _take

    def log_message(self, *args: Any) -> None:
        """The transcript is the log."""
